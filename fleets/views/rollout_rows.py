"""Rollouts as rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count

from fleets.models import Rollout, RolloutState, Stage, StageState, Target, TargetState
from fleets.rollouts.plan import ACTIVE
from telflo.ui.bars import Segment
from telflo.ui.numbers import counted, grouped
from telflo.ui.vocabulary import TARGET

_BACK: Final = (TargetState.REVERTING, TargetState.REVERTED, TargetState.REVERT_FAILED)


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """One rollout with its targets counted by state."""

    rollout: Rollout
    by_state: Mapping[str, int]

    @property
    def targets(self) -> int:
        """All but those that were taken out."""
        return sum(n for state, n in self.by_state.items() if state != TargetState.EXCLUDED)

    @property
    def succeeded(self) -> int:
        """Those that run the version, proven."""
        return self.by_state.get(TargetState.SUCCEEDED, 0)

    @property
    def failed(self) -> int:
        """Those on which it failed."""
        return self.by_state.get(TargetState.FAILED, 0)

    @property
    def taken_back(self) -> int:
        """Those that are back on what they had, or on their way."""
        return sum(self.by_state.get(state, 0) for state in _BACK)

    @property
    def look(self) -> str:
        """Its state as the vocabulary shows it: one that ended with failures is no success."""
        is_flawed = self.rollout.state == RolloutState.SUCCEEDED and self.failed
        return "finished" if is_flawed else self.rollout.state

    @property
    def word(self) -> str:
        """In place of the vocabulary's word, where a number belongs in it."""
        return f"Finished, {grouped(self.failed)} failed" if self.look == "finished" else ""

    @property
    def why(self) -> str:
        """Why it is in its state, and of one that is over who follows on their return: that some were offline when it
        succeeded is past once they have it.
        """
        state, reason = self.rollout.state, self.rollout.state_reason
        if state in ACTIVE:
            return reason
        told = "" if state == RolloutState.SUCCEEDED else reason
        awaited = [
            _awaited(self.by_state.get(TargetState.PENDING_OFFLINE, 0), "get it"),
            _awaited(self.by_state.get(TargetState.REVERTING, 0), "go back"),
        ]
        return " ".join(words for words in (told, *awaited) if words)

    @property
    def segments(self) -> list[Segment]:
        """The targets as a bar."""
        return target_segments(self.by_state)


def _awaited(count: int, what: str) -> str:
    still = f"{counted(count, 'collector is', 'collectors are')} still to {what}"
    return f"{still}, on {'its' if count == 1 else 'their'} return." if count else ""


def rollout_rows(rollouts: Sequence[Rollout]) -> list[RolloutRow]:
    """The rows of these rollouts, in one query."""
    counts: dict[UUID, dict[str, int]] = {rollout.pk: {} for rollout in rollouts}
    found = Target.objects.filter(rollout__in=list(counts)).order_by()
    for key, state, n in found.values_list("rollout_id", "state").annotate(n=Count("*")):
        counts[key][state] = n
    return [RolloutRow(rollout, counts[rollout.pk]) for rollout in rollouts]


def stage_words(stage: Stage, row: RolloutRow) -> str:
    """How far a stage is. row: its own targets, of which those that were taken out are none."""
    goes_on = row.rollout.state in ACTIVE and row.rollout.state != RolloutState.ROLLING_BACK
    if stage.state == StageState.WAITING and not goes_on:
        return "not reached"
    if not row.targets:
        return "nobody in it"
    if stage.state == StageState.WAITING:
        return counted(row.targets, "collector")
    if row.taken_back:
        return f"{grouped(row.taken_back)} of {grouped(row.targets)} taken back"
    failed = f", {grouped(row.failed)} failed" if row.failed else ""
    return f"{grouped(row.succeeded)} of {grouped(row.targets)} succeeded{failed}"


def target_segments(by_state: Mapping[str, int], url: str = "") -> list[Segment]:
    """One segment for each state that occurs; excluded targets are not part of the bar."""
    order = sorted(TARGET, key=_ORDER.index)
    return [
        Segment(
            TARGET[state].word,
            by_state[state],
            "none" if state == TargetState.WAITING else TARGET[state].tone,
            f"{url}?state={state}" if url else "",
        )
        for state in order
        if by_state.get(state) and state != TargetState.EXCLUDED
    ]


_ORDER = (
    "succeeded",
    "failed",
    "revert_failed",
    "reverting",
    "reverted",
    "soaking",
    "applying",
    "offered",
    "waiting",
    "pending_offline",
    "excluded",
)
