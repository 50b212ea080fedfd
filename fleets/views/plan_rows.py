"""The plan editor's stages with what each would reach, as the page draws them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fleets.plan_form import PlanForms, StageForm
from fleets.rollouts.counts import Budget
from fleets.rollouts.preflight import StageReach
from fleets.rollouts.strategy import Strategy
from telflo.ui.numbers import counted, grouped, lasting
from telflo.ui.track import TrackStage


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage being edited. reach: None while the plan does not hold; budget: what the next failure does."""

    number: int
    form: StageForm
    reach: StageReach | None
    budget: str


def stage_rows(plan: PlanForms, reaches: Sequence[StageReach]) -> list[StageRow]:
    """The rows of the editor; `reaches` is empty while the plan does not hold."""
    return [
        StageRow(
            number=n + 1,
            form=form,
            reach=reaches[n] if reaches else None,
            budget=_budget_words(plan.strategy, n, reaches[n]) if plan.strategy and reaches else "",
        )
        for n, form in enumerate(plan.stages)
    ]


def track_of(strategy: Strategy, reaches: Sequence[StageReach]) -> list[TrackStage]:
    """The plan as a track, before anything moves."""
    return [
        TrackStage(
            number=n,
            name=stage.name,
            state="waiting",
            line1=counted(reach.reached, "collector"),
            line2=f"then watched {_lasting(stage.bake)}" if stage.bake else "",
        )
        for n, (stage, reach) in enumerate(zip(strategy.stages, reaches, strict=True), start=1)
    ]


def least_time(strategy: Strategy, reaches: Sequence[StageReach]) -> str:
    """How long it takes if nothing fails: soaks and bakes, "" for no time at all. Applying comes on top.

    Of a stage so many soak at a time as may be in flight.
    """
    stages = zip(strategy.stages, reaches, strict=True)
    times = (
        one.bake + strategy.soak * _turns(strategy, reach) for one, reach in stages if reach.targets
    )
    whole = sum(times, timedelta())
    minutes = -(-int(whole.total_seconds()) // 60)
    hours, rest = divmod(minutes, 60)
    parts = [f"{grouped(hours)} h" if hours else "", f"{rest} min" if rest else ""]
    return " ".join(part for part in parts if part)


def _turns(strategy: Strategy, reach: StageReach) -> int:
    """How many times a soak passes in a stage."""
    at_a_time = strategy.max_in_flight or reach.reached
    return max(1, -(-reach.reached // at_a_time)) if at_a_time else 1


def _budget_words(strategy: Strategy, index: int, reach: StageReach) -> str:
    """Which failure spends the budget, and what that does; "" where so many cannot fail."""
    spends = _first_too_many(strategy.stages[index].budget, reach.reached)
    if spends > reach.reached:
        return "no failure stops it" if reach.reached else ""
    what = "reverts" if strategy.automatic_rollback else "pauses"
    return f"{_ordinal(spends)} failure {what}"


def _first_too_many(budget: Budget, targets: int) -> int:
    """The smallest number of failures that spends it."""
    return (budget.count if budget.count is not None else budget.percent * targets // 100) + 1


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{grouped(number)}{'th' if 11 <= number % 100 <= 13 else ending}"


def _lasting(time: timedelta) -> str:
    return lasting(int(time.total_seconds()))
