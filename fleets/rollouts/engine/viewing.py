"""A rollout as the plan sees it, read in a fixed number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, QuerySet

from fleets.models import Rollout, RolloutState, Stage, StageState, Target, TargetState
from fleets.rollouts import plan
from fleets.rollouts.counts import Budget, Counts
from fleets.rollouts.engine.states import CAN_BE_HELD, LET_GO
from fleets.rollouts.engine.zones import zones_out
from fleets.rollouts.placing import HAD_IT
from fleets.rollouts.windows import Window, parse_window


def view_of(rollout: Rollout, stages: Sequence[Stage], now: datetime) -> plan.RolloutView:
    """What plan.decide and plan.act need."""
    counted = {pk: Counts(**counts) for pk, counts in _counted(rollout, stages).items()}
    window = window_of(rollout)
    return plan.RolloutView(
        state=plan.State(rollout.state),
        stages=tuple(_stage(stage, counted[stage.pk]) for stage in stages),
        automatic_rollback=rollout.automatic_rollback,
        max_in_flight=rollout.max_in_flight,
        is_held=rollout.is_held,
        is_open=window is None or window.is_open(now),
        waits_for_offline=rollout.waits_for_offline,
        is_zone_held=_is_zone_held(rollout, now),
        has_failed_alone=_has_failed_alone(rollout, counted.values()),
    )


def _has_failed_alone(rollout: Rollout, counts: Iterable[Counts]) -> bool:
    """Also of those that were left out since; asked of them only where nobody else is left."""
    if any(one.total != one.failed for one in counts):
        return False
    return Target.objects.filter(rollout=rollout).exclude(failure="").exists()


def _is_zone_held(rollout: Rollout, now: datetime) -> bool:
    out = zones_out([rollout], now)[rollout.pk]
    full = [zone for zone, count in out.items() if count >= rollout.zone_limit]
    waiting = Target.objects.filter(CAN_BE_HELD, rollout=rollout, state=TargetState.WAITING)
    begun = waiting.exclude(stage__state=StageState.WAITING)
    return bool(full) and begun.filter(zone__in=full).exists()


def window_of(rollout: Rollout) -> Window | None:
    """Its change window, None when it may start at any time."""
    if not rollout.window_days:
        return None
    return parse_window(rollout.window_days, rollout.window_hours, rollout.window_zone)


def _stage(stage: Stage, counts: Counts) -> plan.StageView:
    return plan.StageView(
        index=stage.index,
        state=plan.StageWord(stage.state),
        counts=counts,
        budget=Budget(stage.failure_budget_percent, stage.failure_budget_count),
        bake=timedelta(seconds=stage.bake_s),
        bake_until=stage.bake_until,
    )


def _counted(rollout: Rollout, stages: Sequence[Stage]) -> dict[UUID, dict[str, int]]:
    """By stage: targets by state; of those that succeeded how many had it before, of those that wait how many may be
    offered it, of those that go back who is away.

    The last two look at agents, so they are asked only where the plan looks at them.
    """
    counted: dict[UUID, dict[str, int]] = {stage.pk: {} for stage in stages}
    targets = Target.objects.filter(rollout=rollout)
    states = targets.exclude(state=TargetState.EXCLUDED).order_by()
    for stage_id, state, n in states.values_list("stage_id", "state").annotate(n=Count("*")):
        counted[stage_id][state] = n
    had_it = targets.filter(state=TargetState.SUCCEEDED, reason=HAD_IT)
    _count("had_it", had_it, counted)
    if rollout.max_in_flight:
        _count("let_go", targets.filter(LET_GO), counted)
    if rollout.state == RolloutState.ROLLING_BACK:
        returning = targets.filter(state=TargetState.REVERTING)
        _count("away", returning.filter(agent__status__connected=False), counted)
    return counted


def _count(name: str, targets: QuerySet[Target], counted: Mapping[UUID, dict[str, int]]) -> None:
    for stage_id, n in targets.order_by().values_list("stage_id").annotate(n=Count("*")):
        counted[stage_id][name] = n
