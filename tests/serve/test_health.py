"""/healthz and /readyz: for load balancers, without signing in."""

import threading
import time
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from telflo import health
from telflo.base.asked import Asked
from tests.system.rows import make_process


@pytest.fixture(autouse=True)
def looks_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered, neither of other tests nor within one."""
    monkeypatch.setattr(health, "_readiness", Asked(health._look))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_healthy_server_says_ok_to_anyone(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-cache" in response["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_a_missing_worker_is_a_warning_and_no_reason_to_send_nobody_here(client: Client) -> None:
    make_process(kind="web")
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.content == b"ok\nwarning: no worker runs\nwarning: no beat runs\n"
    for kind in ("worker", "beat"):
        make_process(kind=kind)
    assert client.get("/readyz").content == b"ok\n"


@pytest.mark.django_db(transaction=True)
def test_a_process_whose_buffer_is_full_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = make_process(kind="web", telflo_opamp_buffer_full_ratio=1.0)
    monkeypatch.setattr("telflo.system.state.own_rows", lambda: [full])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content == b"buffer: full, collectors are told to come back later\n"


@pytest.mark.django_db(transaction=True)
def test_a_process_whose_reports_are_not_written_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = make_process(kind="web", telflo_opamp_buffer_lag_seconds=21.4)
    monkeypatch.setattr("telflo.system.state.own_rows", lambda: [late])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content == b"buffer: reports wait since 21 s to be stored\n"


@pytest.mark.django_db
def test_what_is_missing_is_named_without_details(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def database() -> None:
        raise OperationalError("password of host db-7 is wrong")

    def migrations() -> None:
        raise health._NotReady("3 not applied")

    questions = {"database": Asked(database), "migrations": Asked(migrations)}
    monkeypatch.setattr(health, "_questions", lambda: questions)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.content == b"database: not reachable\nmigrations: 3 not applied\n"


@pytest.mark.django_db
def test_what_hangs_is_named_and_nothing_else_is(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parts that hang held the threads on which a third would have been asked."""
    monkeypatch.setattr(health, "ANSWER_S", 0.2)
    goes_on = threading.Event()
    asked = []

    def hang() -> None:
        asked.append(time.monotonic())
        goes_on.wait(60)

    names = ("database", "migrations")
    questions: dict[str, Asked[Any]] = {name: Asked(hang) for name in names}
    questions["redis"] = Asked(lambda: None)
    monkeypatch.setattr(health, "_questions", lambda: questions)
    try:
        for _ in range(3):
            assert client.get("/readyz").content == (
                b"database: no answer within 0.2 s\nmigrations: no answer within 0.2 s\n"
            )
        assert len(asked) == 2, "while one hangs nobody asks it again"
    finally:
        goes_on.set()


def test_many_who_ask_are_one_look(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def look() -> health.Readiness:
        looks.append(1)
        return health.Readiness(["database: not reachable"])

    monkeypatch.setattr(health, "_readiness", Asked(look, keep_s=3600))
    assert {client.get("/readyz").status_code for _ in range(50)} == {503}
    assert len(looks) == 1


@pytest.mark.django_db
def test_migrations_are_looked_at_until_they_are_complete(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = [["one"], []]
    looks = []

    class Executor:
        def __init__(self, *_arguments: Any) -> None:
            looks.append(1)
            self.loader = self.graph = self

        def leaf_nodes(self) -> None:
            """All."""

        def migration_plan(self, _leaves: None) -> list[str]:
            return waiting.pop(0)

    monkeypatch.setattr(health, "MigrationExecutor", Executor)
    monkeypatch.setattr(health, "_is_migrated", threading.Event())
    answers = [client.get("/readyz").content for _ in range(4)]
    assert answers == [b"migrations: 1 not applied\n", b"ok\n", b"ok\n", b"ok\n"]
    assert len(looks) == 2
