"""How many of each zone are moving, or broken by the version: what the limits of rollouts look at."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from agents.snapshot import Capability, ConfigStatus
from configs.collector.drift import Runs
from fleets.models import Rollout, Target, TargetState
from fleets.rollouts.engine.soaks import health_of
from fleets.rollouts.engine.states import IN_MOTION
from fleets.rollouts.zones import FailedFacts, broken_zones

Zones = Mapping[UUID, "Counter[str]"]
"""By rollout: how many of each zone."""


def moving_zones(rollouts: Collection[Rollout]) -> Zones:
    """Who is between being let go and being judged, also those without a zone: one query."""
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    moving = Target.objects.filter(IN_MOTION, rollout__in=rollouts)
    for rollout_id, zone in moving.values_list("rollout_id", "zone"):
        found[rollout_id][zone] += 1
    return found


def zones_out(rollouts: Collection[Rollout], now: datetime) -> Zones:
    """Who has a zone, failed, is not back and was not left out; of rollouts with a zone limit: one query, or none."""
    limited = [one.pk for one in rollouts if one.zone_limit]
    if not limited:
        return defaultdict(Counter)
    failed: dict[UUID, list[FailedFacts]] = defaultdict(list)
    targets = Target.objects.filter(rollout__in=limited, state=TargetState.FAILED)
    for rollout_id, *known in targets.exclude(zone="").values_list("rollout_id", *_NAMES):
        failed[rollout_id].append(_facts(*known))
    return defaultdict(Counter, {pk: broken_zones(some, now) for pk, some in failed.items()})


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
