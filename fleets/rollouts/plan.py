"""What a rollout does next. Pure: counts and the time in, a decision out; the only place that knows the transitions.

Level-triggered: the same view gives the same decision, however often it is asked for, and once a decision is carried
out, asking again gives the next one or none. What it counts: fleets/rollouts/counts.py; where single targets stand:
fleets/rollouts/placing.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from fleets.rollouts.counts import Budget, Counts
from telflo.ui.numbers import counted


class State(StrEnum):
    """States of a rollout, as fleets.models.RolloutState names them."""

    PENDING = "pending"
    RUNNING = "running"
    BAKING = "baking"
    PAUSED = "paused"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    SUCCEEDED = "succeeded"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


class StageWord(StrEnum):
    """States of a stage, as fleets.models.StageState names them."""

    WAITING = "waiting"
    RUNNING = "running"
    BAKING = "baking"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Nobody was in it."""
    STOPPED = "stopped"
    """It was under way when all went back, and had not failed itself."""


class Action(StrEnum):
    """What a person may do to a rollout."""

    PAUSE = "pause"
    RESUME = "resume"
    ROLL_BACK = "roll_back"
    CANCEL = "cancel"
    SKIP_BAKE = "skip_bake"


_ENDED: Final[frozenset[State]] = frozenset()
_LEFT_ALONE: Final = frozenset({State.SUPERSEDED, State.CANCELLED})
TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    State.PENDING: frozenset({State.RUNNING, State.PAUSED}) | _LEFT_ALONE,
    State.RUNNING: frozenset({State.BAKING, State.PAUSED, State.ROLLING_BACK, State.SUCCEEDED})
    | _LEFT_ALONE,
    State.BAKING: frozenset({State.RUNNING, State.PAUSED, State.ROLLING_BACK}) | _LEFT_ALONE,
    State.PAUSED: frozenset({State.RUNNING, State.ROLLING_BACK}) | _LEFT_ALONE,
    State.ROLLING_BACK: frozenset({State.ROLLED_BACK, State.SUPERSEDED}),
    State.ROLLED_BACK: _ENDED,
    State.SUCCEEDED: _ENDED,
    State.SUPERSEDED: _ENDED,
    State.CANCELLED: _ENDED,
}
ACTIVE: Final = tuple(state.value for state, later in TRANSITIONS.items() if later)
"""States in which a rollout still acts. A fleet has at most one such rollout."""

_ACTIONS: Final[Mapping[Action, tuple[State, frozenset[State]]]] = {
    Action.PAUSE: (State.PAUSED, frozenset({State.PENDING, State.RUNNING, State.BAKING})),
    Action.RESUME: (State.RUNNING, frozenset({State.PAUSED})),
    Action.ROLL_BACK: (
        State.ROLLING_BACK,
        frozenset({State.RUNNING, State.BAKING, State.PAUSED}),
    ),
    Action.CANCEL: (
        State.CANCELLED,
        frozenset({State.PENDING, State.RUNNING, State.BAKING, State.PAUSED}),
    ),
    Action.SKIP_BAKE: (State.BAKING, frozenset({State.BAKING})),
}


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage as the plan sees it. bake: how long it is watched after its last target; bake_until: once it is."""

    index: int
    state: StageWord
    counts: Counts
    budget: Budget = field(default_factory=Budget)
    bake: timedelta = timedelta()
    bake_until: datetime | None = None

    @property
    def is_budget_spent(self) -> bool:
        """More failures than may be."""
        return self.budget.is_spent(self.counts.failed, self.counts.tried)


_BEHIND: Final = frozenset({StageWord.PASSED, StageWord.SKIPPED})


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A rollout as the plan sees it; stages in order.

    max_in_flight: how many may be between the offer and the judgement at a time, 0 for any number · is_held: a person
    paused it · is_open: the change window is open · waits_for_offline: offline targets hold up their stage ·
    is_zone_held: some of those that could go wait for one of their zone that the version broke.
    """

    state: State
    stages: tuple[StageView, ...]
    automatic_rollback: bool = False
    max_in_flight: int = 0
    is_held: bool = False
    is_open: bool = True
    waits_for_offline: bool = False
    is_zone_held: bool = False
    has_failed_alone: bool = False

    @property
    def room(self) -> int | None:
        """How many more may be let go now; None for any number."""
        if not self.max_in_flight:
            return None
        in_flight = sum(stage.counts.in_flight for stage in self.stages)
        return max(0, self.max_in_flight - in_flight)

    @property
    def current(self) -> StageView | None:
        """The first stage that is neither passed nor skipped."""
        return next((stage for stage in self.stages if stage.state not in _BEHIND), None)

    @property
    def spent(self) -> StageView | None:
        """The first stage of which more targets failed than may."""
        return next((stage for stage in self.stages if stage.is_budget_spent), None)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of the rollout.

    stages: those that change, by index · bake_until: of a stage that begins to bake · release: the stages whose waiting
    targets may be let go, room of them (None for all) · withdraw: what was not offered yet goes back to what each
    target had · revert: what was let go goes back · close: what waits will not be let go any more.
    """

    state: State
    reason: str = ""
    stages: Mapping[int, StageWord] = field(default_factory=dict)
    bake_until: datetime | None = None
    release: tuple[int, ...] = ()
    room: int | None = None
    withdraw: bool = False
    revert: bool = False
    close: bool = False


class NotPossible(Exception):
    """The action does not fit the rollout's state; the text says why."""


