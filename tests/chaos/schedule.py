"""PURE. What is done to whom, and when: all of it follows from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

FLEETS: Final = 2
LONG_EVERY: Final = 20
"""Of so many rounds one has a part away for LONG_S, and one fills the write buffers."""
LONG_S: Final = 60.0
FILL_S: Final = 40.0
"""So long at most it takes until a buffer is full."""


class How(StrEnum):
    """What is done."""

    KILL = "killed"
    """kill -9, and started again."""
    STOP = "stopped"
    """SIGSTOP, and after a while SIGCONT."""
    CUT = "cut"
    """Connections of agents break."""
    FILL = "filled"
    """The database hangs while agents say so much that the write buffers are full."""


WEBS: Final = ("web-1", "web-2")
SERVERS: Final = (*WEBS, "gateway")
PROCESSES: Final = (*SERVERS, "worker", "beat")
SERVICES: Final = ("postgres", "redis")
AGENTS: Final = "agents"
_WEIGHTS: Final = {
    **dict.fromkeys(SERVERS, 2),
    **dict.fromkeys(SERVICES, 2),
    **dict.fromkeys(("worker", "beat"), 1),
}
_CUT_WEIGHT: Final = 3
_SECOND_BLOW: Final = 0.3
_BAD: Final = 0.3
_CHANGES_S: Final = 4.0
_STAGED: Final = 0.45
_PERSON: Final = 0.4
_WISH: Final = 0.4
_INTERVALS_S: Final = (5, 6)
_TELEMETRY: Final = ("", "a", "b")


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that is done. after_s: from the round's beginning; for_s: how long it lasts.

    share: how many agents lose their connections at once, of all (0 to 1): those of a stopped process too.
    """

    how: How
    target: str
    after_s: float
    for_s: float
    share: float = 0.0

    def __str__(self) -> str:
        """For a round's line."""
        if self.how is How.CUT:
            return f"{self.share:.0%} of the agents cut"
        if self.how is How.FILL:
            return "write buffers filled while postgres is stopped"
        return f"{self.target} {self.how} for {self.for_s:.1f} s"


class Person(StrEnum):
    """What a person does to a rollout under way."""

    NOBODY = ""
    PAUSE = "paused for a while"
    ROLL_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class Change:
    """A new version for a fleet. is_bad: some agents cannot run it. after_s: from the round's beginning.

    is_staged: in stages, taken back when one fails; person: what one does to it, person_s after it began.
    """

    fleet: int
    is_bad: bool
    after_s: float
    is_staged: bool = False
    person: Person = Person.NOBODY
    person_s: float = 0.0

    def __str__(self) -> str:
        """For a round's line."""
        words = ["bad" if self.is_bad else "good"]
        words += ["in stages"] if self.is_staged else []
        words += [f"and {self.person}"] if self.person else []
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Wish:
    """Connection settings for a fleet: an interval, and where its collectors' own metrics go ("": nowhere)."""

    fleet: int
    interval_s: int
    metrics: str
    after_s: float


@dataclass(frozen=True, slots=True)
class Round:
    """One round. restless: how many agents say something new of their health ten times a second meanwhile.

    described, upgraded: shares of the agents that get another description, another build of their collector.
    """

    number: int
    changes: tuple[Change, ...]
    blows: tuple[Blow, ...]
    restless: int
    wishes: tuple[Wish, ...] = ()
    described: float = 0.0
    upgraded: float = 0.0


def make_round(seed: int, number: int) -> Round:
    """The round with this number, counted from 1; the same for the same seed, whatever came before."""
    rng = random.Random(f"{seed} {number}")
    fleets = rng.sample(range(FLEETS), rng.choice((0, 1, 1, FLEETS)))
    changes = [
        Change(fleet, rng.random() < _BAD, round(rng.uniform(0.0, _CHANGES_S), 2))
        for fleet in fleets
    ]
    changes.sort(key=lambda change: change.after_s)
    blows, restless = tuple(_blows(rng, number)), rng.randrange(6)
    staged = tuple(_staged(change, rng) for change in changes)
    wishes = [_wish(rng)] if rng.random() < _WISH else []
    described, upgraded = rng.choice((0.0, 0.1, 0.5)), rng.choice((0.0, 0.02, 0.1))
    return Round(number, staged, blows, restless, tuple(wishes), described, upgraded)


def _staged(change: Change, rng: random.Random) -> Change:
    if rng.random() > _STAGED:
        return change
    person = rng.choice((Person.PAUSE, Person.ROLL_BACK))
    acts = rng.random() < _PERSON
    return replace(
        change,
        is_staged=True,
        person=person if acts else Person.NOBODY,
        person_s=round(rng.uniform(0.2, 3.0), 2) if acts else 0.0,
    )


def _wish(rng: random.Random) -> Wish:
    after_s = round(rng.uniform(0.0, _CHANGES_S), 2)
    return Wish(rng.randrange(FLEETS), rng.choice(_INTERVALS_S), rng.choice(_TELEMETRY), after_s)


def _blows(rng: random.Random, number: int) -> list[Blow]:
    if number % LONG_EVERY == 0:
        target = rng.choice(("worker", "redis", "postgres"))
        return [Blow(rng.choice((How.KILL, How.STOP)), target, 0.5, LONG_S)]
    if number % LONG_EVERY == LONG_EVERY // 2:
        return [Blow(How.FILL, "postgres", 0.0, FILL_S)]
    first = _blow(rng)
    second = _blow(rng)
    if rng.random() > _SECOND_BLOW or second.target == first.target:
        return [first]
    return [first, second]


def _blow(rng: random.Random) -> Blow:
    after_s = round(rng.uniform(0.0, 2.0), 2)
    if rng.random() < _CUT_WEIGHT / (_CUT_WEIGHT + sum(_WEIGHTS.values())):
        return Blow(How.CUT, AGENTS, after_s, 0.0, rng.choice((0.1, 0.5, 1.0)))
    [target] = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
    how = rng.choice((How.KILL, How.STOP))
    for_s = round(rng.uniform(0.0, 2.0) if how is How.KILL else rng.uniform(1.0, 5.0), 1)
    # While a process hangs a load balancer gives its agents to others.
    moves = how is How.STOP and target in SERVERS and rng.random() < 0.5
    return Blow(how, target, after_s, for_s, 0.2 if moves else 0.0)
