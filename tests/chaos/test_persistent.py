"""A write goes from one web process to the next until it is done, and stays the same write."""

import httpx
import pytest

from tests.chaos import persistent
from tests.chaos.persistent import PersistentApi


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What was asked. The first server cannot be reached, the second fails once."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if request.url.host == "first":
            raise httpx.ConnectError("away")
        if request.url.path.endswith("/refused/"):
            return httpx.Response(400, text="no such fleet")
        if request.url.path.endswith("/over/"):
            return httpx.Response(409, text="it is over")
        return httpx.Response(500 if len(requests) == 2 else 201, json={"id": "1"})

    def make_client(base_url: str, _token: str) -> httpx.Client:
        return httpx.Client(base_url=base_url, transport=httpx.MockTransport(answer))

    monkeypatch.setattr(persistent, "make_client", make_client)
    monkeypatch.setattr("tests.e2e.harness.api.make_client", make_client)
    monkeypatch.setattr(persistent, "_PAUSE_S", 0)
    return requests


def test_it_is_asked_again_elsewhere_until_it_is_done(asked: list[httpx.Request]) -> None:
    api = PersistentApi(["http://first", "http://second"], "secret")
    assert api.post("/fleets/") == {"id": "1"}
    assert [request.url.host for request in asked] == ["first", "second", "first", "second"]
    assert len({request.headers["Idempotency-Key"] for request in asked}) == 1


def test_another_write_has_another_key(asked: list[httpx.Request]) -> None:
    api = PersistentApi(["http://second"], "secret")
    api.post("/fleets/")
    api.post("/fleets/")
    keys = [request.headers["Idempotency-Key"] for request in asked]
    assert len(keys) == 3
    assert len(set(keys)) == 2


def test_a_refusal_is_not_asked_again(asked: list[httpx.Request]) -> None:
    with pytest.raises(AssertionError, match="no such fleet"):
        PersistentApi(["http://second"], "secret").post("/refused/")
    assert len(asked) == 1


@pytest.mark.parametrize(("path", "is_possible"), [("/over/", False), ("/fleets/", True)])
def test_what_the_state_of_things_does_not_allow_is_told_apart(
    asked: list[httpx.Request], path: str, is_possible: bool
) -> None:
    assert PersistentApi(["http://second"], "secret").post_if_possible(path, {}) is is_possible
