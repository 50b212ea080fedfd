"""How many refused attempts of one sender are looked at: a bucket each, of which only refusals take (decision 13).

Three are kept. Secrets that are nobody's are counted by address. That of a token which is revoked or over is counted by
itself, and so keeps out nobody who shares its address. A collector that may not come in by a good secret is
counted by itself: it locks out nobody who shares its address, or its token. Of IPv6 the network of 64 bits is the
address: who has one of its addresses has all of them.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Final

from opamp.errors import TooMany

_SENDERS: Final = 10_000
OF_ADDRESS: Final = "Too many refused attempts from this address. Check the token."
OF_SECRET: Final = "This token was refused too often. Give the collector another one."
OF_AGENT: Final = "This collector was refused too often by this token."

_HOST_BITS: Final = 64


@lru_cache(maxsize=1024)
def sender_of(address: str) -> str:
    """Whom an address stands for: itself, its /64 of IPv6, or the IPv4 address in it; what is no address, itself."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(ip) >> _HOST_BITS << _HOST_BITS))


class RefusalThrottle:
    """Full buckets are not kept, so memory is bounded by those who were refused lately."""

    def __init__(
        self,
        per_minute: int,
        *,
        retry_after: Callable[[], int],
        text: str = OF_ADDRESS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = float(per_minute)
        self._retry_after = retry_after
        self._text = text
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        """sender -> (what is left, at which time); the longest untouched first."""
        self.turned_away = 0
        """How many attempts were not looked at since the start."""

    def check(self, sender: Hashable) -> None:
        """Raises TooMany when the sender has used up its refusals."""
        left = self._left(sender)
        if left >= 1:
            return
        self.turned_away += 1
        wait_s = math.ceil((1 - left) * 60 / self._most)
        raise TooMany(self._text, max(wait_s, self._retry_after()))

    def count(self, sender: Hashable) -> None:
        """An attempt of this sender was refused."""
        self._buckets[sender] = (max(self._left(sender) - 1, 0.0), self._clock())
        self._buckets.move_to_end(sender)
        while len(self._buckets) > _SENDERS:
            self._buckets.popitem(last=False)

    def _left(self, sender: Hashable) -> float:
        left, at_s = self._buckets.get(sender, (self._most, 0.0))
        return min(self._most, left + (self._clock() - at_s) * self._most / 60)
