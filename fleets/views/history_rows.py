"""What happened to a rollout, in order: its stages, and what people and the plan did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleets.models import Rollout, Stage
from telflo.base.activity import object_type
from telflo.base.models import Activity

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. who and why: "" where there is nothing to say."""

    at: datetime
    what: str
    who: str = ""
    why: str = ""


def history_of(rollout: Rollout, stages: Sequence[Stage]) -> list[Moment]:
    """The newest first, so many at most, in one query. What was done at one moment comes before what followed."""
    deeds = Activity.objects.filter(object_type=object_type(rollout), object_id=str(rollout.pk))
    moments = [
        *_of_rollout(rollout),
        *(Moment(one.at, one.deed.title, one.actor_label, one.reason) for one in deeds[:MOST]),
        *(moment for stage in stages for moment in _of_stage(stage)),
    ]
    return sorted(moments, key=lambda one: one.at, reverse=True)[:MOST]


def _of_rollout(rollout: Rollout) -> Iterator[Moment]:
    if rollout.finished_at:
        yield Moment(rollout.finished_at, rollout.get_state_display(), why=rollout.state_reason)
    who = rollout.created_by.display_name if rollout.created_by else "Telflo"
    yield Moment(rollout.created_at, "Started", who, rollout.reason)


def _of_stage(stage: Stage) -> Iterator[Moment]:
    if stage.finished_at:
        yield Moment(stage.finished_at, f"{stage.name}: {stage.get_state_display().lower()}")
    if stage.started_at:
        yield Moment(stage.started_at, f"{stage.name}: began")
