"""Retention of what fleets keep (decision 20)."""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef

from fleets.models import Attempt
from fleets.rollouts import engine
from telflo.base.pruning import delete_in_batches


def prune_attempts(now: datetime, *, batches: int = 100) -> int:
    """Delete attempts older than KEEP_ATTEMPTS, but never the last one per agent and hash; answers how many.

    The last one says why a hash is quarantined, or that it once worked.
    """
    later = Attempt.objects.filter(
        agent=OuterRef("agent"), hash=OuterRef("hash"), pk__gt=OuterRef("pk")
    )
    old = (
        Attempt.objects.filter(Exists(later), offered_at__lt=now - settings.KEEP_ATTEMPTS)
        .exclude(state__in=engine.IN_FLIGHT)
        .order_by("pk")
    )
    return delete_in_batches(old, batches=batches)
