"""Retention (decision 20): what is too old goes, in bounded batches, so that no statement holds others up."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from agents.models import (
    Agent,
    AgentCommand,
    AgentEvent,
    AgentStatus,
    ComponentSet,
    EffectiveConfig,
    Verdict,
)
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
    return _delete_unused(EffectiveConfig, in_use, now - UNREFERENCED_FOR, batches)


def prune_verdicts(now: datetime, *, batches: int = 100) -> int:
    """Delete verdicts on what no collector said lately; answers how many."""
    in_use = EffectiveConfig.objects.filter(essence=OuterRef("essence"))
    return _delete_unused(Verdict, in_use, now - UNREFERENCED_FOR, batches)


def prune_components(now: datetime, *, batches: int = 100) -> int:
    """Delete trees of builds that no agent has; answers how many.

    They are kept for as long as events: gateways remember which trees are stored.
    """
    in_use = Agent.objects.filter(components=OuterRef("pk"))
    return _delete_unused(ComponentSet, in_use, now - settings.KEEP_AGENT_EVENTS, batches)


def _delete_unused(
    model: type[EffectiveConfig] | type[ComponentSet] | type[Verdict],
    in_use: QuerySet[Any],
    before: datetime,
    batches: int,
) -> int:
    """Delete what nobody refers to and was stored before that time."""
    deleted = 0
    for _ in range(batches):
        with transaction.atomic():
            unused = model.objects.filter(~Exists(in_use), created_at__lt=before)
            locked = unused.select_for_update(skip_locked=True).order_by("pk")
            keys: list[Any] = list(locked.values_list("pk", flat=True)[:BATCH])
            model.objects.filter(~Exists(in_use), pk__in=keys).delete()
        deleted += len(keys)
        if len(keys) < BATCH:
            break
    return deleted
