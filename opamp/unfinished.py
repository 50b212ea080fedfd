"""Messages that have begun to come and are not complete: how much memory all of them may take together (A5)."""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from uuid import UUID

from opamp.metrics import Counters


@dataclass(slots=True)
class _Part:
    holder: UUID | None
    size: int
    cut: Callable[[], None]


class Unfinished:
    """Those of one process, as far as their bytes are seen here.

    When they are too much one has to go, so that nobody is kept out by those that never end: the oldest of the token
    that holds most, so that it is none of those who hold little. One alone is never too much: a message has a limit of
    its own.
    """

    def __init__(self, most_bytes: int, counters: Counters) -> None:
        self._most = most_bytes
        self._counters = counters
        self._held: dict[Hashable, _Part] = {}
        """The oldest first."""
        self._shares: Counter[UUID | None] = Counter()
        """What is held by each token."""
        self.bytes = 0
        """What all of it takes."""

    def hold(
        self, who: Hashable, size: int, cut: Callable[[], None], holder: UUID | None = None
    ) -> None:
        """The message that comes from `who` by a token has so many bytes by now; `cut` is called when it has to go."""
        part = self._held.get(who)
        if part is None:
            part = self._held[who] = _Part(holder, 0, cut)
        self._change(part, size)
        while self.bytes > self._most and len(self._held) > 1:
            most = max(self._shares, key=self._shares.__getitem__)
            oldest = next(who for who, part in self._held.items() if part.holder == most)
            cut_oldest = self._held[oldest].cut
            self.done(oldest)
            self._counters.hit("unfinished")
            cut_oldest()

    def done(self, who: Hashable) -> None:
        """It is complete, or its sender is gone."""
        part = self._held.pop(who, None)
        if part is not None:
            self._change(part, 0)

    def _change(self, part: _Part, size: int) -> None:
        grown, part.size = size - part.size, size
        self.bytes += grown
        self._shares[part.holder] += grown
        if not self._shares[part.holder]:
            del self._shares[part.holder]
