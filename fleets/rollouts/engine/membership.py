"""Agents come into a fleet, leave it, or are left out of a rollout: targets are an open set (decision 5)."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from agents import store
from fleets.models import (
    ArrivalMode,
    Fleet,
    Membership,
    Rollout,
    RolloutState,
    Target,
    TargetState,
)
from fleets.rendering import render_version
from fleets.rollouts.engine.desires import desire, hand_down, last_good_id, ran_well
from fleets.rollouts.plan import ACTIVE
from telflo.base.hints import touch_on_commit


def join(member_uid: UUID, *, now: datetime) -> UUID | None:
    """Make a managed member run its fleet's stable version, and a waiting target of a rollout that is under way.

    Answers that rollout: the caller advances it. An observed member should run nothing of ours.
    """
    with transaction.atomic():
        member = _member(member_uid)
        # A rollout that starts now sees this member, or this member sees the rollout.
        Fleet.objects.select_for_update(no_key=True).get(pk=member.fleet_id)
        # The rollout's lock first: it must not finish between being looked at and getting one more target.
        rollout = _active_rollout(member.fleet_id)
        row = store.lock([member_uid])[member_uid]
        fleet = Fleet.objects.select_related("stable_version").get(pk=member.fleet_id)
        is_managed = member.mode == ArrivalMode.MANAGED
        stable = fleet.stable_version if is_managed else None
        good = [member_uid] if ran_well(member, row) else []
        previous_id = last_good_id(member, row)
        desire([member_uid], good, render_version(stable, now=now) if stable else None)
        hand_down([member_uid], now=now)
        touch_on_commit({"fleets", f"fleet:{fleet.pk}"})
        if rollout is None or not is_managed:
            return None
        Target.objects.update_or_create(
            rollout=rollout,
            agent_id=member_uid,
            defaults={
                "stage": rollout.stages.latest("index"),
                "agent_label": str(row.agent),
                "previous_id": previous_id,
                "state": TargetState.WAITING,
                "state_since": now,
                "reason": "",
            },
        )
        return rollout.pk


def exclude(uids: Collection[UUID], *, reason: str, now: datetime) -> frozenset[UUID]:
    """Targets of these agents that are not over yet become `excluded`. Answers the rollouts to advance."""
    with transaction.atomic():
        mine = Rollout.objects.filter(targets__agent_id__in=uids, state__in=ACTIVE)
        _lock_in_order(mine, uids)
        targets = Target.objects.filter(
            agent_id__in=uids, rollout__state__in=[*ACTIVE, RolloutState.SUCCEEDED]
        ).exclude(state__in=[TargetState.SUCCEEDED, TargetState.EXCLUDED])
        rollouts = frozenset(
            targets.filter(rollout__state__in=ACTIVE).values_list("rollout_id", flat=True)
        )
        ids = list(targets.values_list("pk", flat=True))
        Target.objects.filter(pk__in=ids).update(
            state=TargetState.EXCLUDED, state_since=now, reason=reason
        )
        return rollouts


def keep_name(uid: UUID, label: str) -> None:
    """Write an agent's name into its targets, which outlive it."""
    Target.objects.filter(agent_id=uid).update(agent_label=label)


def _member(uid: UUID) -> Membership:
    members = Membership.objects.select_related("desired").defer("desired__body")
    return members.get(agent_id=uid)


def _lock_in_order(rollouts: QuerySet[Rollout], uids: Collection[UUID]) -> None:
    """Rollouts, then status rows, then the rest: the order that all writers keep."""
    ids = list(rollouts.values_list("pk", flat=True))
    list(Rollout.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    store.lock(uids)


def _active_rollout(fleet_id: UUID) -> Rollout | None:
    rollouts = Rollout.objects.select_for_update(no_key=True)
    return rollouts.filter(fleet_id=fleet_id, state__in=ACTIVE).first()
