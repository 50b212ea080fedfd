"""/healthz and /readyz: for load balancers, without signing in."""

import pytest
from django.db import OperationalError
from django.test import Client

from telflo import health
from tests.system.rows import make_process


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_healthy_server_says_ok_to_anyone(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-cache" in response["Cache-Control"]


@pytest.mark.django_db
def test_a_missing_worker_is_a_warning_and_no_reason_to_send_nobody_here(client: Client) -> None:
    make_process(kind="web")
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.content == b"ok\nwarning: no worker runs\nwarning: no beat runs\n"
    for kind in ("worker", "beat"):
        make_process(kind=kind)
    assert client.get("/readyz").content == b"ok\n"


@pytest.mark.django_db
def test_a_process_whose_buffer_is_full_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = make_process(kind="web", telflo_opamp_buffer_full_ratio=1.0)
    monkeypatch.setattr("telflo.system.state.own_rows", lambda: [full])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content == b"buffer: full, collectors are told to come back later\n"


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
