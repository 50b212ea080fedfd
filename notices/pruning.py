"""Retention of notices; what still waits is never older than a day."""

from datetime import datetime

from django.conf import settings

from notices.models import Notice
from telflo.base.pruning import delete_in_batches


def prune_notices(now: datetime) -> int:
    """Delete notices older than KEEP_NOTICES, and the log of their deliveries; answers how many."""
    old = Notice.objects.filter(at__lt=now - settings.KEEP_NOTICES).order_by("at")
    return delete_in_batches(old)
