"""Retention (decision 20): what is too old goes, in bounded batches, so that no statement holds others up."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from agents.models import AgentCommand, AgentEvent, AgentStatus, EffectiveConfig
from telflo.base.pruning import BATCH, delete_in_batches

UNREFERENCED_FOR = timedelta(hours=1)
"""A body younger than this may be on its way to its first status row."""


def prune_events(now: datetime, *, batches: int = 100) -> int:
    """Delete events older than KEEP_AGENT_EVENTS; answers how many."""
    old = AgentEvent.objects.filter(at__lt=now - settings.KEEP_AGENT_EVENTS).order_by("at")
    return delete_in_batches(old, batches=batches)


def prune_commands(now: datetime, *, batches: int = 100) -> int:
    """Delete commands older than KEEP_AGENT_EVENTS; answers how many."""
    old = AgentCommand.objects.filter(requested_at__lt=now - settings.KEEP_AGENT_EVENTS)
    return delete_in_batches(old.order_by("id"), batches=batches)


def prune_effective_configs(now: datetime, *, batches: int = 100) -> int:
    """Delete bodies that no status refers to; answers how many."""
    in_use = AgentStatus.objects.filter(effective_config=OuterRef("pk"))
    deleted = 0
    for _ in range(batches):
        with transaction.atomic():
            unused = (
                EffectiveConfig.objects.select_for_update(skip_locked=True)
                .filter(~Exists(in_use), created_at__lt=now - UNREFERENCED_FOR)
                .order_by("sha256")
            )
            hashes = list(unused.values_list("sha256", flat=True)[:BATCH])
            EffectiveConfig.objects.filter(~Exists(in_use), sha256__in=hashes).delete()
        deleted += len(hashes)
        if len(hashes) < BATCH:
            break
    return deleted
