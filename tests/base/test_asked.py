"""Questions that may hang: nobody waits longer than is said, and nobody queues behind one that hangs."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from telflo.base.asked import Asked


class Slow:
    """Answers how often it was asked, once it is let go."""

    def __init__(self) -> None:
        self.times = 0
        self.goes_on = threading.Event()

    def __call__(self) -> int:
        self.times += 1
        assert self.goes_on.wait(10)
        return self.times


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.goes_on.set()


def test_one_that_hangs_is_asked_once_and_who_comes_later_is_told_at_once(slow: Slow) -> None:
    asked = Asked(slow)
    for _ in range(100):
        with pytest.raises(TimeoutError):
            asked.begin().within(0.001)
    assert slow.times == 1


def test_it_is_asked_anew_once_it_does_not_hang_any_more(slow: Slow) -> None:
    asked = Asked(slow)
    first = asked.begin()
    slow.goes_on.set()
    assert first.result(10) == 1
    assert asked.begin().within(10) == 2


def test_an_answer_is_kept_for_a_while(slow: Slow) -> None:
    slow.goes_on.set()
    asked = Asked(slow, keep_s=3600)
    assert [asked.begin().within(10) for _ in range(5)] == [1] * 5


def test_what_goes_wrong_is_raised_where_the_answer_is_read() -> None:
    def fail() -> None:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        Asked(fail).begin().within(10)


async def test_who_stops_waiting_disturbs_nobody(slow: Slow) -> None:
    asked = Asked(slow)
    waiting = asyncio.wrap_future(asked.begin())
    other = asyncio.wrap_future(asked.begin())
    waiting.cancel()
    slow.goes_on.set()
    assert await other == 1
