"""Several live agents behind one uid, told apart by their sequence numbers over plain HTTP (rule A2).

A client counts its messages: the next one has the next number. Some skip numbers, some repeat the last one, and all
begin again when they start anew. But none goes back to a lower number and goes on there, as if the numbers since had
not been: who does that is another client. (A repeat that was held up on its way can look so, once.) Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

ENOUGH: Final = 12
"""So many points prove several agents."""
BACK_ELSEWHERE: Final = 6
"""It went back to another trail, and its address is not that of the last message."""
BACK: Final = 4
"""It went back to another trail."""
REPEATED_ELSEWHERE: Final = 2
"""The last number again, from an address that went on to it just now: they count in step."""
SPACING: Final = timedelta(seconds=5)
"""Points count no sooner after each other: what was held up somewhere arrives in one burst."""
VALID_FOR: Final = timedelta(hours=1)
"""Points of longer ago count for nothing."""
LATE: Final = timedelta(seconds=5)
"""What a connection that is over had sent before may still arrive for so long."""
MOST: Final = 16
"""So many trails are remembered."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Where one agent is: the number that it sent last, and from where."""

    number: int
    address: str


@dataclass(frozen=True, slots=True)
class Trails:
    """The last trails of one uid, the one of the last message first.

    points: how sure it is that they belong to several agents. beside_since: when the first message came by plain HTTP
    while a WebSocket of this uid was open.
    """

    trails: tuple[Trail, ...] = ()
    points: int = 0
    scored_at: datetime | None = None
    beside_since: datetime | None = None

    @property
    def are_several_agents(self) -> bool:
        """Whether several live agents use this uid; one of them is the sender of the last message."""
        return self.points >= ENOUGH

    def follow(self, number: int, address: str, at: datetime) -> Self:
        """These trails after one more message by plain HTTP."""
        now = Trail(number, address)
        if not self.trails:
            return type(self)(trails=(now,))
        last, *others = self.trails
        moved = address != last.address
        fitting = [trail for trail in others if trail.number + 1 == number]
        mine = next((trail for trail in fitting if trail.address == address), None)
        is_repeat = number == last.number
        if is_repeat and moved and mine:
            return self._put(now, mine, REPEATED_ELSEWHERE, at)
        is_next = number == last.number + 1 and not (moved and mine)
        if is_next or (is_repeat and not moved):
            return self._put(now, last)
        other = mine or next(iter(fitting), None)
        if other is not None and number < last.number:
            return self._put(now, other, BACK_ELSEWHERE if moved else BACK, at)
        return self._put(now, other)

    def beside(self, heard_at: datetime | None, at: datetime) -> Self:
        """These trails after a message by plain HTTP while a WebSocket of the uid is open.

        heard_at: when the WebSocket was heard last. Heard after plain HTTP was: neither took the other's place.
        """
        since = self.beside_since
        if since is None:
            return replace(self, beside_since=at)
        if heard_at is not None and heard_at > since + LATE:
            return replace(self, points=ENOUGH)
        return self

    def without_the_last(self) -> Self:
        """The trails that are left when the sender of the last message goes by another uid."""
        return type(self)(trails=self.trails[1:])

    def as_json(self) -> dict[str, Any] | None:
        """As a JSON value; None while nothing is followed."""
        if not self.trails and self.beside_since is None:
            return None
        return {
            "trails": [[trail.number, trail.address] for trail in self.trails],
            "points": self.points,
            "scored_at": self.scored_at and self.scored_at.isoformat(),
            "beside_since": self.beside_since and self.beside_since.isoformat(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Self:
        """The inverse of as_json; None means that nothing was followed yet."""
        if not value:
            return cls()
        return cls(
            trails=tuple(Trail(number, address) for number, address in value["trails"]),
            points=value["points"],
            scored_at=_time(value["scored_at"]),
            beside_since=_time(value["beside_since"]),
        )

    def _put(
        self, now: Trail, after: Trail | None, points: int = 0, at: datetime | None = None
    ) -> Self:
        """The trail that ended in `after` goes on (None: a new one begins), which says so much at `at`."""
        rest = [trail for trail in self.trails if trail is not after]
        followed = replace(self, trails=(now, *rest)[:MOST])
        scored_at = self.scored_at
        if at is None or (scored_at is not None and at < scored_at + SPACING):
            return followed
        is_valid = scored_at is not None and at <= scored_at + VALID_FOR
        return replace(followed, points=points + self.points * is_valid, scored_at=at)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
