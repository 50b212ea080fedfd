"""What a pre-flight check answers. Pure. Errors stop a start, warnings want a person's word, notes are good to know."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest
from typing import Final
from uuid import UUID

from configs.collector.difference import Change
from fleets.rollouts.preflight.subjects import Alike, Fate
from telflo.ui.numbers import counted

MOST_NAMED: Final = 100
"""So many collectors of a finding are named; its count is of all."""
MOST_WORDS: Final = 20
OF_QUARANTINE: Final = ("quarantined", "tried_again")
"""Codes of findings about collectors on which it failed before: skipped, and tried again."""


class Severity(StrEnum):
    """What a finding means for the start."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Named:
    """A collector that a finding is about. detail: what of it, such as the components that it lacks."""

    uid: UUID
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. count: how many collectors it is about, 0 for none in particular · lines: what is said of the
    text, line by line.
    """

    code: str
    severity: Severity
    title: str
    detail: str = ""
    count: int = 0
    collectors: tuple[Named, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """All that it says below its title."""
        return " ".join((self.detail, *self.lines)).strip()


@dataclass(frozen=True, slots=True)
class StageReach:
    """One stage. targets: all in it · reached: who gets it, be it on their return · connected: of those, who gets it in
    its turn · total: reached, with those before.
    """

    name: str
    targets: int
    reached: int
    connected: int
    total: int


@dataclass(frozen=True, slots=True)
class Preflight:
    """What would happen. fates: members by what becomes of them · changes: against the stable version."""

    fates: Mapping[Fate, int]
    stages: tuple[StageReach, ...]
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...] = ()

    @property
    def reached(self) -> int:
        """Who gets it, now or on their return."""
        return self.fates.get(Fate.NOW, 0) + self.fates.get(Fate.OFFLINE, 0)

    def of(self, severity: Severity) -> list[Finding]:
        """The findings of one severity."""
        return [one for one in self.findings if one.severity is severity]

    def open_warnings(self, accepted: Collection[str]) -> list[Finding]:
        """Warnings that nobody has accepted, by their codes."""
        return [one for one in self.of(Severity.WARNING) if one.code not in accepted]


def size_of(groups: Iterable[Alike]) -> int:
    """How many members they are."""
    return sum(one.count for one in groups)


def named(
    groups: Iterable[Alike], detail: Callable[[Alike], str] | None = None
) -> tuple[Named, ...]:
    """The first of them by name. detail: what of a group's members."""
    every = ((name, uid, one) for one in groups for name, uid in one.those())
    shown = nsmallest(MOST_NAMED, every)
    return tuple(Named(UUID(uid), name, detail(one) if detail else "") for name, uid, one in shown)


def listed(words: Iterable[str]) -> str:
    """In order, and no more than people read."""
    every = sorted(words)
    more = f" and {len(every) - MOST_WORDS} more" if len(every) > MOST_WORDS else ""
    return ", ".join(every[:MOST_WORDS]) + more


def lines_of(said: Iterable[object]) -> tuple[str, ...]:
    """What the validator says, and no more than people read."""
    every = tuple(map(str, said))
    more = len(every) - MOST_WORDS
    return (*every[:MOST_WORDS], f"and {more} more") if more > 0 else every


def counted_who(count: int, verb: str, plural: str) -> str:
    """`12 collectors lack`."""
    return f"{counted(count, 'collector')} {verb if count == 1 else plural}"
