"""Ghosts: collectors that are never seen again are forgotten after a while."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from agents.models import Agent
from fleets.rollouts import engine
from fleets.services import forget_agent
from telflo.base.activity import Actor

SOON: Final = timedelta(days=7)
"""When those are forgotten of which many come and none returns."""
BRIDGE: Final = "io.opentelemetry.operator-opamp-bridge"
"""service.name of the operator's OpAMP bridge: a new instance uid at every start of its pod."""
MOST: Final = 1_000
_WORKER: Final = Actor.worker("Retention")


def forget_ghosts(now: datetime, *, most: int = MOST) -> int:
    """Forget collectors that were not heard for FORGET_AFTER (0: never); answers how many. At most `most`, one by one.

    Those that never described themselves, and Kubernetes bridges, go after a week: each start leaves one behind.
    """
    after: timedelta = settings.FORGET_AFTER
    if not after:
        return 0
    ghosts = _ghosts(now, after).select_related("status").defer("status__health_report")
    return sum(_forget(agent, now, after) for agent in list(ghosts[:most]))


def _ghosts(now: datetime, after: timedelta) -> QuerySet[Agent]:
    heard = Coalesce("status__last_seen_at", "first_seen_at")
    is_gone = Q(heard_at__lt=now - after)
    is_passing = Q(identifying={}, non_identifying={}) | Q(collector_name=BRIDGE)
    has_passed = is_passing & Q(heard_at__lt=now - min(after, SOON))
    agents = Agent.objects.alias(heard_at=heard).filter(status__connected=False)
    return agents.filter(is_gone | has_passed).order_by("pk")


def _forget(agent: Agent, now: datetime, after: timedelta) -> bool:
    """Forget one unless it came back meanwhile."""
    with transaction.atomic():
        engine.hold([agent.pk])
        if not _ghosts(now, after).filter(pk=agent.pk).exists():
            return False
        heard_at = agent.status.last_seen_at or agent.first_seen_at
        reason = f"Not heard since {heard_at:%F}."
        forget_agent(agent=agent, actor=_WORKER, reason=reason)
    return True
