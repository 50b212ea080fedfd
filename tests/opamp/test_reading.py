"""When a socket is read, by a clock of the test's own."""

from collections.abc import Callable
from typing import Any

import pytest

from opamp.pace import Pace
from opamp.reading import Reading

pytestmark = pytest.mark.rule("A5")


class Clock:
    """As much of an event loop as is needed."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, after_s: float, what: Callable[[], None]) -> "Timer":
        entry = (self.now_s + after_s, what)
        self.timers.append(entry)
        return Timer(lambda: self.timers.remove(entry))

    def run(self, until_s: float) -> None:
        while due := sorted(when for when, _ in self.timers if when <= until_s):
            entry = next(one for one in self.timers if one[0] == due[0])
            self.timers.remove(entry)
            self.now_s = due[0]
            entry[1]()
        self.now_s = until_s


class Timer:
    def __init__(self, cancel: Callable[[], None]) -> None:
        self.cancel = cancel


class Socket:
    """As much of a transport as is needed."""

    def __init__(self) -> None:
        self.is_read: bool = True
        self.closing = False

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def is_closing(self) -> bool:
        return self.closing


class World:
    def __init__(self, take_rest: Any = None) -> None:
        self.clock, self.socket = Clock(), Socket()
        self.pace = Pace(per_s=10, burst=3, now_s=0)
        more = () if take_rest is None else (take_rest,)
        self.reading = Reading(self.socket, self.pace, *more)  # type: ignore[arg-type]
        self.reading._loop = self.clock  # type: ignore[assignment]

    def is_read(self) -> bool:
        return self.socket.is_read

    def comes(self, messages: int) -> None:
        for _ in range(messages):
            if self.pace.take(self.clock.now_s):
                self.reading.rest()


@pytest.fixture
async def world() -> World:
    return World()


async def test_what_came_together_is_made_up_for_altogether(world: World) -> None:
    world.comes(103)
    assert len(world.clock.timers) == 1
    world.clock.run(10.0)
    assert not world.is_read()
    world.clock.run(10.2)
    assert world.is_read()
    assert not world.clock.timers


async def test_who_reads_again_is_not_read_before_its_time(world: World) -> None:
    world.comes(13)
    world.reading.choke()
    world.reading.unchoke()
    assert not world.is_read()
    world.clock.run(1.2)
    assert world.is_read()


async def test_whose_time_has_come_is_not_read_before_it_reads(world: World) -> None:
    world.comes(13)
    world.reading.choke()
    world.clock.run(5.0)
    assert not world.is_read()
    world.reading.unchoke()
    assert world.is_read()


async def test_what_somebody_else_resumes_is_paused_again(world: World) -> None:
    world.comes(13)
    world.socket.resume_reading()
    world.reading.hold()
    assert not world.is_read()
    world.clock.run(1.2)
    world.reading.hold()
    assert world.is_read()


async def test_one_that_is_closed_is_read_to_its_end(world: World) -> None:
    world.comes(13)
    world.reading.choke()
    world.reading.free()
    assert world.is_read()
    assert not world.clock.timers


async def test_one_that_is_gone_is_waited_for_no_longer(world: World) -> None:
    world.comes(103)
    world.socket.closing = True
    world.clock.run(1.0)
    assert not world.clock.timers
    assert not world.is_read()


async def test_what_waits_is_taken_first() -> None:
    waits = [False, True]
    world = World(waits.pop)
    world.comes(4)
    world.clock.run(0.2)
    assert world.is_read()
    world.comes(4)
    world.clock.run(1.0)
    assert not world.is_read()
