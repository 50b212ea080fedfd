"""Rollouts begin, go on step by step as the plan decides, and end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Max

from agents import store
from agents.store import StatusRow
from configs.models import ConfigVersion
from fleets.models import (
    ArrivalMode,
    Fleet,
    Membership,
    Rollout,
    RolloutState,
    Stage,
    Target,
    TargetState,
)
from fleets.rollouts import plan
from fleets.rollouts.engine.claims import OPEN_TARGETS
from fleets.rollouts.engine.desires import last_good_id, with_desired
from fleets.rollouts.engine.releasing import release, withdraw
from telflo.base.hints import touch_on_commit
from telflo.base.models import User

MOST_STEPS: Final = 20
"""A bound on the steps of one advance; a rollout of n stages takes 2n + 2 at most."""
_NUMBER_TRIES: Final = 5


def start(
    *,
    fleet_id: UUID,
    version: ConfigVersion,
    failure_budget_percent: int,
    reason: str,
    created_by: User | None,
    now: datetime,
) -> Rollout:
    """Begin to move a fleet's managed members to a version, in one stage; what ran before is superseded.

    The caller advances it once the transaction holds. Without members it has succeeded already.
    """
    with transaction.atomic():
        fleet = Fleet.objects.select_for_update(no_key=True).get(pk=fleet_id)
        rollout = Rollout(
            fleet=fleet,
            version=version,
            from_version=fleet.version,
            apply_timeout_s=int(settings.APPLY_TIMEOUT.total_seconds()),
            reason=reason[:500],
            created_by=created_by,
            created_at=now,
            state_since=now,
        )
        active = Rollout.objects.select_for_update(no_key=True).filter(
            fleet=fleet, state__in=plan.ACTIVE
        )
        superseded = [one.pk for one in active]
        members = _managed_members(fleet)
        rows = store.lock(members)
        _supersede(fleet, superseded, f"{version} was assigned meanwhile.", now)
        _number(rollout)
        stage = Stage.objects.create(
            rollout=rollout,
            index=0,
            name="All at once",
            failure_budget_percent=failure_budget_percent,
        )
        _add_targets(stage, members, rows, now)
        fleet.version, fleet.updated_at = version, now
        fleet.save(update_fields=["version", "updated_at"])
        if not rollout.targets.exists():
            _advance(rollout, now)
        touch_on_commit(
            {"fleets", "rollouts", "overview", f"fleet:{fleet.pk}", f"rollout:{rollout.pk}"}
        )
    return rollout


def advance(rollout_id: UUID, *, now: datetime) -> None:
    """Take as many steps as the stored state allows. Does nothing for a rollout that is over or gone."""
    with transaction.atomic():
        # The fleet first: a rollout that succeeds writes it.
        fleets = Fleet.objects.select_for_update(of=("self",), no_key=True)
        list(fleets.filter(rollouts=rollout_id).values_list("pk"))
        rollouts = Rollout.objects.select_for_update(of=("self",), no_key=True)
        rollout = rollouts.select_related("fleet").filter(pk=rollout_id).first()
        if rollout is not None:
            _advance(rollout, now)


def _advance(rollout: Rollout, now: datetime) -> None:
    for _ in range(MOST_STEPS):
        if rollout.state not in plan.ACTIVE or not _step(rollout, now):
            return


def _step(rollout: Rollout, now: datetime) -> bool:
    """Ask the plan once and do what it says; answers whether anything changed."""
    stages = list(rollout.stages.order_by("index"))
    decision = plan.decide(_view(rollout, stages))
    changed = _enter(rollout, decision, now) | _enter_stages(stages, decision.stages, now)
    if decision.withdraw:
        withdraw(rollout, now=now)
    if decision.release is not None:
        changed |= release(rollout, stages[decision.release], now=now)
    if changed:
        touch_on_commit({"rollouts", f"rollout:{rollout.pk}", f"fleet:{rollout.fleet_id}"})
    return changed


def _view(rollout: Rollout, stages: list[Stage]) -> plan.RolloutView:
    counted: dict[UUID, dict[str, int]] = {stage.pk: {} for stage in stages}
    counts = rollout.targets.exclude(state=TargetState.EXCLUDED).values_list("stage_id", "state")
    for stage_id, state, number in counts.annotate(n=Count("*")).order_by():
        counted[stage_id][state] = number
    return plan.RolloutView(
        state=plan.State(rollout.state),
        stages=tuple(
            plan.StageView(
                index=stage.index,
                state=plan.StageWord(stage.state),
                failure_budget_percent=stage.failure_budget_percent,
                counts=plan.Counts(**counted[stage.pk]),
            )
            for stage in stages
        ),
    )


def _enter(rollout: Rollout, decision: plan.Decision, now: datetime) -> bool:
    if decision.state.value == rollout.state:
        if decision.reason and decision.reason != rollout.state_reason:
            rollout.state_reason = decision.reason
            rollout.save(update_fields=["state_reason"])
        return False
    assert decision.state in plan.TRANSITIONS[plan.State(rollout.state)]
    rollout.state, rollout.state_since = decision.state.value, now
    rollout.state_reason = decision.reason
    fields = ["state", "state_since", "state_reason"]
    if decision.state is plan.State.SUCCEEDED:
        rollout.finished_at = now
        fields.append("finished_at")
        fleet = Fleet.objects.filter(pk=rollout.fleet_id)
        fleet.update(stable_version=rollout.version_id, updated_at=now)
        touch_on_commit({"fleets", "overview"})
    rollout.save(update_fields=fields)
    return True


def _enter_stages(stages: list[Stage], words: Mapping[int, plan.StageWord], now: datetime) -> bool:
    for index, word in words.items():
        stage = stages[index]
        stage.state = word.value
        field = "started_at" if word is plan.StageWord.RUNNING else "finished_at"
        setattr(stage, field, now)
        stage.save(update_fields=["state", field])
    return bool(words)


def _supersede(fleet: Fleet, rollout_ids: list[UUID], why: str, now: datetime) -> None:
    Rollout.objects.filter(pk__in=rollout_ids).update(
        state=RolloutState.SUPERSEDED, state_since=now, state_reason=why, finished_at=now
    )
    Target.objects.filter(rollout__fleet=fleet, state__in=OPEN_TARGETS).update(
        state=TargetState.EXCLUDED, state_since=now, reason=why
    )
    Membership.objects.filter(fleet=fleet).exclude(retry=None).update(retry=None)


def _number(rollout: Rollout) -> None:
    """Save under the next number; two fleets may ask for it at the same moment."""
    for tries_left in reversed(range(_NUMBER_TRIES)):
        rollout.number = (Rollout.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        try:
            with transaction.atomic():
                rollout.save(force_insert=True)
        except IntegrityError:
            if not tries_left:
                raise
        else:
            return


def _managed_members(fleet: Fleet) -> dict[UUID, Membership]:
    members = Membership.objects.filter(fleet=fleet, mode=ArrivalMode.MANAGED)
    return {member.agent_id: member for member in with_desired(members)}


def _add_targets(
    stage: Stage,
    members: Mapping[UUID, Membership],
    rows: Mapping[UUID, StatusRow],
    now: datetime,
) -> None:
    """Every managed member, with what it goes back to: its own, not the fleet's."""
    Target.objects.bulk_create(
        [
            Target(
                rollout=stage.rollout,
                stage=stage,
                agent_id=uid,
                agent_label=str(row.agent),
                previous_id=last_good_id(members[uid], row),
                state_since=now,
            )
            for uid, row in rows.items()
        ],
        batch_size=1_000,
    )
