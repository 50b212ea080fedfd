"""Sockets before they have said what they want, in every adapter: how many, and for how long (A5)."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from opamp.metrics import Counters
from opamp.options import GatewayOptions

_TOO_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Deadlines:
    """Transports that have to get something done within `limit_s`. One timer for all: they fall due in order.

    late: called with the one that is not done in time. When more than `most` are at it the oldest has to go (crowded),
    so that a peer which opens sockets and says nothing keeps nobody out.
    """

    def __init__(
        self,
        limit_s: float,
        late: Callable[[asyncio.Transport], None],
        *,
        most: int | None = None,
        crowded: Callable[[asyncio.Transport], None] | None = None,
    ) -> None:
        self._limit_s = limit_s
        self._late = late
        self._crowded = crowded or late
        self._most = most
        self._due_s: dict[asyncio.Transport, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due_s)

    def begin(self, transport: asyncio.Transport) -> None:
        """Start its time, unless it runs already."""
        if transport in self._due_s:
            return
        loop = asyncio.get_running_loop()
        due_s = self._due_s[transport] = loop.time() + self._limit_s
        if self._most is not None and len(self._due_s) > self._most:
            self._cut(next(iter(self._due_s)), self._crowded)
        if self._timer is None:
            self._timer = loop.call_at(due_s, self._look)

    def done(self, transport: asyncio.Transport) -> None:
        """It is done, or gone."""
        self._due_s.pop(transport, None)

    def cut_all(self) -> None:
        """Wait for none of them any more."""
        for transport in list(self._due_s):
            self._cut(transport, self._late)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        for transport, due_s in list(self._due_s.items()):
            if due_s > loop.time():
                self._timer = loop.call_at(due_s, self._look)
                return
            self._cut(transport, self._late)

    def _cut(self, transport: asyncio.Transport, how: Callable[[asyncio.Transport], None]) -> None:
        del self._due_s[transport]
        how(transport)


class Arrivals:
    """The sockets of one process.

    heads wait for a request, and for the end of one that is answered already; bodies for its end, messages for the end
    of a WebSocket message in parts. count: how many sockets there are.
    """

    def __init__(
        self, options: GatewayOptions, counters: Counters, count: Callable[[], int]
    ) -> None:
        self._most = options.connections
        self._counters = counters
        self._count = count
        self.heads = Deadlines(
            options.handshake_s,
            partial(self._too_late, "handshake_s"),
            most=options.handshakes,
            crowded=partial(self._too_late, "handshakes"),
        )
        self.bodies = Deadlines(options.message_s, partial(self._too_late, "message_s"))
        self.messages = Deadlines(options.message_s, partial(self._cut, "message_s"))

    def open(self, transport: asyncio.Transport) -> None:
        """A socket was accepted: its time for a request starts. One too many is cut at once."""
        if self._count() > self._most:
            self._counters.refused_sockets += 1
            self._counters.hit("connections")
            transport.abort()
        else:
            self.heads.begin(transport)

    def too_large(self) -> None:
        """A request's head was larger than it may be."""
        self._counters.hit("header_bytes")

    def closed(self, transport: asyncio.Transport) -> None:
        """A socket is gone."""
        for deadlines in (self.heads, self.bodies, self.messages):
            deadlines.done(transport)

    def _too_late(self, limit: str, transport: asyncio.Transport) -> None:
        transport.write(_TOO_LATE)
        self._cut(limit, transport)

    def _cut(self, limit: str, transport: asyncio.Transport) -> None:
        self._counters.slow_sockets += 1
        self._counters.hit(limit)
        transport.abort()
