"""PURE. What agents said against what the timeline tells, and which facts may be missing.

Promised is (docs/architecture.md, I1, decision 4): a fact that an agent sent and whose message was answered is in the
timeline, in order. Only these may be missing:

- of a message that was refused with UNAVAILABLE: the agent was told. Answers do not name what they answer. They come in
  order, but the one to a later message may overtake those to messages that waited until the agent was let in: of these
  any may be the one that was refused;
- of a message that was never answered: it may have been lost on its way, or been refused and the answer lost. The agent
  cannot know, the server sees the gap in the numbers and asks for the full state;
- of a message that was answered by a process which was then killed with -9 before it had written it: at most WINDOW_S
  before the kill, or since something kept it from writing. State and number are stored together, so the next number
  shows a gap, and the latest state is never lost.

The last is the end of a connection: what one session said is written in order, so with a report everything behind it on this
connection is lost, and the next connection has to bring, and the timeline to tell, how it is since. Over plain HTTP what is
answered is stored, and what is not is sent again: there nothing but refused messages may be missing.

That connection settings were sent stands in the timeline before they are: of those that an agent acknowledged it never lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

WINDOW_S: Final = 1.0
"""A write begins 0.25 s after a change; the rest is the write, on a machine that is busy."""

CLOCKS_S: Final = 0.1
"""So far may the simulator's clock be from the server's."""

Content = tuple[object, ...]


class Loss(Enum):
    """Whether what was said may be missing."""

    NEVER = auto()
    ALONE = auto()
    """The message was refused, or may have been."""
    WITH_THE_REST = auto()
    """With all that was said behind it on the same connection."""


@dataclass(frozen=True, slots=True)
class Said:
    """One report in a message. begins: it is the first of its kind on its connection."""

    content: Content
    at: float
    loss: Loss = Loss.NEVER
    begins: bool = False


Ways = dict[tuple[int, bool], int]


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
    explained, and whether the rest of the connection is lost, to the least number of losses that this takes.
    """
    ways: Ways = {(0, False): 0}
    if (
        told and told[0] == before
    ):  # its report said nothing new and was compared the last time, the entry came later
        ways[1, False] = 0
    for report in said:
        ways = _follow(ways, report, told, before)
        if not ways:
            return Comparison(f"{report.content} of {report.at:.3f} is missing")
    furthest = max(explained for explained, _ in ways)
    if furthest < len(told):
        return Comparison(f"nobody said {told[furthest]}, or not then")
    lost = ways.get((furthest, False))
    if lost is None:
        return Comparison("nothing was said since what was lost")
    return Comparison(found=len(said) - lost, lost=lost)


def _follow(ways: Ways, report: Said, told: Sequence[Content], before: Content | None) -> Ways:
    following: Ways = {}
    for (explained, was_over), lost in ways.items():
        is_over = was_over and not report.begins
        is_news = report.content != (told[explained - 1] if explained else before)
        if not is_over:
            if explained < len(told) and told[explained] == report.content:
                _keep(following, (explained + 1, False), lost)
            if not is_news or report.loss is Loss.ALONE:
                _keep(following, (explained, False), lost + is_news)
        if report.loss is Loss.WITH_THE_REST or (is_over and report.loss is Loss.ALONE):
            _keep(following, (explained, True), lost + is_news)
    return following


def _keep(ways: Ways, way: tuple[int, bool], lost: int) -> None:
    ways[way] = min(lost, ways.get(way, lost))


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
    waited: int = -1
    """The number of the last message that was sent before any was answered."""
    refused: set[int] = field(default_factory=set)
    is_told: bool = False
    """The timeline has its beginning."""
    is_late: bool = False
    """It was over when all was compared last, and the timeline did not tell of it: it still may."""

    def loss_of(self, number: int, at: float, deaths: Iterable[Death]) -> Loss:
        """Whether what message `number`, sent at `at`, said may be missing."""
        is_unanswered = self.answered is not None and number > self.answered
        is_doubtful = number <= self.waited and self._was_one_refused
        if number in self.refused or is_unanswered or is_doubtful:
            return Loss.ALONE
        died = any(self._died_with(at, death) for death in deaths)
        return Loss.WITH_THE_REST if died else Loss.NEVER

    @property
    def _was_one_refused(self) -> bool:
        """Of those that waited until the agent was let in."""
        return any(number <= self.waited for number in self.refused)

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


def surplus(connections: Iterable[Connection], opened: Iterable[float]) -> str:
    """A session in the timeline, opened at one of these times, for which there was no connection; "" when there is none.

    A WebSocket is one session of an agent. A process that hung may have begun it when the connection was over.
    """
    free = sorted(one.begun for one in connections if not one.is_told)
    for at in sorted(opened):
        if not free or free.pop(0) > at + CLOCKS_S:
            return f"a session of {at:.3f} is one too many"
    return ""
