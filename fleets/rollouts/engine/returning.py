"""Who returns during or after a rollout is held to its limits: those that were offline may come all at once."""

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from fleets.models import Rollout, RolloutState, Target, TargetState
from fleets.rollouts.engine.viewing import window_of
from fleets.rollouts.engine.zones import moving_zones, zones_out
from fleets.rollouts.placing import next_to_go
from fleets.rollouts.plan import ACTIVE

_HAS_LIMITS = Q(max_in_flight__gt=0) | Q(zone_limit__gt=0) | ~Q(window_days="")
Pair = tuple[UUID, UUID]
"""An agent and a version."""


def hold_limited(uids: Collection[UUID]) -> list[Rollout]:
    """Rollouts with limits that left some of these agents for their return, locked: one statement."""
    away = Target.objects.filter(agent_id__in=list(uids), state=TargetState.PENDING_OFFLINE)
    rollouts = Rollout.objects.select_for_update(no_key=True).filter(
        _HAS_LIMITS, pk__in=away.values("rollout_id"), state__in=[*ACTIVE, RolloutState.SUCCEEDED]
    )
    return list(rollouts.order_by("pk"))


def over_limits(rollouts: Collection[Rollout], uids: Collection[UUID], now: datetime) -> set[Pair]:
    """Those of these agents that are not offered the version of such a rollout yet: three statements."""
    returned: dict[UUID, dict[UUID, str]] = defaultdict(dict)
    away = Target.objects.filter(
        agent_id__in=list(uids), rollout__in=rollouts, state=TargetState.PENDING_OFFLINE
    )
    for rollout_id, uid, zone in away.order_by("pk").values_list("rollout_id", "agent_id", "zone"):
        returned[rollout_id][uid] = zone
    moving, out = moving_zones(rollouts), zones_out(rollouts, now)
    return {
        (uid, one.version_id)
        for one in rollouts
        for uid in _held_back(one, returned[one.pk], moving[one.pk], out[one.pk], now)
    }


def _held_back(
    rollout: Rollout,
    zones: dict[UUID, str],
    moving: "Counter[str]",
    out: "Counter[str]",
    now: datetime,
) -> set[UUID]:
    window = window_of(rollout)
    if window is not None and not window.is_open(now):
        return set(zones)
    most = rollout.max_in_flight
    room = max(0, most - moving.total()) if most else None
    return set(zones).difference(
        next_to_go(zones.items(), moving + out, room=room, per_zone=rollout.zone_limit)
    )
