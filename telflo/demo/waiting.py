"""Until something holds in the demo's installation: arrivals, answers, rollouts.

Time leaps only to a stored deadline, and only while no collector owes an answer: so how a story ends depends neither on
how fast the machine is nor on how often it is looked at. A wait gives up when nothing has changed for a while.
"""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from agents.models import AgentStatus
from agents.snapshot import ConfigStatus
from fleets.models import (
    Attempt,
    Rollout,
    RolloutState,
    StageState,
    TargetState,
)
from fleets.rollouts.engine import IN_FLIGHT
from fleets.rollouts.plan import ACTIVE
from fleets.tasks import compare_running, sweep_rollouts
from notices.models import Delivery, DeliveryState, Notice
from notices.tasks import deliver_notices
from opamp.simulator.member import Member
from telflo.base import clock
from telflo.demo.past import PastClock

_LOOK_S: Final = 0.1
_LOOKS: Final = 1_200
"""Looks, not seconds: on a machine that gives this process no time, nothing is looked for either."""
_NOT_OFFERED: Final = (TargetState.WAITING, TargetState.OFFERED)


def until(
    holds: Callable[[], bool], what: str, *, saw: Callable[[], str], looks: int = _LOOKS
) -> None:
    """Look until it holds. Raises TimeoutError, with what it saw, after so many looks that saw the same."""
    last, left = "", looks
    while not holds():
        seen = saw()
        if seen != last:
            last, left = seen, looks
        left -= 1
        if left < 0:
            raise TimeoutError(
                f"The demo waited in vain for {what}. Its clock says {clock.now():%F %T}; it saw: {seen}"
            )
        time.sleep(_LOOK_S)


def until_gone(rows: "QuerySet[Any]", what: str) -> None:
    """Look until there are no such rows. Raises TimeoutError."""
    until(
        lambda: not rows.all().exists(), what, saw=lambda: f"{rows.count()} of them, {rows[:5]!r}"
    )


def until_running(members: Sequence[Member], what: str) -> None:
    """All have answered that they run what they were offered. Raises TimeoutError."""
    rows = AgentStatus.objects.filter(agent_id__in=[member.agent.uid for member in members])
    run_it = rows.filter(remote_config_status=ConfigStatus.APPLIED.value)
    until(
        lambda: run_it.count() == len(members),
        f"{len(members)} collectors to run {what}",
        saw=lambda: _counted(rows, "remote_config_status"),
    )


def until_told() -> None:
    """Who is on call was told everything. Raises TimeoutError."""
    new = Notice.objects.filter(spread_at=None)
    waiting = Delivery.objects.filter(state=DeliveryState.WAITING)

    def are_told() -> bool:
        deliver_notices()
        return not new.exists() and not waiting.exists()

    until(
        are_told,
        "webhooks",
        saw=lambda: f"{new.count()} notices to be spread, {list(waiting.values('tries', 'error'))}",
    )


def until_paused(rollout: Rollout) -> None:
    """It waits for a person, and all have answered. Raises TimeoutError."""
    paused = Rollout.objects.filter(pk=rollout.pk, state=RolloutState.PAUSED)
    until(
        lambda: paused.exists() and not _owe_answers(rollout),
        f"rollout {rollout} to pause",
        saw=lambda: state_of(rollout),
    )
    until_told()


def until_over(rollout: Rollout, past: PastClock) -> None:
    """It has ended; its soaks and bakes pass at once. Raises TimeoutError."""
    active = Rollout.objects.filter(pk=rollout.pk, state__in=ACTIVE)
    stages = rollout.stages.count()
    _go_through(rollout, past, lambda: not active.exists(), "to end", leap_over=stages)
    until_told()


def until_stage(rollout: Rollout, past: PastClock, index: int, state: StageState) -> None:
    """This stage is so; soaks, and the bakes of earlier stages, pass at once. Raises TimeoutError."""
    stage = rollout.stages.filter(index=index, state=state)
    what = f"to have stage {index + 1} {state.value}"
    _go_through(rollout, past, stage.exists, what, leap_over=index)


def until_begun(rollout: Rollout, slow: Collection[UUID]) -> None:
    """All were offered it, and all but the slow have answered. Raises TimeoutError."""
    late = Q(state=TargetState.APPLYING) & ~Q(agent_id__in=slow)
    owing = rollout.targets.filter(Q(state__in=_NOT_OFFERED) | late)
    has_begun = Rollout.objects.filter(pk=rollout.pk).exclude(state=RolloutState.PENDING)

    def is_so() -> bool:
        sweep_rollouts()
        return has_begun.exists() and not owing.exists()

    until(is_so, f"rollout {rollout} to begin", saw=lambda: state_of(rollout))


def _go_through(
    rollout: Rollout, past: PastClock, is_there: Callable[[], bool], what: str, *, leap_over: int
) -> None:
    """Do what the clock's tasks do until it is there; time leaps over the bakes of so many stages."""

    def looked() -> bool:
        compare_running()
        sweep_rollouts()
        if is_there():
            return True
        leap(rollout, past, over=leap_over)
        return False

    until(looked, f"rollout {rollout} {what}", saw=lambda: state_of(rollout))


def leap(rollout: Rollout, past: PastClock, *, over: int) -> None:
    """To the end of its soaks, or else of the bake among its first `over` stages; nowhere while answers are owed.

    What is read first is the deadline: until it has passed, nothing but an answer can move the rollout.
    """
    deadline = _deadline(rollout, over)
    if deadline is not None and not _is_awaited(rollout):
        past.leap_to(deadline)


def _deadline(rollout: Rollout, over: int) -> datetime | None:
    soaking = rollout.targets.filter(state=TargetState.SOAKING)
    baking = rollout.stages.filter(state=StageState.BAKING, index__lt=over)
    soaked: datetime | None = soaking.aggregate(last=Max("soak_until"))["last"]
    baked: datetime | None = baking.aggregate(last=Max("bake_until"))["last"]
    return soaked or baked


def _is_awaited(rollout: Rollout) -> bool:
    """Whether anybody owes an answer, or was let go and is offered it in a moment."""
    let_go = rollout.targets.filter(state=TargetState.WAITING).exclude(
        stage__state=StageState.WAITING
    )
    return let_go.exists() or _owe_answers(rollout)


def _owe_answers(rollout: Rollout) -> bool:
    agents = rollout.targets.values("agent_id")
    return Attempt.objects.filter(agent_id__in=agents, state__in=IN_FLIGHT).exists()


def state_of(rollout: Rollout) -> str:
    """Where it stands, in one line."""
    row = Rollout.objects.get(pk=rollout.pk)
    stages = [
        f"stage {stage.index + 1} {stage.state}"
        + (f" until {stage.bake_until:%F %T}" if stage.bake_until else "")
        + f" ({_counted(stage.targets.all(), 'state')})"
        for stage in row.stages.order_by("index")
    ]
    agents = row.targets.values("agent_id")
    offers = _counted(Attempt.objects.filter(agent_id__in=agents, state__in=IN_FLIGHT), "state")
    why = f" ({row.state_reason})" if row.state_reason else ""
    return (
        f"{row.state} since {row.state_since:%F %T}{why}; {'; '.join(stages)}; owed: {offers or 0}"
    )


def _counted(rows: "QuerySet[Any]", by: str) -> str:
    """How many there are of each, as text."""
    counts = rows.order_by(by).values_list(by).annotate(n=Count("*"))
    return ", ".join(f"{n} {value}" for value, n in counts)
