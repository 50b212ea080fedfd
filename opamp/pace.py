"""How fast one peer may send: a bucket of messages that fills up again. Pure: the caller brings the time.

What a message costs is not its coming alone: a large one counts once for each `each` bytes of it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

SMALL_PART: Final = 1024
"""Parts of a message below so many bytes count too: Go clients split at 4 KiB, nobody needs a million of one byte."""
EACH: Final = 32 * 1024
KNOWN: Final = 20_000
"""Of so many peers Paces knows the pace."""
LONGEST_REST_S: Final = 1.0
"""Who waits for a peer's pace looks so often whether the peer is still there."""


class Pace:
    """`burst` messages at once, then `per_s` a second. What comes faster is not refused: its reading is put off."""

    __slots__ = ("_at_s", "_burst", "_each", "_left", "_per_s")

    def __init__(self, per_s: float, burst: float, now_s: float, *, each: int = EACH) -> None:
        self._per_s = per_s
        self._burst = self._left = burst
        self._each = each
        self._at_s = now_s

    def check(self, now_s: float) -> float:
        """For how many seconds one that can be refused has to wait until it is looked at; mostly 0. Counts nothing."""
        left = self._left + (now_s - self._at_s) * self._per_s
        return 0.0 if left >= 1 else (1 - left) / self._per_s

    def rest(self, now_s: float) -> float:
        """For how many seconds nothing is to be read of one that was too fast, and then this is asked again."""
        return min(self.check(now_s), LONGEST_REST_S)

    def take(self, now_s: float, size: int = 0) -> float:
        """Count a message of so many bytes; answers how many seconds of its pace the peer owes, mostly 0."""
        left = self._left + (now_s - self._at_s) * self._per_s
        cost = size / self._each if size > self._each else 1
        self._left = left = min(left, self._burst) - cost
        self._at_s = now_s
        return 0.0 if left >= 0 else -left / self._per_s


Peer = TypeVar("Peer", bound=Hashable)


class Paces(Generic[Peer]):
    """The paces of many peers. Who is forgotten has sent nothing for longer than KNOWN others."""

    def __init__(self, begin: Callable[[float], Pace]) -> None:
        self._begin = begin
        self._known: OrderedDict[Peer, Pace] = OrderedDict()

    def known(self, peer: Peer) -> Pace | None:
        """The peer's, if it has sent something."""
        return self._known.get(peer)

    def of(self, peer: Peer, now_s: float) -> Pace:
        """The pace of a peer that sends something now."""
        pace = self._known.get(peer)
        if pace is None:
            pace = self._known[peer] = self._begin(now_s)
            if len(self._known) > KNOWN:
                self._known.popitem(last=False)
        self._known.move_to_end(peer)
        return pace
