"""While the database is away pages and API say so, and when to come back, wherever on the way it is noticed."""

import logging

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.db import OperationalError
from django.test import AsyncClient, Client

from tests.api.caller import caller
from tests.factories import make_person

SECRET = "connection to host db-7 failed"


def fail(*_: object, **__: object) -> None:
    raise OperationalError(SECRET)


@pytest.fixture
def away(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A browser that was signed in; sessions are in the database."""
    client.force_login(make_person())
    client.raise_request_exception = False
    monkeypatch.setattr(SessionBase, "_session", property(fail))
    return client


@pytest.mark.django_db
def test_a_page_says_that_the_database_does_not_answer(
    away: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = away.get("/fleets/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "The database does not answer" in answer.content.decode()
    assert SECRET not in answer.content.decode()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Traceback" not in caplog.text


@pytest.mark.django_db
async def test_as_the_server_calls_it_too(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async_client.raise_request_exception = False
    monkeypatch.setattr("telflo.health.readiness", fail)
    answer = await async_client.get("/readyz")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")


@pytest.mark.django_db
def test_the_api_answers_with_a_problem_where_the_session_cannot_be_read(away: Client) -> None:
    answer = away.get("/api/v1/fleets/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:telflo:problem:database-away"


@pytest.mark.django_db
def test_and_within_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    call = caller()
    monkeypatch.setattr("configs.api.create_configuration", fail)
    answer = call("POST", "configurations/", {"name": "x"})
    problem = answer.problem(503)
    assert problem["type"] == "urn:telflo:problem:database-away"
    assert SECRET not in str(problem)
