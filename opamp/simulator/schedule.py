"""PURE. What is to be done when: one heap for all agents instead of a timer for each."""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush

Task = Callable[[float], None]


class Schedule:
    """Tasks by time; those of one time in the order in which they were planned."""

    __slots__ = ("_count", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Task]] = []
        self._count = 0

    def at(self, when: float, task: Task) -> None:
        """Plan a task."""
        self._count += 1
        heappush(self._heap, (when, self._count, task))

    def due(self, now: float) -> Iterator[Task]:
        """Take what is due, in order, with what is planned meanwhile."""
        while self._heap and self._heap[0][0] <= now:
            yield heappop(self._heap)[2]

    def __len__(self) -> int:
        return len(self._heap)
