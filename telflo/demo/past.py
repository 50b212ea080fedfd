"""A clock that starts weeks ago and is moved towards the present: the only place where the demo bends time.

While it holds, everything in this process (server, services, tasks) lives at that moment, so that history is made by
the same code as the present. Seconds pass as they do; move_to() leaps.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from agents import store
from agents.models import AgentStatus, Status

_REAL: Final = timezone.now


class PastClock:
    """Tells a time that lies behind the real one."""

    def __init__(self, **behind: float) -> None:
        self._behind = timedelta(**behind)

    def __call__(self) -> datetime:
        """The time there."""
        return datetime.now(UTC) - self._behind

    def move_to(self, **behind: float) -> None:
        """Leap forward to so long before the present; never back."""
        self._behind = min(self._behind, timedelta(**behind))

    def leap_to(self, moment: datetime) -> None:
        """Leap forward to this moment; not into the future, never back."""
        behind = max(timedelta(), datetime.now(UTC) - moment)
        self._behind = min(self._behind, behind)


@contextmanager
def past(**behind: float) -> Iterator[PastClock]:
    """Live in the past; afterwards the present is back."""
    clock = PastClock(**behind)
    timezone.now = clock
    try:
        yield clock
    finally:
        timezone.now = _REAL


def date_the_stale(now: datetime) -> None:
    """Find the stale, who are so since the moment at which somebody would have looked, had time not leapt."""
    store.sweep(now)
    stale = AgentStatus.objects.filter(status=Status.STALE)
    stale.update(status_since=F("disconnected_at") + settings.STALE_AFTER)
