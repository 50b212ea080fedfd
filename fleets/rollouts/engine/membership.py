"""Agents come into a fleet, leave it, or are left out of a rollout: targets are an open set (decision 5)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from agents import store
from agents.models import Agent
from agents.store import StatusRow
from fleets.models import (
    ArrivalMode,
    Fleet,
    Membership,
    RenderedConfig,
    Rollout,
    Target,
    TargetState,
)
from fleets.rendering import render_version
from fleets.rollouts.engine.desires import (
    desire,
    hand_down,
    last_good_id,
    ran_well,
    with_desired,
)
from fleets.rollouts.engine.locks import hold, hold_fleets
from fleets.rollouts.engine.states import UNDER_WAY
from fleets.rollouts.plan import ACTIVE
from fleets.rollouts.traits import chosen_traits, zone_in
from telflo.base.hints import touch_on_commit


def join(uids: Collection[UUID], *, now: datetime) -> UUID | None:
    """Make managed members run their fleet's stable version, and waiting targets of a rollout that is under way.

    All of them are in one fleet. Answers that rollout: the caller advances it. Observed members should run nothing
    of ours. The number of statements does not depend on the number of members.
    """
    with transaction.atomic(savepoint=False):
        fleet_id = Membership.objects.filter(agent_id__in=uids).values_list("fleet_id", flat=True)[
            0
        ]
        # The rollout's lock first: it must not finish between being looked at and getting more targets.
        hold_fleets({fleet_id})
        rollout = Rollout.objects.filter(fleet_id=fleet_id, state__in=ACTIVE).first()
        rows = store.lock(uids)
        members = _members(uids)
        fleet = Fleet.objects.select_related("stable_version").get(pk=fleet_id)
        managed = {uid: one for uid, one in members.items() if one.mode == ArrivalMode.MANAGED}
        stable = stable_configs([fleet], now=now)[fleet.pk] if managed else None
        previous = {
            uid: stable.pk if stable else last_good_id(member, rows[uid])
            for uid, member in managed.items()
        }
        _desire_stable(members, managed, rows, stable)
        hand_down(members.keys(), rows, now=now)
        touch_on_commit({"fleets", f"fleet:{fleet.pk}"})
        if rollout is None or not managed:
            return None
        _wait(rollout, {uid: rows[uid] for uid in managed}, previous, now)
        return rollout.pk


def stable_configs(
    fleets: Collection[Fleet], *, now: datetime
) -> dict[UUID, RenderedConfig | None]:
    """What members of these fleets are given as they come in, by fleet. The fleets are locked."""
    return {
        fleet.pk: render_version(fleet.stable_version, now=now) if fleet.stable_version else None
        for fleet in fleets
    }


def _desire_stable(
    members: Mapping[UUID, Membership],
    managed: Collection[UUID],
    rows: Mapping[UUID, StatusRow],
    rendered: RenderedConfig | None,
) -> None:
    """The stable version for those that are managed, nothing for the others."""
    good = {uid for uid, member in members.items() if ran_well(member, rows[uid])}
    changing = {
        uid for uid in managed if not _should_run(members[uid], rendered.pk if rendered else None)
    }
    others = {uid for uid in members.keys() - set(managed) if not _should_run(members[uid], None)}
    desire(changing, good & changing, rendered)
    desire(others, good & others, None)


def _should_run(member: Membership, rendered_id: UUID | None) -> bool:
    return member.desired_id == rendered_id and member.retry_id is None


def _wait(
    rollout: Rollout,
    rows: Mapping[UUID, StatusRow],
    previous: Mapping[UUID, UUID | None],
    now: datetime,
) -> None:
    """Waiting targets of the last stage, also for those that were targets before: for them it begins anew."""
    stage = rollout.stages.latest("index")
    traits = chosen_traits(rows, [rollout.zone_key] if rollout.zone_key else [])
    targets = [
        Target(
            rollout=rollout,
            stage=stage,
            agent_id=uid,
            agent_label=str(row.agent),
            previous_id=previous[uid],
            zone=zone_in(traits.get(uid, {}), rollout.zone_key),
            state=TargetState.WAITING,
            state_since=now,
        )
        for uid, row in rows.items()
    ]
    Target.objects.bulk_create(
        targets,
        batch_size=1_000,
        update_conflicts=True,
        unique_fields=["rollout", "agent"],
        update_fields=_BEGUN_ANEW,
    )


_BEGUN_ANEW: Final = (
    *("stage", "agent_label", "previous", "zone", "state", "state_since", "reason"),
    *("failure", "failed_at", "retried_at", "soak_until", "has_soaked_anew", "is_unverified"),
)


def exclude(uids: Collection[UUID], *, reason: str, now: datetime) -> frozenset[UUID]:
    """Targets of these agents become `excluded`, unless they are over: a rollout that is taken back must not reach who
    moved on. Answers the rollouts to advance.
    """
    is_open = Q(state__in=UNDER_WAY) | Q(state__in=_JUDGED, rollout__state__in=ACTIVE)
    with transaction.atomic():
        hold(uids)
        targets = Target.objects.filter(is_open, agent_id__in=uids)
        rollouts = frozenset(
            targets.filter(rollout__state__in=ACTIVE).values_list("rollout_id", flat=True)
        )
        ids = list(targets.values_list("pk", flat=True))
        Target.objects.filter(pk__in=ids).update(
            state=TargetState.EXCLUDED, state_since=now, reason=reason
        )
        return rollouts


_JUDGED: Final = (TargetState.SUCCEEDED, TargetState.FAILED)
"""Over once their rollout is."""


def keep_names(uids: Collection[UUID]) -> None:
    """Write agents' names into their targets, which outlive them."""
    name = Agent.objects.filter(pk=OuterRef("agent_id")).values("display_name")
    Target.objects.filter(agent_id__in=uids).update(agent_label=Subquery(name))


def _members(uids: Collection[UUID]) -> dict[UUID, Membership]:
    members = with_desired(Membership.objects.filter(agent_id__in=uids))
    return {member.agent_id: member for member in members}
