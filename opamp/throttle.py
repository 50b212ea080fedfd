"""How many refused attempts of one address are looked at: a bucket each, of which only refusals take (decision 13)."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from opamp.errors import TooMany

_ADDRESSES: Final = 10_000
_TEXT: Final = "Too many refused attempts from this address. Check the token."


class RefusalThrottle:
    """Full buckets are not kept, so memory is bounded by the addresses that were refused lately."""

    def __init__(
        self,
        per_minute: int,
        *,
        retry_after_s: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = float(per_minute)
        self._retry_after_s = retry_after_s
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """address -> (what is left, at which time); the longest untouched first."""
        self.turned_away = 0
        """How many attempts were not looked at since the start."""

    def check(self, address: str) -> None:
        """Raises TooMany when the address has used up its refusals."""
        left = self._left(address)
        if left >= 1:
            return
        self.turned_away += 1
        wait_s = math.ceil((1 - left) * 60 / self._most)
        raise TooMany(_TEXT, max(wait_s, self._retry_after_s))

    def count(self, address: str) -> None:
        """An attempt of this address was refused."""
        self._buckets[address] = (max(self._left(address) - 1, 0.0), self._clock())
        self._buckets.move_to_end(address)
        while len(self._buckets) > _ADDRESSES:
            self._buckets.popitem(last=False)

    def _left(self, address: str) -> float:
        left, at_s = self._buckets.get(address, (self._most, 0.0))
        return min(self._most, left + (self._clock() - at_s) * self._most / 60)
