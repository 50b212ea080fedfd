"""Rollouts go on step by step as the plan decides, do what people say, and end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from fleets.models import Fleet, Rollout, RolloutState, Stage
from fleets.rollouts import plan
from fleets.rollouts.engine.drawing import change_places
from fleets.rollouts.engine.locks import locked
from fleets.rollouts.engine.releasing import close, has_moved, release, withdraw
from fleets.rollouts.engine.reverting import revert
from fleets.rollouts.engine.telling import record_turn, tell_state
from fleets.rollouts.engine.viewing import view_of
from telflo.base.hints import touch_on_commit

_MOST_STEPS: Final = 100
"""A bound on the steps of one advance; a rollout of n stages takes 3n + 3 at most, and n is at most 20."""
_LONGEST_REASON: Final = 500


def to_look_at() -> list[UUID]:
    """Rollouts that may be advanced: those under way, and cancelled ones that their fleet is still said to be on."""
    left_halfway = Q(state=RolloutState.CANCELLED, fleet__version=F("version"))
    left_halfway &= ~Q(fleet__stable_version=F("version"))
    found = Rollout.objects.filter(Q(state__in=plan.ACTIVE) | left_halfway)
    return list(found.values_list("pk", flat=True))


def advance(rollout_id: UUID, *, now: datetime) -> None:
    """Take as many steps as the stored state allows. Of one that is over only this counts: offers of one that was
    cancelled may have turned out to be lost since.
    """
    with transaction.atomic():
        rollout = locked(rollout_id)
        if rollout is None:
            return
        go_on(rollout, now)
        if rollout.state == RolloutState.CANCELLED and not has_moved(rollout):
            _never_mind(rollout, now)


def act(rollout_id: UUID, action: plan.Action, *, why: str, now: datetime) -> None:
    """Do what a person wants. Raises plan.NotPossible. The caller advances it once the transaction holds.

    why: who does it and why, shown while it is in the state that this leads to.
    """
    with transaction.atomic():
        rollout = locked(rollout_id)
        if rollout is None:
            raise plan.NotPossible("It is gone.")
        stages = list(rollout.stages.order_by("index"))
        decision = plan.act(view_of(rollout, stages, now), action, now)
        rollout.is_held = action is plan.Action.PAUSE
        rollout.save(update_fields=["is_held"])
        _carry_out(rollout, stages, replace(decision, reason=why), now)


def go_on(rollout: Rollout, now: datetime) -> None:
    """The same as advance, for a rollout that is locked with its fleet."""
    for _ in range(_MOST_STEPS):
        stages = list(rollout.stages.order_by("index"))
        decision = plan.decide(view_of(rollout, stages, now), now)
        before = rollout.state
        if before not in plan.ACTIVE or not _carry_out(rollout, stages, decision, now):
            return
        record_turn(rollout, before)


def _carry_out(
    rollout: Rollout, stages: Sequence[Stage], decision: plan.Decision, now: datetime
) -> bool:
    """Store what was decided; answers whether anything changed."""
    changed = _enter(rollout, decision, now) | _enter_stages(stages, decision, now)
    for index, word in decision.stages.items():
        if word is plan.StageWord.RUNNING:
            change_places(rollout, stages[index], now=now)
    if decision.withdraw:
        withdraw(rollout, now=now)
    if decision.revert:
        changed |= revert(rollout, now=now)
    if decision.close:
        changed |= close(rollout, decision.state, now=now)
    if decision.state is plan.State.CANCELLED and not has_moved(rollout):
        _never_mind(rollout, now)
    if decision.release:
        released = [stages[index] for index in decision.release]
        changed |= release(rollout, released, room=decision.room, now=now)
    if changed:
        touch_on_commit({"rollouts", f"rollout:{rollout.pk}", f"fleet:{rollout.fleet_id}"})
    return changed


def _enter(rollout: Rollout, decision: plan.Decision, now: datetime) -> bool:
    if decision.state.value == rollout.state:
        is_over = rollout.state_reason in plan.PASSING
        if decision.reason != rollout.state_reason and (decision.reason or is_over):
            rollout.state_reason = decision.reason[:_LONGEST_REASON]
            rollout.save(update_fields=["state_reason"])
        return False
    assert decision.state in plan.TRANSITIONS[plan.State(rollout.state)]
    rollout.state, rollout.state_since = decision.state.value, now
    # Why it went back stays to be read once it is back.
    earlier = rollout.state_reason if decision.state is plan.State.ROLLED_BACK else ""
    rollout.state_reason = f"{earlier} {decision.reason}".strip()[:_LONGEST_REASON]
    fields = ["state", "state_since", "state_reason"]
    if decision.state.value not in plan.ACTIVE:
        rollout.finished_at = now
        fields.append("finished_at")
    rollout.save(update_fields=fields)
    if decision.state is plan.State.SUCCEEDED:
        _fleet_has(rollout, now, stable_version=rollout.version_id)
    if decision.state is plan.State.ROLLED_BACK:
        _fleet_has(rollout, now, version=rollout.fleet.stable_version_id)
    tell_state(rollout, now)
    return True


def _never_mind(rollout: Rollout, now: datetime) -> None:
    """It was cancelled and moved nobody: unless another followed, the fleet has what it had before."""
    if not Rollout.objects.filter(fleet=rollout.fleet_id, number__gt=rollout.number).exists():
        _fleet_has(rollout, now, version=rollout.fleet.stable_version_id)


def _fleet_has(rollout: Rollout, now: datetime, **versions: UUID | None) -> None:
    columns = {f"{name}_id": version_id for name, version_id in versions.items()}
    Fleet.objects.filter(pk=rollout.fleet_id).update(**columns, updated_at=now)
    touch_on_commit({"fleets", "overview"})


def _enter_stages(stages: Sequence[Stage], decision: plan.Decision, now: datetime) -> bool:
    changed = False
    for index, word in decision.stages.items():
        stage = stages[index]
        if word is plan.StageWord.RUNNING:
            stage.started_at = now
        elif word is plan.StageWord.BAKING:
            changed |= stage.bake_until != decision.bake_until
            stage.bake_until = decision.bake_until
        else:
            stage.finished_at = now
        changed |= stage.state != word.value
        stage.state = word.value
        stage.save(update_fields=["state", "started_at", "bake_until", "finished_at"])
    return changed
