"""A rollout as the plan sees it, read in a fixed number of statements."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Q

from fleets.models import Rollout, Stage, Target, TargetState
from fleets.rollouts import plan
from fleets.rollouts.windows import Window, parse_window


def view_of(rollout: Rollout, stages: Sequence[Stage], now: datetime) -> plan.RolloutView:
    """What plan.decide and plan.act need."""
    counted = _counted(rollout, stages)
    window = window_of(rollout)
    return plan.RolloutView(
        state=plan.State(rollout.state),
        stages=tuple(_stage(stage, counted[stage.pk]) for stage in stages),
        automatic_rollback=rollout.automatic_rollback,
        max_in_flight=rollout.max_in_flight,
        is_held=rollout.is_held,
        is_open=window is None or window.is_open(now),
        waits_for_offline=rollout.waits_for_offline,
    )


def window_of(rollout: Rollout) -> Window | None:
    """Its change window, None when it may start at any time."""
    if not rollout.window_days:
        return None
    return parse_window(rollout.window_days, rollout.window_hours, rollout.window_zone)


def _stage(stage: Stage, counts: Mapping[str, int]) -> plan.StageView:
    return plan.StageView(
        index=stage.index,
        state=plan.StageWord(stage.state),
        counts=plan.Counts(**counts),
        budget=plan.Budget(stage.failure_budget_percent, stage.failure_budget_count),
        bake=timedelta(seconds=stage.bake_s),
        bake_until=stage.bake_until,
    )


def _counted(rollout: Rollout, stages: Sequence[Stage]) -> dict[UUID, dict[str, int]]:
    """By stage: targets by state; of those that wait how many may be offered it, of those that go back who is away."""
    counted: dict[UUID, dict[str, int]] = {stage.pk: {} for stage in stages}
    targets = Target.objects.filter(rollout=rollout).exclude(state=TargetState.EXCLUDED)
    let_go = Q(
        state=TargetState.WAITING,
        agent__membership__desired__version=F("rollout__version"),
    )
    away = Q(state=TargetState.REVERTING, agent__status__connected=False)
    rows = targets.order_by().values_list("stage_id", "state")
    for stage_id, state, n, going, gone in rows.annotate(
        n=Count("*"), going=Count("pk", filter=let_go), gone=Count("pk", filter=away)
    ):
        counts = counted[stage_id]
        counts[state] = n
        counts["let_go"] = counts.get("let_go", 0) + going
        counts["away"] = counts.get("away", 0) + gone
    return counted
