"""How many of each zone are moving, or broken by the version: what the limits of rollouts look at."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from agents.snapshot import Capability, ConfigStatus
from configs.collector.drift import Runs
from fleets.models import (
    ArrivalMode,
    Rollout,
    RolloutState,
    StageState,
    Target,
    TargetState,
)
from fleets.rollouts.engine.soaks import health_of
from fleets.rollouts.engine.states import CAN_BE_HELD, IN_MOTION
from fleets.rollouts.plan import ACTIVE
from fleets.rollouts.zones import FailedFacts, broken_zones

Zones = Mapping[UUID, "Counter[str]"]
"""By rollout: how many of each zone."""


def moving_zones(rollouts: Collection[Rollout], which: Q = IN_MOTION) -> Zones:
    """Who is between being let go and being judged, or `which`, also those without a zone: one query."""
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    moving = Target.objects.filter(which, rollout__in=rollouts)
    of_zones = moving.order_by().values_list("rollout_id", "zone").annotate(n=Count("*"))
    for rollout_id, zone, n in of_zones:
        found[rollout_id][zone] = n
    return found


def zones_out(rollouts: Collection[Rollout], now: datetime) -> Zones:
    """Who has a zone, failed, is not back and was not left out; of rollouts with a zone limit: one query, or none."""
    limited = [one.pk for one in rollouts if one.zone_limit]
    if not limited:
        return defaultdict(Counter)
    failed: dict[UUID, list[FailedFacts]] = defaultdict(list)
    for rollout_id, *known in _failed(limited).values_list("rollout_id", *_NAMES):
        failed[rollout_id].append(_facts(*known))
    return defaultdict(Counter, {pk: broken_zones(some, now) for pk, some in failed.items()})


@dataclass(frozen=True, slots=True)
class ZoneHold:
    """A zone in which nobody goes on. broken: who holds it, by name · waiting: who would go."""

    zone: str
    broken: Mapping[UUID, str]
    waiting: frozenset[UUID]


def zone_holds(rollout: Rollout, now: datetime) -> list[ZoneHold]:
    """Who waits for whom, by zone; of a rollout with a zone limit three queries at most, else none.

    Only where those that are broken fill the limit: what moves will be judged by itself.
    """
    if not rollout.zone_limit:
        return []
    broken: dict[str, dict[UUID, str]] = defaultdict(dict)
    names = ("agent_id", "agent__display_name", *_NAMES)
    failed = _failed([rollout.pk]).order_by("agent__display_name", "pk")
    for uid, name, *known in failed.values_list(*names):
        facts = _facts(*known)
        if not facts.is_back(now):
            broken[facts.zone][uid] = name
    full = [zone for zone, those in broken.items() if len(those) >= rollout.zone_limit]
    waiting = _waiting(rollout, full) if full else {}
    return [ZoneHold(zone, broken[zone], frozenset(waiting[zone])) for zone in sorted(waiting)]


def holders_of(uid: UUID, now: datetime) -> Mapping[UUID, str]:
    """Who, by name, holds an agent that came back and would get a version; nobody for one that is not held."""
    back = Target.objects.filter(
        agent=uid,
        state=TargetState.PENDING_OFFLINE,
        rollout__zone_limit__gt=0,
        rollout__state__in=[*ACTIVE, RolloutState.SUCCEEDED],
    )
    target = back.select_related("rollout").order_by("-rollout__number").first()
    holds = zone_holds(target.rollout, now) if target else []
    return next((hold.broken for hold in holds if uid in hold.waiting), {})


def _waiting(rollout: Rollout, zones: Collection[str]) -> Mapping[str, list[UUID]]:
    """Who of these zones would go: of stages that have begun, those tried again, and those that came back."""
    has_begun = Q(state=TargetState.WAITING) & ~Q(stage__state=StageState.WAITING) & CAN_BE_HELD
    is_back = Q(state=TargetState.PENDING_OFFLINE, agent__status__connected=True)
    targets = Target.objects.filter(has_begun | is_back, rollout=rollout, zone__in=zones)
    found: dict[str, list[UUID]] = defaultdict(list)
    for zone, uid in targets.exclude(agent=None).values_list("zone", "agent_id"):
        found[zone].append(uid)
    return found


def _failed(rollout_ids: Collection[UUID]) -> QuerySet[Target]:
    """Those that hold their zone unless they are well. Who was moved, forgotten, or is only observed now does not."""
    failed = Target.objects.filter(
        rollout__in=rollout_ids,
        state=TargetState.FAILED,
        agent__membership__fleet=F("rollout__fleet"),
        agent__membership__mode=ArrivalMode.MANAGED,
    )
    return failed.exclude(zone="")


_NAMES: Final = (
    "zone",
    "state_since",
    "rollout__soak_s",
    "agent__capabilities",
    *(
        f"agent__status__{name}"
        for name in (
            *("connected", "health", "health_since", "remote_config_status"),
            *("remote_config_hash", "desired_hash", "runs", "compare_due"),
        )
    ),
)


def _facts(
    zone: str,
    failed_at: datetime,
    soak_s: int,
    capabilities: int,
    is_connected: bool,
    health: str,
    since: datetime | None,
    status: int,
    acknowledged: str,
    desired: str,
    runs: str,
    is_to_compare: bool,
) -> FailedFacts:
    has_applied = status == ConfigStatus.APPLIED
    is_whole = runs != Runs.LACKING and not is_to_compare
    return FailedFacts(
        zone=zone,
        is_connected=is_connected,
        health=health_of(health),
        reports_health=bool(capabilities & Capability.REPORTS_HEALTH),
        runs_another=has_applied and acknowledged != desired,
        lacks_it=has_applied and acknowledged == desired and not is_whole,
        failed_at=failed_at,
        healthy_since=since,
        calm=timedelta(seconds=soak_s),
    )
