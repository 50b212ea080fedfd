"""PURE. What agents said against what the timeline tells, and which facts may be missing.

Promised is (docs/architecture.md, I1, decision 4): a fact that an agent sent and whose message was answered is in the
timeline, in order. Only these may be missing:

- of a message that was never answered: it may have been lost on its way. The agent cannot know, the server sees the gap
  in the numbers and asks for the full state;
- of a message that was refused with UNAVAILABLE: the agent was told;
- of a message that was answered by a process which was then killed with -9 before it had written it: at most WINDOW_S
  before the kill, or since something kept it from writing. State and number are stored together, so the next number
  shows a gap, and the latest state is never lost;
- the first report of its kind on a new connection, when it says again what an earlier one had said: the process of the
  connection before may have written late what came between, so that it was no news for the session that heard it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

WINDOW_S: Final = 2.0
"""A write begins 0.25 s after a change; the rest is for a machine that is busy."""

CLOCKS_S: Final = 0.1
"""So far may the simulator's clock be from the server's."""

Content = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One report in a message. may_be_lost: one of the three reasons above holds."""

    content: Content
    at: float
    may_be_lost: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing. problem: "" when the timeline tells everything that it must, and nothing else.

    found: how many reports the timeline has, or need not have, since they say nothing new; lost: the least number of those
    that are missing for a good reason.
    """

    problem: str = ""
    found: int = 0
    lost: int = 0


def compare(said: Sequence[Said], told: Sequence[Content], before: Content | None) -> Comparison:
    """Whether the timeline `told` follows from what was said, after a report of `before`.

    A report that says what the one before it said is no news, so it may be missing; where that one was lost, it is news.
    Which reports were lost is not known, so all ways are followed: `ways` maps the number of entries that are
    explained to the least number of losses that this takes.
    """
    ways = {0: 0}
    for report in said:
        ways = _follow(ways, report, told, before)
        if not ways:
            return Comparison(f"{report.content} of {report.at:.3f} is missing")
    if len(told) not in ways:
        furthest = max(ways)
        return Comparison(f"nobody said {told[furthest]}, or not then")
    lost = ways[len(told)]
    return Comparison(found=len(said) - lost, lost=lost)


def _follow(
    ways: dict[int, int], report: Said, told: Sequence[Content], before: Content | None
) -> dict[int, int]:
    following: dict[int, int] = {}
    for explained, lost in ways.items():
        known = told[explained - 1] if explained else before
        if explained < len(told) and told[explained] == report.content:
            _keep(following, explained + 1, lost)
        if report.content == known:
            _keep(following, explained, lost)
        elif report.may_be_lost:
            _keep(following, explained, lost + 1)
    return following


def _keep(ways: dict[int, int], explained: int, lost: int) -> None:
    ways[explained] = min(lost, ways.get(explained, lost))


@dataclass(frozen=True, slots=True)
class Death:
    """A process was killed at `at`; what it took in since `since` it may not have written."""

    url: str
    since: float
    at: float


@dataclass(slots=True)
class Connection:
    """One WebSocket of an agent (or its polling), as its log tells it. answered: the number of its last answered message."""

    url: str
    begun: float
    after: int
    ended: float | None = None
    answered: int | None = None
    refused: set[int] = field(default_factory=set)
    is_told: bool = False
    """The timeline has its beginning."""

    def may_lose(self, number: int, at: float, deaths: Iterable[Death]) -> bool:
        """Whether what message `number`, sent at `at`, said may be missing."""
        if number in self.refused:
            return True
        if self.answered is not None and number > self.answered:
            return True
        return any(self._died_with(at, death) for death in deaths)

    def _died_with(self, at: float, death: Death) -> bool:
        return death.url == self.url and death.since <= at <= death.at

    def is_told_by(self, opened: Iterable[float]) -> bool:
        """Whether the timeline has its beginning: one of the sessions that were `opened` at these times, or earlier."""
        until = self.ended or float("inf")
        return self.is_told or any(self.begun - CLOCKS_S <= at <= until + CLOCKS_S for at in opened)

    @property
    def must_be_told(self) -> bool:
        """Whether it is over, and a message on it was answered and not refused: then a session had begun.

        Plain HTTP has no beginnings.
        """
        if self.answered is None or not self.url.startswith("ws"):
            return False
        return self.answered - self.after > len(self.refused)
