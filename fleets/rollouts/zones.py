"""What a zone limit counts: who is between the offer and the judgement, and who is broken by the version. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fleets.rollouts.judging import Health

SHORTEST_CALM: Final = timedelta(seconds=30)
"""So long at least one on which the version failed has to be well: its health comes later than its answer."""


@dataclass(frozen=True, slots=True)
class FailedFacts:
    """A target on which the version failed, as stored.

    runs_another: it acknowledged another configuration as applied · lacks_it: it acknowledged the version, and what it
    says that it runs lacks its pipelines, or is not compared yet · healthy_since: when it last became so · calm: how
    long it has to be well.
    """

    zone: str
    is_connected: bool
    health: Health
    reports_health: bool
    runs_another: bool
    lacks_it: bool
    failed_at: datetime
    healthy_since: datetime | None
    calm: timedelta

    def is_back(self, now: datetime) -> bool:
        """Whether it does its work again, with the version or with what it had: connected, and well for a while."""
        if not self.is_connected or self.lacks_it:
            return False
        is_well = self.health is Health.HEALTHY if self.reports_health else self.runs_another
        since = max(self.failed_at, self.healthy_since or self.failed_at)
        return is_well and now >= since + max(self.calm, SHORTEST_CALM)


def broken_zones(failed: Iterable[FailedFacts], now: datetime) -> Counter[str]:
    """How many of each zone the version broke, who are not back: the others of their zone wait for them."""
    return Counter(one.zone for one in failed if not one.is_back(now))
