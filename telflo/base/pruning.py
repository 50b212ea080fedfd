"""Retention of what telflo.base keeps (decision 20), and the way to delete a lot without holding others up."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from telflo.base.models import AccountLink, Activity, IdempotencyRecord

BATCH: Final = 1_000
KEEP_IDEMPOTENCY: Final = timedelta(days=1)
KEEP_ACCOUNT_LINKS: Final = timedelta(days=30)


def delete_in_batches(rows: QuerySet[Any], *, batches: int = 100) -> int:
    """Delete rows in the queryset's order, BATCH a statement and at most `batches` statements; answers how many."""
    deleted = 0
    for _ in range(batches):
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        if keys:
            rows.filter(pk__in=keys).order_by().delete()
        deleted += len(keys)
        if len(keys) < BATCH:
            break
    return deleted


def prune_activity(now: datetime, *, batches: int = 100) -> int:
    """Delete activity older than KEEP_ACTIVITY; answers how many."""
    old = Activity.objects.filter(at__lt=now - settings.KEEP_ACTIVITY).order_by("at")
    return delete_in_batches(old, batches=batches)


def prune_leftovers(now: datetime, *, batches: int = 100) -> int:
    """Delete what only served for a while: answers to repeated writes, links to join, sessions; answers how many."""
    old = (
        IdempotencyRecord.objects.filter(created_at__lt=now - KEEP_IDEMPOTENCY),
        AccountLink.objects.filter(expires_at__lt=now - KEEP_ACCOUNT_LINKS),
        Session.objects.filter(expire_date__lt=now),
    )
    return sum(delete_in_batches(rows.order_by("pk"), batches=batches) for rows in old)