def decide(view: RolloutView, now: datetime) -> Decision:
    """The next step of a rollout, one at a time: ask again until nothing changes."""
    if view.state.value not in ACTIVE:
        return Decision(view.state)
    if view.state is State.ROLLING_BACK:
        return _go_back(view)
    if view.state is State.PENDING:
        return Decision(State.RUNNING) if view.is_open else Decision(State.PENDING, _CLOSED)
    if view.spent is not None:
        return _stop(view, view.spent)
    if view.state is State.PAUSED:
        if view.is_held:
            return Decision(State.PAUSED)
        return Decision(State.RUNNING, "The failures are within the budget again.")
    return _go_on(view, now)


def may_act(state: State, action: Action) -> bool:
    """Whether a person may do this to a rollout in this state."""
    return state in _ACTIONS[action][1]


def act(view: RolloutView, action: Action, now: datetime) -> Decision:
    """What a person's action makes of the rollout. Raises NotPossible."""
    state = _ACTIONS[action][0]
    if not may_act(view.state, action):
        words = view.state.value.replace("_", " ")
        raise NotPossible(f"It is {words}; that cannot be done now.")
    current, spent = view.current, view.spent
    waits_for_people = not (view.automatic_rollback or view.is_held)
    if action is Action.RESUME and spent is not None and waits_for_people:
        raise NotPossible(
            f"{_spent_words(spent)} Retry those collectors, leave them out, or roll it back:"
            " it goes on by itself when the failures are within the budget."
        )
    if action is Action.PAUSE:
        return Decision(state, withdraw=True)
    if action is Action.CANCEL:
        return Decision(state, withdraw=True, close=True)
    if action is Action.SKIP_BAKE and current is not None:
        return Decision(state, stages={current.index: StageWord.BAKING}, bake_until=now)
    if action is Action.ROLL_BACK:
        return _back(_given_up(view))
    return Decision(state)


def _stop(view: RolloutView, spent: StageView) -> Decision:
    """The budget is spent: back, or a person has to look. What a person paused stays so."""
    reason = _spent_words(spent)
    if view.state is State.PAUSED:
        return Decision(State.PAUSED, reason)
    if view.automatic_rollback:
        return _back(_given_up(view), reason)
    return Decision(State.PAUSED, reason, withdraw=True)


def _back(stages: Mapping[int, StageWord], reason: str = "") -> Decision:
    """All goes back at once, also those that were left out since, whom nobody counts any more."""
    return Decision(State.ROLLING_BACK, reason, stages=stages, revert=True)


def _spent_words(stage: StageView) -> str:
    counts = stage.counts
    return f"{counts.failed:,} of {counts.tried:,} failed; the budget is {stage.budget}."


