"""PURE. What must hold for rollouts in stages whose budget is nothing, whatever was killed meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import UUID

from opamp.simulator.report import Truth
from tests.chaos.facts import CLOCKS_S

PLAN: Final = {
    "stages": [
        {"count": 1, "bake_seconds": 1},
        {"percent": 30, "bake_seconds": 1},
        {"percent": 100},
    ],
    "soak_seconds": 1,
    "automatic_rollback": True,
}
"""As the API takes it."""
ROLLED_BACK: Final = "rolled_back"
ENDED: Final = ("succeeded", ROLLED_BACK, "superseded")
_UNMOVED: Final = ("waiting", "excluded")
_NOT_BEGUN: Final = "waiting"
_PASSED: Final = "passed"
_FAILED: Final = "failed"
_APPLIED: Final = 1
_PAUSE_REACHES_ALL_S: Final = 0.5


class StageRow(NamedTuple):
    """A stage as stored; number counts from 0. Times are Unix times."""

    number: int
    state: str
    started_at: float | None
    finished_at: float | None
    bake_until: float | None


class TargetRow(NamedTuple):
    """A target as stored. failed_at: when the version was found to have failed on it; offered_at: each offer of it."""

    stage: int
    state: str
    failed_at: float | None
    offered_at: Sequence[float]


@dataclass(slots=True)
class StagedRollout:
    """A rollout as stored. hash: of its version, which no other rollout gives."""

    id: str
    hash: str
    state: str
    stages: list[StageRow] = field(default_factory=list)
    targets: dict[UUID, TargetRow] = field(default_factory=dict)


@dataclass(slots=True)
class Staged:
    """What the run knows of one itself. before: what each agent of the fleet may run again once it is taken back.

    paused: from when to when a person had it paused (Unix times).
    """

    hash: str
    before: Mapping[UUID, Collection[str]]
    paused: list[tuple[float, float]] = field(default_factory=list)
    has_ended: bool = False


def may_go_back_to(truth: Truth, known: Collection[str], coming: str) -> Collection[str]:
    """What an agent may run after a rollout that begins now is taken back. known: all that its fleet was ever given.

    What it runs now. coming: the version that its fleet was given last and that is not taken back, "" for none: until
    the rollout has begun it may still get it. One that runs nothing may get any, and what is on its way may fail on it:
    then "", nothing.
    """
    if not truth.runs:
        return {*known, ""}
    is_settled = truth.remote_status == _APPLIED and truth.remote_hash == truth.runs
    under_way = set() if is_settled or not truth.offered else {truth.offered[-1]}
    expected = {*under_way, coming} - {"", truth.runs}
    return {truth.runs, *expected, *([""] if expected else [])}


def not_back(staged: Staged, truth: Truth) -> Iterator[str]:
    """What is still wrong on an agent after its rollout was taken back."""
    allowed = staged.before.get(truth.uid)
    if allowed is not None and truth.runs not in allowed:
        meant = " or ".join(sorted(one[:12] or "nothing" for one in allowed))
        yield f"taken back, it runs {truth.runs[:12] or 'nothing'} instead of {meant}"


def breaches(
    rollout: StagedRollout, staged: Staged, arrivals: Mapping[UUID, Mapping[str, float]]
) -> Iterator[str]:
    """What must never be. arrivals: by agent and hash, when it was offered first as the agents' own log tells."""
    yield from _out_of_order(rollout.stages)
    stages = {stage.number: stage for stage in rollout.stages}
    for uid, target in rollout.targets.items():
        stage = stages[target.stage]
        if stage.state == _NOT_BEGUN and target.state not in _UNMOVED:
            yield f"{uid} was moved ({target.state}) before its stage {target.stage + 1} began"
        yield from _passed_over(uid, target, rollout.stages)
        for start, end in staged.paused:
            if any(start + _PAUSE_REACHES_ALL_S < at < end for at in target.offered_at):
                yield f"{uid} was offered the version while it was paused"
    for uid, offers in arrivals.items():
        at = offers.get(rollout.hash)
        if at is not None:
            yield from _too_early(uid, at, rollout, stages)


def _out_of_order(stages: Sequence[StageRow]) -> Iterator[str]:
    for before, after in pairwise(stages):
        if after.started_at is None:
            continue
        if not _had_passed(before, after.started_at):
            yield f"stage {after.number + 1} began, and the one before it is {before.state}"
        elif before.bake_until is not None and after.started_at < before.bake_until:
            yield f"stage {after.number + 1} began before the bake was over"


def _had_passed(stage: StageRow, at: float) -> bool:
    """One that passed may fail afterwards, when a collector of it breaks: then its bake tells that it had passed."""
    if stage.finished_at is None:
        return False
    if stage.state == _FAILED:
        return stage.bake_until is not None and stage.finished_at > at
    return stage.state == _PASSED and stage.finished_at <= at


def _passed_over(uid: UUID, target: TargetRow, stages: Sequence[StageRow]) -> Iterator[str]:
    """The budget is nothing: after one failure no later stage begins."""
    if target.failed_at is None or target.state == "excluded":
        return
    for stage in stages:
        began = stage.started_at
        if stage.number > target.stage and began is not None and began > target.failed_at:
            yield f"stage {stage.number + 1} began after the version had failed on {uid}"


def _too_early(
    uid: UUID, at: float, rollout: StagedRollout, stages: Mapping[int, StageRow]
) -> Iterator[str]:
    target = rollout.targets.get(uid)
    if target is None:
        yield f"{uid} was offered the version and is no target of it"
        return
    began = stages[target.stage].started_at
    if began is None or at < began - CLOCKS_S:
        yield f"{uid} was offered the version before its stage {target.stage + 1} began"
