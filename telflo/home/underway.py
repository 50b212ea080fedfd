"""Rollouts that are under way, with their stages as the track shows them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count

from fleets.models import Rollout, Stage, Target, TargetState
from fleets.rollouts.plan import ACTIVE
from fleets.views.rollout_rows import RolloutRow, stage_words
from telflo.ui.numbers import grouped
from telflo.ui.track import TrackStage

MOST: Final = 4
_MOVING = (TargetState.OFFERED, TargetState.APPLYING, TargetState.SOAKING)


@dataclass(frozen=True, slots=True)
class UnderWay:
    """One rollout under way."""

    id: UUID
    number: int
    title: str
    state: str
    started_at: datetime
    by: str
    failed: int
    stages: Sequence[TrackStage]


def rollouts_under_way() -> list[UnderWay]:
    """The newest rollouts under way, in three queries."""
    rollouts = list(
        Rollout.objects.filter(state__in=ACTIVE)
        .select_related("fleet", "version__configuration", "created_by")
        .defer("version__yaml")[:MOST]
    )
    ids = [rollout.pk for rollout in rollouts]
    stages: dict[UUID, list[Stage]] = {pk: [] for pk in ids}
    for stage in Stage.objects.filter(rollout__in=ids).select_related("rollout"):
        stages[stage.rollout_id].append(stage)
    counts: dict[UUID, Counter[str]] = {}
    for stage_id, state, n in (
        Target.objects.filter(rollout__in=ids)
        .order_by()
        .values_list("stage_id", "state")
        .annotate(n=Count("*"))
    ):
        counts.setdefault(stage_id, Counter())[state] += n
    return [_under_way(rollout, stages[rollout.pk], counts) for rollout in rollouts]


def _under_way(
    rollout: Rollout, stages: Sequence[Stage], counts: Mapping[UUID, Counter[str]]
) -> UnderWay:
    return UnderWay(
        id=rollout.pk,
        number=rollout.number,
        title=f"{rollout.version} to {rollout.fleet.name}",
        state=rollout.state,
        started_at=rollout.created_at,
        by=rollout.created_by.display_name if rollout.created_by else "",
        failed=sum(counts.get(stage.pk, Counter())[TargetState.FAILED] for stage in stages),
        stages=[_stage(stage, counts.get(stage.pk, Counter())) for stage in stages],
    )


def _stage(stage: Stage, counts: Counter[str]) -> TrackStage:
    row = RolloutRow(stage.rollout, counts)
    moving = sum(counts[state] for state in _MOVING)
    parts = [(moving, "in motion"), (counts[TargetState.PENDING_OFFLINE], "offline")]
    return TrackStage(
        number=stage.index + 1,
        name=stage.name,
        state=stage.state_now,
        line1=stage_words(stage, row),
        line2=" · ".join(f"{grouped(n)} {word}" for n, word in parts if n),
        percent=round(100 * row.succeeded / row.targets) if row.targets else 0,
    )
