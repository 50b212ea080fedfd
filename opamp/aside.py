"""Messages that wait for the database: they are kept as the bytes that came, bounded by their number and weight."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opamp.errors import Overloaded
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.registry import HeldAgent

_EACH_BYTES: Final = 512
"""What an agent costs that waits with one message, beside the message: 300 bytes were measured."""


class Aside:
    """Those of one process: of agents that are not let in yet, and requests over plain HTTP (A5)."""

    def __init__(self, options: GatewayOptions, counters: Counters) -> None:
        self._most_each = options.waiting_messages
        self._counters = counters
        self._most_bytes = options.waiting_bytes
        self._retry_after = options.retry_after
        self.bytes = 0
        """What all of it weighs."""

    @contextmanager
    def holding(self, body: bytes) -> Iterator[None]:
        """The same of a message over plain HTTP, while it is processed. Raises Overloaded when there is too much."""
        if not self._fits(body):
            self._counters.put_off("waiting_bytes")
            raise Overloaded(self._retry_after())
        self.bytes += _weight(body)
        try:
            yield
        finally:
            self.bytes -= _weight(body)

    def keep(self, agent: HeldAgent, frame: bytes) -> str:
        """Keep a message until take(). Answers the limit for which it was not kept, or "".

        A single one is always kept: the limit may be lower than that of a message.
        """
        if len(agent.waiting) >= self._most_each:
            return "waiting_messages"
        if not self._fits(frame):
            return "waiting_bytes"
        agent.waiting.append(frame)
        self.bytes += _weight(frame)
        return ""

    def take(self, agent: HeldAgent) -> list[bytes]:
        """Remove and answer what the agent said, in order."""
        taken = list(agent.waiting)
        agent.waiting.clear()
        self.bytes -= sum(map(_weight, taken))
        return taken

    def _fits(self, data: bytes) -> bool:
        return self.bytes == 0 or self.bytes + _weight(data) <= self._most_bytes


def _weight(data: bytes) -> int:
    return len(data) + _EACH_BYTES
