"""Letting targets go: the version becomes what they should run. And taking back what was not offered yet."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from agents import store
from agents.snapshot import Capability, ConfigStatus
from agents.store import StatusRow
from fleets.models import (
    ArrivalMode,
    Membership,
    Quarantine,
    RenderedConfig,
    Rollout,
    Stage,
    Target,
)
from fleets.rendering import render_version
from fleets.rollouts.engine.claims import OPEN_TARGETS
from fleets.rollouts.engine.desires import desire, hand_down, ran_well, with_desired
from fleets.rollouts.plan import Place, Placement, TargetFacts, place_target


def release(rollout: Rollout, stage: Stage, *, now: datetime) -> bool:
    """Place the stage's waiting targets and make the version what they should run. Answers whether any changed.

    Only those are read for whom there is something to do, so that asking again is cheap.
    """
    rendered = render_version(rollout.version, now=now)
    uids = _to_place(stage, rendered)
    if not uids:
        return False
    rows = store.lock(uids)
    members = _members(rollout, rows)
    quarantined = Quarantine.objects.filter(hash=rendered.hash, agent_id__in=list(rows))
    failed_here = set(quarantined.values_list("agent_id", flat=True))
    placements = {
        uid: place_target(
            _facts(row, members.get(uid), rendered, is_quarantined=uid in failed_here)
        )
        for uid, row in rows.items()
    }
    _write_places(stage, placements, now)
    wanted = [uid for uid, placement in placements.items() if placement.is_wanted]
    good = [uid for uid in wanted if ran_well(members[uid], rows[uid])]
    desire(wanted, good, rendered)
    hand_down(wanted, rows, now=now)
    return True


def withdraw(rollout: Rollout, *, now: datetime) -> None:
    """What was not offered yet is not to be: those targets should run what they had, and wait."""
    targets = Target.objects.filter(rollout=rollout, state__in=OPEN_TARGETS)
    still_open = targets.exclude(agent=None).values_list("agent_id", flat=True)
    rows = store.lock(list(still_open))
    # Asked again: what was offered before the lock was granted stays.
    uids = list(still_open.filter(agent_id__in=list(rows)))
    held = Membership.objects.filter(
        agent_id__in=uids, desired__version_id=rollout.version_id, retry=None
    )
    back = list(held.values_list("agent_id", flat=True))
    own = targets.filter(agent_id=OuterRef("agent_id")).values("previous_id")[:1]
    held.update(desired=Subquery(own))
    targets.update(state=Place.WAITING.value, state_since=now)
    hand_down(back, rows, now=now)


def _to_place(stage: Stage, rendered: RenderedConfig) -> list[UUID]:
    """Targets that were not let go yet, went offline since, or whose agent turned out to have or to refuse it.

    Those in a retry wait for it.
    """
    waiting = Q(state=Place.WAITING.value)
    not_let_go = Q(agent__membership__desired=None) | ~Q(agent__membership__desired=rendered)
    went_away = waiting & Q(agent__status__connected=False)
    has_it = Q(
        agent__status__remote_config_hash=rendered.hash,
        agent__status__remote_config_status=ConfigStatus.APPLIED,
    )
    accepts = Capability.ACCEPTS_REMOTE_CONFIG.value
    refuses = Q(agent__capabilities__gt=0) & Q(bits=0)
    targets: QuerySet[Target] = Target.objects.filter(stage=stage, state__in=OPEN_TARGETS)
    found = (
        targets.exclude(agent=None)
        .alias(bits=F("agent__capabilities").bitand(accepts))
        .filter(agent__membership__retry=None)
        .filter(not_let_go | went_away | has_it | refuses)
    )
    return list(found.values_list("agent_id", flat=True))


def _members(rollout: Rollout, uids: "dict[UUID, StatusRow]") -> dict[UUID, Membership]:
    members = Membership.objects.filter(fleet_id=rollout.fleet_id, agent_id__in=list(uids))
    return {member.agent_id: member for member in with_desired(members)}


def _facts(
    row: StatusRow, member: Membership | None, rendered: RenderedConfig, *, is_quarantined: bool
) -> TargetFacts:
    capabilities = row.agent.capabilities
    return TargetFacts(
        is_managed=member is not None and member.mode == ArrivalMode.MANAGED,
        accepts_config=not capabilities or bool(capabilities & Capability.ACCEPTS_REMOTE_CONFIG),
        is_connected=row.connected,
        is_quarantined=is_quarantined,
        has_applied=row.remote_config_hash == rendered.hash
        and row.remote_config_status == ConfigStatus.APPLIED,
    )


def _write_places(stage: Stage, placements: dict[UUID, Placement], now: datetime) -> None:
    groups: dict[Placement, list[UUID]] = defaultdict(list)
    for uid, placement in placements.items():
        groups[placement].append(uid)
    for placement, uids in groups.items():
        targets = Target.objects.filter(stage=stage, agent_id__in=uids, state__in=OPEN_TARGETS)
        targets.exclude(state=placement.place.value).update(
            state=placement.place.value, state_since=now, reason=placement.reason
        )
