"""Messages that have begun to come and are not complete: how much memory all of them may take together (A5)."""

from collections.abc import Callable, Hashable

from opamp.metrics import Counters


class Unfinished:
    """Those of one process, as far as their bytes are seen here.

    When they are too much the oldest has to go, so that nobody is kept out by those that never end. One alone is never
    too much: a message has a limit of its own.
    """

    def __init__(self, most_bytes: int, counters: Counters) -> None:
        self._most = most_bytes
        self._counters = counters
        self._held: dict[Hashable, tuple[int, Callable[[], None]]] = {}
        """Size and what cuts it, the oldest first."""
        self.bytes = 0
        """What all of it takes."""

    def hold(self, who: Hashable, size: int, cut: Callable[[], None]) -> None:
        """The message that comes from `who` has so many bytes by now; `cut` is called when it has to go."""
        known, _ = self._held.get(who, (0, None))
        self._held[who] = (size, cut)
        self.bytes += size - known
        while self.bytes > self._most and len(self._held) > 1:
            oldest = next(iter(self._held))
            _, cut_oldest = self._held[oldest]
            self.done(oldest)
            self._counters.hit("unfinished")
            cut_oldest()

    def done(self, who: Hashable) -> None:
        """It is complete, or its sender is gone."""
        size, _ = self._held.pop(who, (0, None))
        self.bytes -= size
