"""Counting newcomers in a cache that may hang, be slow, or be gone: who asks waits once, and not for long."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import TimeoutError as RedisTimeout

from fleets import places
from fleets.places import Counting
from telflo.base import clock
from telflo.base.ids import new_id

WAIT_S = 10
"""Longer than anything here takes that goes well."""
PATIENCE_S = 0.05


class Cache:
    """Django's, and takes `each_s` for an answer until it is let go; `asked` is how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.each_s: float = WAIT_S
        self.goes_on = threading.Event()
        self.error: Exception | None = None

    def add(self, *arguments: Any, **named: Any) -> Any:
        self.asked += 1
        self.goes_on.wait(self.each_s)
        if self.error is not None:
            raise self.error
        return cache.add(*arguments, **named)

    incr: Callable[..., int] = staticmethod(cache.incr)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cache]:
    made = Cache()
    monkeypatch.setattr(places, "cache", made)
    yield made
    made.goes_on.set()


def ask(counting: Counting) -> places.Places | None:
    return counting.free_places({new_id(): 1}, clock.now())


def test_while_it_hangs_nobody_waits_for_long_and_it_is_asked_once(hanging: Cache) -> None:
    counting = Counting(answer_s=PATIENCE_S, pause_s=0)
    with ThreadPoolExecutor(20) as threads:
        answers = [threads.submit(ask, counting) for _ in range(60)]
        assert [answer.result(WAIT_S) for answer in answers] == [None] * 60
    assert hanging.asked == 1


def test_a_slow_one_is_given_up_however_many_tokens_it_is_asked_about(hanging: Cache) -> None:
    """Each of its answers comes in time; all of them together would not."""
    hanging.each_s = PATIENCE_S / 2
    counting = Counting(answer_s=PATIENCE_S, pause_s=0)
    assert counting.free_places({new_id(): 1 for _ in range(500)}, clock.now()) is None
    hanging.goes_on.set()
    while ask(counting) is None:
        pass
    assert hanging.asked < 500


def test_what_does_not_hang_any_more_is_asked_again(hanging: Cache) -> None:
    counting = Counting(answer_s=PATIENCE_S, pause_s=0)
    assert ask(counting) is None
    hanging.goes_on.set()
    token = new_id()
    while (found := counting.free_places({token: 1}, clock.now())) is None:
        pass
    assert found == {token: 1}


def test_one_that_failed_is_left_alone_for_a_while(hanging: Cache) -> None:
    hanging.goes_on.set()
    hanging.error = RedisTimeout("Timeout reading from socket")
    counting = Counting(pause_s=3600)
    assert [ask(counting) for _ in range(10)] == [None] * 10
    assert hanging.asked == 1


def test_after_the_pause_it_is_asked_again(hanging: Cache) -> None:
    hanging.goes_on.set()
    hanging.error = RedisTimeout("Timeout reading from socket")
    counting = Counting(answer_s=WAIT_S, pause_s=0)
    assert ask(counting) is None
    hanging.error = None
    assert ask(counting) is not None


def test_who_wants_nothing_does_not_wait(hanging: Cache) -> None:
    assert Counting().free_places({}, clock.now()) == {}
    assert hanging.asked == 0
