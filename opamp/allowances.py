"""How many bytes come by one token, whatever connections and uids they come by: a bucket that outlives them (A5).

A connection's pace is new with each connection, and an agent's with each uid; who holds a token makes as many as they
like. A fleet may share one, so there is room for all its collectors to report at once, and what is short passes always.
"""

import asyncio
import math
from collections import OrderedDict
from uuid import UUID

from opamp.errors import TooMany
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.pace import SMALL_PART, Pace

_TOKENS = 20_000
"""Of so many it is known. Who is forgotten has sent nothing for long."""
LIMIT = "token_bytes"


class Allowances:
    """Those of one process. What a heartbeat takes is not counted."""

    def __init__(self, options: GatewayOptions, counters: Counters) -> None:
        self._options = options
        self._counters = counters
        self._paces: OrderedDict[UUID | None, Pace] = OrderedDict()

    def is_spent(self, holder: UUID | None, size: int) -> bool:
        """Whether a message of so many bytes is too much now: so much came by the token that it is not looked at."""
        return size > SMALL_PART and self._wait_s(holder) > 0

    def take(self, holder: UUID | None, size: int) -> None:
        """Count so many bytes that came by the token."""
        now_s = _now_s()
        pace = self._paces.get(holder)
        if pace is None:
            options = self._options
            pace = Pace(options.token_bytes_per_s, options.token_burst_bytes, now_s, each=1)
            self._paces[holder] = pace
            if len(self._paces) > _TOKENS:
                self._paces.popitem(last=False)
        self._paces.move_to_end(holder)
        pace.take(now_s, size)

    def check(self, holder: UUID | None, size: int) -> None:
        """Raises TooMany where is_spent() says so."""
        if self.is_spent(holder, size):
            self._counters.put_off(LIMIT)
            wait_s = max(math.ceil(self._wait_s(holder)), self._options.retry_after())
            raise TooMany("Too many bytes came by this token.", wait_s)

    def _wait_s(self, holder: UUID | None) -> float:
        pace = self._paces.get(holder)
        return 0.0 if pace is None else pace.check(_now_s())


def _now_s() -> float:
    return asyncio.get_running_loop().time()
