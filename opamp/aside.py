"""Messages that wait for the database: they are kept as the bytes that came, bounded by their number and weight."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from opamp.errors import Overloaded
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.registry import HeldAgent

_EACH_BYTES: Final = 512
"""What an agent costs that waits with one message, beside the message: 300 bytes were measured."""


class Aside:
    """Those of one process: of agents that are not let in yet, and requests over plain HTTP (A5). One token fills a
    share of it, so that it leaves room for others.
    """

    def __init__(self, options: GatewayOptions, counters: Counters) -> None:
        self._most_each = options.waiting_messages
        self._counters = counters
        self._most_bytes = options.waiting_bytes
        self._most_by_one = options.waiting_bytes * options.waiting_share
        self._retry_after = options.retry_after
        self._shares: Counter[UUID | None] = Counter()
        """What waits by each token."""
        self.bytes = 0
        """What all of it weighs."""

    @contextmanager
    def holding(self, holder: UUID | None, body: bytes) -> Iterator[None]:
        """Keep a message over plain HTTP while it is processed. Raises Overloaded when there is too much."""
        if limit := self._limit_over(holder, body):
            self._counters.put_off(limit)
            raise Overloaded(self._retry_after())
        self._change(holder, _weight(body))
        try:
            yield
        finally:
            self._change(holder, -_weight(body))

    def keep(self, agent: HeldAgent, frame: bytes) -> str:
        """Keep a message until take(). Answers the limit for which it was not kept, or "".

        A single one is always kept: the limit may be lower than that of a message.
        """
        holder = agent.connection.credential.id
        if len(agent.waiting) >= self._most_each:
            return "waiting_messages"
        if limit := self._limit_over(holder, frame):
            return limit
        agent.waiting.append(frame)
        self._change(holder, _weight(frame))
        return ""

    def take(self, agent: HeldAgent) -> list[bytes]:
        """Remove and answer what the agent said, in order."""
        taken = list(agent.waiting)
        agent.waiting.clear()
        self._change(agent.connection.credential.id, -sum(map(_weight, taken)))
        return taken

    def _limit_over(self, holder: UUID | None, data: bytes) -> str:
        size, held = _weight(data), self._shares[holder]
        if self.bytes and self.bytes + size > self._most_bytes:
            return "waiting_bytes"
        return "waiting_share" if held and held + size > self._most_by_one else ""

    def _change(self, holder: UUID | None, size: int) -> None:
        self.bytes += size
        self._shares[holder] += size
        if not self._shares[holder]:
            del self._shares[holder]


def _weight(data: bytes) -> int:
    return len(data) + _EACH_BYTES
