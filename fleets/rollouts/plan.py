"""What a rollout does next. Pure: counts in, a decision out; the only place that knows the transitions.

Level-triggered: the same counts give the same decision, however often it is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """States of a rollout that exist so far, as fleets.models.RolloutState names them."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    SUPERSEDED = "superseded"


class StageWord(StrEnum):
    """States of a stage, as fleets.models.StageState names them."""

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"


TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    State.PENDING: frozenset({State.RUNNING, State.SUPERSEDED}),
    State.RUNNING: frozenset({State.PAUSED, State.SUCCEEDED, State.SUPERSEDED}),
    State.PAUSED: frozenset({State.RUNNING, State.SUPERSEDED}),
    State.SUCCEEDED: frozenset(),
    State.SUPERSEDED: frozenset(),
}

ACTIVE: Final = tuple(state.value for state, later in TRANSITIONS.items() if later)
"""States in which a rollout still acts. A fleet has at most one such rollout."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many targets of a stage are in which state. Those excluded count for nothing."""

    waiting: int = 0
    offered: int = 0
    applying: int = 0
    succeeded: int = 0
    failed: int = 0
    pending_offline: int = 0

    @property
    def total(self) -> int:
        """All that the budget is a share of."""
        return self.under_way + self.succeeded + self.failed + self.pending_offline

    @property
    def under_way(self) -> int:
        """Those that an answer is still expected of. Offline ones do not block."""
        return self.waiting + self.offered + self.applying


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage as the plan sees it."""

    index: int
    state: StageWord
    failure_budget_percent: int
    counts: Counts

    @property
    def is_budget_spent(self) -> bool:
        """More failures than the share that may fail."""
        return self.counts.failed * 100 > self.failure_budget_percent * self.counts.total


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A rollout as the plan sees it; stages in order."""

    state: State
    stages: tuple[StageView, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of the rollout.

    stages: those that change, by index · release: the stage whose waiting targets may be offered the version ·
    withdraw: what was not offered yet goes back to what each target had.
    """

    state: State
    reason: str = ""
    stages: Mapping[int, StageWord] = field(default_factory=dict)
    release: int | None = None
    withdraw: bool = False


def decide(view: RolloutView) -> Decision:
    """The next step of a rollout, one at a time: ask again until nothing changes."""
    if view.state.value not in ACTIVE:
        return Decision(view.state)
    if view.state is State.PENDING:
        return Decision(State.RUNNING)
    spent = next((stage for stage in view.stages if stage.is_budget_spent), None)
    if spent is not None and view.state is State.RUNNING:
        return Decision(State.PAUSED, _spent_reason(spent), withdraw=True)
    if spent is not None and view.state is State.PAUSED:
        return Decision(State.PAUSED, _spent_reason(spent))
    if view.state is State.PAUSED:
        return Decision(State.RUNNING, "The failures are within the budget again.")
    return _go_on(view)


def _go_on(view: RolloutView) -> Decision:
    """The next step of a running rollout whose budget holds."""
    current = next((stage for stage in view.stages if stage.state is not StageWord.PASSED), None)
    if current is None:
        return Decision(State.SUCCEEDED, _success_reason(view))
    if current.state is StageWord.WAITING:
        return Decision(State.RUNNING, stages={current.index: StageWord.RUNNING})
    if current.counts.under_way:
        return Decision(State.RUNNING, release=current.index)
    return Decision(State.RUNNING, stages={current.index: StageWord.PASSED})


def _spent_reason(stage: StageView) -> str:
    counts = stage.counts
    return (
        f"{counts.failed} of {counts.total} failed; the budget is {stage.failure_budget_percent} %."
    )


def _success_reason(view: RolloutView) -> str:
    offline = sum(stage.counts.pending_offline for stage in view.stages)
    return f"{offline} offline get it when they return." if offline else ""


class Place(StrEnum):
    """Target states that a target can be put into without an answer of its agent."""

    WAITING = "waiting"
    PENDING_OFFLINE = "pending_offline"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What decides where a target that may go stands. has_applied: it acknowledged this very hash as applied."""

    is_managed: bool
    accepts_config: bool
    is_connected: bool
    is_quarantined: bool
    has_applied: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a target stands, why, and whether its agent should run the version now.

    is_wanted: the version becomes the agent's desired one, be it offered, done, offline or quarantined.
    """

    place: Place
    reason: str = ""
    is_wanted: bool = True


def place_target(facts: TargetFacts) -> Placement:
    """Where a released target stands before anything is offered to it."""
    if not facts.is_managed:
        return Placement(Place.EXCLUDED, "It is only observed, or has left the fleet.", False)
    if not facts.accepts_config:
        return Placement(Place.EXCLUDED, "It does not accept configurations from a server.", False)
    if facts.is_quarantined:
        # It is no failure of this rollout, so it spends no budget; the collector's own status shows it.
        return Placement(
            Place.EXCLUDED, "This configuration failed here before. Retry it to offer it again."
        )
    if facts.has_applied:
        return Placement(Place.SUCCEEDED)
    return Placement(Place.WAITING if facts.is_connected else Place.PENDING_OFFLINE)
