"""/healthz and /readyz: for load balancers, without signing in."""

import pytest
from django.db import OperationalError
from django.test import Client

from telflo import health


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_healthy_server_says_ok_to_anyone(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-cache" in response["Cache-Control"]


@pytest.mark.django_db
def test_what_is_missing_is_named_without_details(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _database() -> str:
        raise OperationalError("password of host db-7 is wrong")

    def _migrations() -> str:
        return "3 not applied"

    monkeypatch.setattr(health, "_checks", lambda: [_database, _migrations])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content == b"database: not reachable\nmigrations: 3 not applied\n"
