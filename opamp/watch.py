"""Looks at every connection once in a while, and ends those that cost something and are of no use (A5)."""

import asyncio
import logging
from typing import Final

from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.registry import DOES_NOT_READ, POLICY_VIOLATION, Connection, Registry
from opamp.turns import some_at_a_time

logger = logging.getLogger(__name__)

_LOOKS_S: Final = 2.0


class Watch:
    """One timer for all connections; a timer for each send would cost more than the send."""

    def __init__(self, registry: Registry, options: GatewayOptions, counters: Counters) -> None:
        self._registry = registry
        self._options = options
        self._counters = counters
        self._closing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look for ever, often enough for the shortest limit."""
        options = self._options
        shortest_s = min(options.send_timeout_s, options.first_message_s, options.ping_s)
        pause_s = min(_LOOKS_S, shortest_s / 4)
        while True:
            await asyncio.sleep(pause_s)
            await some_at_a_time(list(self._registry.connections), self._see)

    def _see(self, connection: Connection) -> None:
        """One that cannot be looked at keeps nobody from looking at the others."""
        try:
            self._look(connection)
        except Exception:
            self._counters.loop_failures += 1
            logger.exception("A connection from %s could not be looked at.", connection.address)

    def _look(self, connection: Connection) -> None:
        now_s = asyncio.get_running_loop().time()
        if reason := connection.look(now_s):
            self._counters.cut_connections += 1
            self._counters.hit("send_timeout_s" if reason == DOES_NOT_READ else "ping_s")
            connection.abort(reason)
            return
        silent_s = self._options.first_message_s
        if not connection.has_spoken and now_s - connection.opened_s > silent_s:
            self._counters.cut_connections += 1
            self._counters.hit("first_message_s")
            connection.has_spoken = True  # said once
            self._close(connection, f"No message came within {silent_s:g} s.")

    def _close(self, connection: Connection, reason: str) -> None:
        task = asyncio.create_task(connection.close(POLICY_VIOLATION, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