def _given_up(view: RolloutView) -> Mapping[int, StageWord]:
    """The stages whose budgets are spent have failed; the one that was under way was stopped."""
    failed = {one.index: StageWord.FAILED for one in view.stages if one.is_budget_spent}
    current = view.current
    if current is None or current.state is StageWord.WAITING:
        return failed
    return {current.index: StageWord.STOPPED, **failed}


def _go_back(view: RolloutView) -> Decision:
    """All that was let go returns at once; offline ones hold up nothing."""
    counts = [stage.counts for stage in view.stages]
    if any(one.to_revert or one.waiting for one in counts):
        return Decision(State.ROLLING_BACK, revert=True, close=True)
    if any(one.reverting > one.away for one in counts):
        return Decision(State.ROLLING_BACK)
    return Decision(State.ROLLED_BACK, _away_then(sum(one.away for one in counts)))


def _go_on(view: RolloutView, now: datetime) -> Decision:
    """The next step of a rollout whose budgets hold."""
    begun = [stage for stage in view.stages if stage.state is not StageWord.WAITING]
    current = view.current
    if current is not None and current.state is StageWord.WAITING:
        return _begin(view, current, begun)
    if current is None and not any(_is_busy(view, stage) for stage in begun):
        if view.has_failed_alone:
            return Decision(State.CANCELLED, _IN_VAIN)
        offline = sum(stage.counts.pending_offline for stage in view.stages)
        return Decision(State.SUCCEEDED, _away_then(offline))
    if current is not None and not _is_busy(view, current):
        return _watch(current, now)
    state = _state_with(current)
    return _release(view, begun, state)


def _begin(view: RolloutView, stage: StageView, begun: list[StageView]) -> Decision:
    if not view.is_open:
        return Decision(State.RUNNING, _CLOSED)
    if any(_is_busy(view, one) for one in begun):
        return _release(view, begun, State.RUNNING)  # retried ones of earlier stages come first
    word = StageWord.RUNNING if stage.counts.total else StageWord.SKIPPED
    return Decision(State.RUNNING, stages={stage.index: word})


def _watch(stage: StageView, now: datetime) -> Decision:
    """All targets of the stage are judged: bake it, then let it pass."""
    has_moved = stage.counts.moved_and_judged > 0
    if stage.state is StageWord.RUNNING and stage.bake and has_moved:
        return Decision(
            State.BAKING,
            stages={stage.index: StageWord.BAKING},
            bake_until=now + stage.bake,
        )
    if stage.bake_until is not None and now < stage.bake_until:
        return Decision(State.BAKING)
    word = StageWord.PASSED if stage.counts.total else StageWord.SKIPPED
    return Decision(State.RUNNING, stages={stage.index: word})


def _release(view: RolloutView, begun: Iterable[StageView], state: State) -> Decision:
    waiting = tuple(stage.index for stage in begun if stage.counts.under_way)
    if not view.is_open:
        return Decision(state, _CLOSED)
    reason = _HELD if view.is_zone_held else ""
    return Decision(state, reason, stages=_late(view), release=waiting, room=view.room)


def _late(view: RolloutView) -> Mapping[int, StageWord]:
    """Stages that nobody was in when it was their turn, and somebody came into since."""
    skipped = (one for one in view.stages if one.state is StageWord.SKIPPED)
    return {one.index: StageWord.PASSED for one in skipped if one.counts.total}


def _is_busy(view: RolloutView, stage: StageView) -> bool:
    waits = view.waits_for_offline and stage.counts.pending_offline
    return bool(stage.counts.under_way or waits)


def _state_with(current: StageView | None) -> State:
    is_baking = current is not None and current.state is StageWord.BAKING
    return State.BAKING if is_baking else State.RUNNING


_IN_VAIN: Final = "It failed wherever it was tried, within the budget."
"""Such a version is not what newcomers get."""
_CLOSED: Final = "It waits for its change window."
_HELD: Final = (
    "Some wait for a collector of their zone on which the version failed and that is not well."
    " Mend it, retry it, or leave it out."
)
PASSING: Final = frozenset({_CLOSED, _HELD})
"""Reasons that are over once they are not given any more; others stay with their state."""


def _away_then(count: int) -> str:
    """Kept with the state, so it promises nothing: who is still away is told by the targets."""
    return f"{counted(count, 'was', 'were')} offline when it ended." if count else ""
