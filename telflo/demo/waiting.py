"""Until something holds in the demo's installation: arrivals, answers, rollouts. Raises TimeoutError after a while."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db.models import QuerySet

from agents.models import AgentStatus
from agents.snapshot import ConfigStatus
from fleets.models import Attempt, AttemptState, Rollout, RolloutState, TargetState
from fleets.rollouts.plan import ACTIVE
from fleets.tasks import compare_running, sweep_rollouts
from notices.models import Delivery, DeliveryState, Notice
from opamp.simulator.member import Member
from telflo.demo.past import PastClock

_WITHIN_S: Final = 120.0
_LOOK_S: Final = 0.1
_MINUTES: Final = 5
_UNANSWERED: Final = (AttemptState.OFFERED, AttemptState.APPLYING)
_JUDGED: Final = (TargetState.SOAKING, TargetState.SUCCEEDED, TargetState.FAILED)


def until(holds: Callable[[], bool], what: str) -> None:
    """Look until it holds. Raises TimeoutError."""
    end = time.monotonic() + _WITHIN_S
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"The demo waited in vain for {what}.")
        time.sleep(_LOOK_S)


def until_gone(rows: "QuerySet[Any]", what: str) -> None:
    """Look until there are no such rows. Raises TimeoutError."""
    until(lambda: not rows.all().exists(), what)


def until_running(members: Sequence[Member], what: str) -> None:
    """All have answered that they run what they were offered. Raises TimeoutError."""
    uids = [member.agent.uid for member in members]
    rows = AgentStatus.objects.filter(agent_id__in=uids)
    run_it = rows.filter(remote_config_status=ConfigStatus.APPLIED.value)
    until(lambda: run_it.count() == len(uids), f"collectors to run {what}")


def until_told() -> None:
    """Who is on call was told everything, at least once. Raises TimeoutError."""
    until_gone(Notice.objects.filter(spread_at=None), "notices to be spread")
    until_gone(Delivery.objects.filter(state=DeliveryState.WAITING, tries=0), "the webhooks")


def until_paused(rollout: Rollout) -> None:
    """It waits for a person, and all have answered. Raises TimeoutError."""
    paused = Rollout.objects.filter(pk=rollout.pk, state=RolloutState.PAUSED)
    until(lambda: paused.exists() and not _unanswered(rollout), f"rollout {rollout}")
    until_told()


def until_over(rollout: Rollout, clock: PastClock) -> None:
    """It has ended; its bakes and soaks pass at once. Raises TimeoutError."""
    going_on = Rollout.objects.filter(pk=rollout.pk, state__in=ACTIVE)

    def is_over() -> bool:
        _look(rollout, clock)
        return not going_on.exists()

    until(is_over, f"rollout {rollout}")
    until_told()


def until_second_stage(rollout: Rollout, clock: PastClock, *, minutes: int, answers: int) -> None:
    """It began so many minutes ago, and so many of it have answered. Raises TimeoutError.

    No time leaps once it has begun: those that take long would run into their apply timeout.
    """
    first, second = (rollout.targets.filter(stage__index=index) for index in range(2))
    waiting, judged = second.filter(state=TargetState.WAITING), second.filter(state__in=_JUDGED)
    passed = first.filter(state=TargetState.SUCCEEDED)

    def is_tried() -> bool:
        _look(rollout, clock)
        return passed.exists()

    def has_begun() -> bool:
        sweep_rollouts()
        return not waiting.exists()

    until(is_tried, f"the first stage of rollout {rollout}")
    clock.move_to(minutes=minutes)
    until(has_begun, f"the second stage of rollout {rollout}")
    until(lambda: judged.count() >= answers, "the first answers")


def _look(rollout: Rollout, clock: PastClock) -> None:
    """What the clock's tasks do; minutes pass while nobody owes an answer."""
    compare_running()
    sweep_rollouts()
    if not _unanswered(rollout):
        clock.go_on(minutes=_MINUTES)


def _unanswered(rollout: Rollout) -> bool:
    agents = rollout.targets.values("agent_id")
    return Attempt.objects.filter(agent_id__in=agents, state__in=_UNANSWERED).exists()
