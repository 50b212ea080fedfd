"""What happened to a rollout, in order: its stages, and what people and the plan did."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Exists, F, Max, Min, OuterRef
from django.db.models.functions import Coalesce

from fleets.models import Rollout, RolloutState, Stage, Target, TargetState
from telflo.base.activity import object_type
from telflo.base.models import Activity
from telflo.ui.numbers import counted
from telflo.ui.vocabulary import lamp_for

MOST: Final = 50
_NAME: Final = Coalesce("agent__display_name", "agent_label")
_ITSELF: Final = "Telflo"
_DOT: Final = "circle-dot"
_CANCEL: Final = "rollout.cancel"
_RETRY: Final = "rollout.retry"
_ROLL_BACK: Final = "rollout.roll_back"
_ICONS: Final = {
    _CANCEL: "ban",
    "rollout.exclude": "circle-minus",
    "rollout.pause": "pause",
    "rollout.resume": "play",
    _RETRY: "rotate-cw",
    _ROLL_BACK: "undo-2",
    "rollout.skip_bake": "timer",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. who and why: "" where there is nothing to say. tone, icon: of the status vocabulary."""

    at: datetime
    what: str
    who: str = ""
    why: str = ""
    tone: str = "idle"
    icon: str = _DOT


def history_of(rollout: Rollout, stages: Sequence[Stage]) -> list[Moment]:
    """The newest first, so many at most, in two queries, three where somebody retried.

    Of one moment: the end, then what was done, then the stages from the last, then the start.
    """
    deeds = Activity.objects.filter(object_type=object_type(rollout), object_id=str(rollout.pk))
    done, retries = list(deeds[:MOST]), list(_retries(rollout))
    is_retried = retries or any(one.action == _RETRY for one in done)
    moments = [
        *_end_of(rollout, {one.action for one in done}),
        *(_of_deed(one) for one in done),
        *(_failed_again(rollout) if is_retried else ()),
        *(_of_retry(one) for one in retries),
        *(moment for stage in reversed(stages) for moment in _of_stage(stage)),
        _start_of(rollout),
    ]
    return sorted(moments, key=lambda one: one.at, reverse=True)[:MOST]


def _end_of(rollout: Rollout, deeds: Collection[str]) -> Iterator[Moment]:
    """deeds: what was done to it; why it ended is said there, if there is the one that ended it."""
    if rollout.finished_at is None or (
        rollout.state == RolloutState.CANCELLED and _CANCEL in deeds
    ):
        return
    look = lamp_for("rollout", rollout.state)
    is_told = rollout.state == RolloutState.ROLLED_BACK and _ROLL_BACK in deeds
    why = "" if is_told else rollout.state_reason
    yield Moment(rollout.finished_at, look.word, why=why, tone=look.tone, icon=look.icon)


def _start_of(rollout: Rollout) -> Moment:
    who = rollout.created_by.display_name if rollout.created_by else _ITSELF
    return Moment(rollout.created_at, "Started", who, rollout.reason, icon="rocket")


def _of_deed(deed: Activity) -> Moment:
    icon = _ICONS.get(deed.action, _DOT)
    # That it is back is a moment of its own, later.
    is_start = deed.action == _ROLL_BACK
    what, tone = ("Going back", "back") if is_start else (deed.deed.title, deed.deed.tone)
    return Moment(deed.at, what, deed.by, deed.reason, tone, icon)


def _retries(rollout: Rollout) -> Iterable[Activity]:
    """Of single collectors of the fleet, while its version was to run there: until it was taken back, or the next
    rollout began.
    """
    retries = Activity.objects.filter(
        fleet_id=rollout.fleet_id, action="agent.retry", at__gte=rollout.created_at
    )
    if rollout.state == RolloutState.ROLLED_BACK:
        return retries.filter(at__lte=rollout.finished_at)[:MOST]
    later = Rollout.objects.filter(
        fleet=rollout.fleet_id, number__gt=rollout.number, created_at__lte=OuterRef("at")
    )
    return retries.exclude(Exists(later))[:MOST]


def _of_retry(deed: Activity) -> Moment:
    what = f"{deed.deed.title}: {deed.object_label}"
    return Moment(deed.at, what, deed.by, deed.reason, deed.deed.tone, _ICONS[_RETRY])


def _failed_again(rollout: Rollout) -> Iterator[Moment]:
    """What came of the last retry of each, together for those that were retried together."""
    again = Target.objects.filter(rollout=rollout, failed_at__gt=F("retried_at")).order_by()
    for one in again.values("retried_at").annotate(
        n=Count("*"), at=Max("failed_at"), name=Min(_NAME)
    ):
        who = one["name"] if one["n"] == 1 else counted(one["n"], "collector")
        look = lamp_for("target", TargetState.FAILED)
        yield Moment(one["at"], f"Failed again: {who}", tone=look.tone, icon=look.icon or _DOT)


def _of_stage(stage: Stage) -> Iterator[Moment]:
    if stage.finished_at:
        word, look = stage.get_state_display().lower(), lamp_for("stage", stage.state)
        what = f"{stage.name}: {word}"
        yield Moment(stage.finished_at, what, tone=look.tone, icon=look.icon or _DOT)
    if stage.started_at:
        yield Moment(stage.started_at, f"{stage.name}: began", tone="move", icon="play")
