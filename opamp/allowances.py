"""How many bytes come by one token, whatever connections and uids they come by: a bucket that outlives them (A5).

A connection's pace is new with each connection, and an agent's with each uid; who holds a token makes as many as they
like. A fleet may share one, so there is room for all its collectors to report at once, and what is short passes always.
"""

import asyncio
import math
from uuid import UUID

from opamp.errors import TooMany
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.pace import SMALL_PART, Pace, Paces

LIMIT = "token_bytes"


class Allowances:
    """Those of one process. What a heartbeat takes is not counted."""

    def __init__(self, options: GatewayOptions, counters: Counters) -> None:
        self._options = options
        self._counters = counters
        self._paces: Paces[UUID | None] = Paces(self._begin)

    def is_spent(self, holder: UUID | None, size: int) -> bool:
        """Whether a message of so many bytes is too much now: so much came by the token that it is not looked at."""
        return size > SMALL_PART and self._wait_s(holder) > 0

    def take(self, holder: UUID | None, size: int) -> None:
        """Count so many bytes that came by the token."""
        now_s = _now_s()
        self._paces.of(holder, now_s).take(now_s, size)

    def check(self, holder: UUID | None, size: int) -> None:
        """Raises TooMany where is_spent() says so."""
        if self.is_spent(holder, size):
            self._counters.put_off(LIMIT)
            wait_s = max(math.ceil(self._wait_s(holder)), self._options.retry_after())
            raise TooMany("Too many bytes came by this token.", wait_s)

    def _begin(self, now_s: float) -> Pace:
        options = self._options
        return Pace(options.token_bytes_per_s, options.token_burst_bytes, now_s, each=1)

    def _wait_s(self, holder: UUID | None) -> float:
        pace = self._paces.known(holder)
        return 0.0 if pace is None else pace.check(_now_s())


def _now_s() -> float:
    return asyncio.get_running_loop().time()
