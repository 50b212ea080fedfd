"""Sending to what may hang: whoever has something to send goes on at once."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from fleets import tasks
from notices import tasks as notices
from notices.outbox import tell
from telflo.base import clock
from telflo.base.outbox import Outbox
from tests.notices.makers import NEWS

WAIT_S = 10


class Service:
    """Takes nothing until it is let go; then all that it is sent."""

    def __init__(self) -> None:
        self.reached, self.goes_on, self.is_done = (threading.Event() for _ in range(3))
        self.taken: list[str] = []
        self.threads: list[int] = []

    def send(self, key: str) -> None:
        self.threads.append(threading.get_ident())
        self.reached.set()
        assert self.goes_on.wait(WAIT_S)
        if key == "bad":
            raise ConnectionError("gone")
        self.taken.append(key)
        if key == "last":
            self.is_done.set()


def test_a_service_that_hangs_holds_nobody_up_and_gets_each_once() -> None:
    service = Service()
    outbox = Outbox(service.send)
    outbox.post("first")
    assert service.reached.wait(WAIT_S)
    for key in ("second", "second", "third", "second", "last"):
        outbox.post(key)
    assert service.taken == []
    service.goes_on.set()
    assert service.is_done.wait(WAIT_S)
    assert service.taken == ["first", "second", "third", "last"]


def test_what_was_not_taken_is_said_once_and_the_rest_is_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = Service()
    outbox = Outbox(service.send)
    outbox.post("first")
    assert service.reached.wait(WAIT_S)
    outbox.post("bad")
    outbox.post("last")
    service.goes_on.set()
    assert service.is_done.wait(WAIT_S)
    assert service.taken == ["first", "last"]
    assert caplog.text.count("was not sent") == 1


def test_after_a_pause_it_sends_again() -> None:
    service = Service()
    service.goes_on.set()
    outbox = Outbox(service.send)
    for _ in range(2):
        service.is_done.clear()
        outbox.post("last")
        assert service.is_done.wait(WAIT_S)
    assert service.taken == ["last", "last"]


def test_a_thread_that_cannot_start_is_said_and_the_next_post_sends_what_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service()
    service.goes_on.set()
    outbox = Outbox(service.send)

    def cannot(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", cannot)
        outbox.post("first")
    assert caplog.text.count("was not sent") == 1
    outbox.post("last")
    assert service.is_done.wait(WAIT_S)
    assert service.taken == ["first", "last"]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Both outboxes are as in life, and the broker hangs."""
    service = Service()
    monkeypatch.setattr(tasks, "outbox", Outbox(tasks.send))
    monkeypatch.setattr(notices, "to_worker", Outbox(notices.send))

    def apply_async(*_args: Any, **how: Any) -> None:
        assert how == {"retry": False}
        service.send("last")

    for task in (tasks.advance_rollout, notices.deliver_notices):
        monkeypatch.setattr(task, "apply_async", apply_async)
    yield service
    assert service.reached.wait(WAIT_S)
    assert service.taken == []
    service.goes_on.set()
    assert service.is_done.wait(WAIT_S)
    assert threading.get_ident() not in service.threads


@pytest.mark.django_db
def test_a_rollout_that_moves_does_not_wait_for_the_broker(
    broker: Service, committed: Callable[[], Any]
) -> None:
    """The write buffer's thread commits what collectors said, and rollouts move by it."""
    with committed():
        tasks.advance_on_commit([uuid4(), None])
    assert broker.taken == []


@pytest.mark.django_db
def test_news_do_not_wait_for_the_broker(broker: Service, committed: Callable[[], Any]) -> None:
    """A request has a database connection until it is answered, and those are few."""
    with committed():
        tell(NEWS, now=clock.now())
    assert broker.taken == []
