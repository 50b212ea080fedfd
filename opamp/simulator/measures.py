"""PURE. What a run of the simulator measured: percentiles in bounded memory, counts, and whether it was the limit."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

_STEPS_PER_E: Final = 50.0
"""Two per cent from one bucket to the next."""
_SMALLEST_S: Final = 1e-6

BUSY_SHARE: Final = 0.9
"""Above this share of a core the simulator has no reserve."""
LATE_S: Final = 0.05
"""A loop that is so late (99 of 100 looks are better) delays what it should measure."""


class Histogram:
    """Durations in seconds: count, percentiles within two per cent, the exact greatest."""

    __slots__ = ("_buckets", "count", "greatest")

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.greatest = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._buckets[int(math.log(max(seconds, _SMALLEST_S) / _SMALLEST_S) * _STEPS_PER_E)] += 1
        self.count += 1
        self.greatest = max(self.greatest, seconds)

    def percentile(self, share: float) -> float:
        """The duration that `share` (0 to 1) of all do not exceed; 0 when nothing was counted."""
        wanted, seen = share * self.count, 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                upper = _SMALLEST_S * math.exp((bucket + 1) / _STEPS_PER_E)
                return min(upper, self.greatest)
        return 0.0

    def summary(self) -> dict[str, float]:
        """Count and milliseconds, for the result."""
        shares = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99}
        values = {name: round(self.percentile(share) * 1000, 3) for name, share in shares.items()}
        return {"count": self.count, **values, "max_ms": round(self.greatest * 1000, 3)}


@dataclass(slots=True)
class OfferCount:
    """One hash that was offered: when it arrived first and last (Unix time), and how long after the mark."""

    first: float
    last: float
    agents: int = 0
    since_mark: Histogram = field(default_factory=Histogram)
    applied: int = 0
    failed: int = 0
    last_applied: float = 0.0
    first_failed: float = 0.0

    def summary(self) -> dict[str, Any]:
        """For the result."""
        summary = {
            "agents": self.agents,
            "first": round(self.first, 4),
            "last": round(self.last, 4),
            "applied": self.applied,
            "last_applied": round(self.last_applied, 4),
            "failed": self.failed,
        }
        return summary | ({"latency": self.since_mark.summary()} if self.since_mark.count else {})


class Measures:
    """Everything that one run counts."""

    def __init__(self) -> None:
        self.connects = Histogram()
        self.heartbeats = Histogram()
        self.lags = Histogram()
        self.errors: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.offers: dict[str, OfferCount] = {}
        self.received = 0
        self.busiest = 0.0
        """The greatest share of a core in any second."""
        self.mark: float | None = None
        """Since when the latency of offers is counted (Unix time)."""

    def offered(self, config_hash: str, now: float) -> None:
        """A configuration arrived at an agent."""
        count = self.offers.setdefault(config_hash, OfferCount(first=now, last=now))
        count.agents += 1
        count.last = now
        if self.mark is not None:
            count.since_mark.add(now - self.mark)

    def answered(self, config_hash: str, *, is_applied: bool, now: float) -> None:
        """An agent said APPLIED or FAILED."""
        count = self.offers.get(config_hash)
        if count is None:
            return
        if is_applied:
            count.applied += 1
            count.last_applied = now
        else:
            count.failed += 1
            count.first_failed = count.first_failed or now

    def limit(self) -> str:
        """Why the numbers show the simulator rather than the server; "" when they do not."""
        if self.busiest > BUSY_SHARE:
            return f"it used {self.busiest:.0%} of a core in its busiest second"
        lag = self.lags.percentile(0.99)
        if lag > LATE_S:
            return (
                f"its loop ran {lag * 1000:.0f} ms late (p99) at {self.busiest:.0%} of a core:"
                " the machine had no time for it"
            )
        return ""
