"""A rollout in memory that does what the plan says, with targets that answer as they like."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fleets.rollouts.plan import (
    ACTIVE,
    Action,
    Budget,
    Counts,
    Decision,
    RolloutView,
    StageView,
    StageWord,
    State,
    act,
    decide,
)

MOVED = {"offered", "applying", "soaking", "succeeded", "failed", "pending_offline"}
FINAL = {"succeeded", "failed", "excluded", "reverted", "revert_failed"}


@dataclass
class Target:
    """One target. versions: how often the version was made what it should run, and taken back."""

    stage: int
    state: str = "waiting"
    is_online: bool = True
    let_go: int = 0
    taken_back: int = 0


@dataclass
class Stage:
    """What is stored of a stage. judged: how many of its targets were when it passed; later ones were offline."""

    bake: timedelta
    budget: Budget
    word: StageWord = StageWord.WAITING
    bake_until: datetime | None = None
    baked_since: datetime | None = None
    was_skipped: bool = False
    judged: int = 0


@dataclass
class World:
    """The stored state, the clock and the knobs."""

    stages: list[Stage]
    targets: list[Target]
    automatic_rollback: bool = True
    max_in_flight: int = 0
    state: State = State.PENDING
    is_held: bool = False
    is_open: bool = True
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    most_in_flight: int = 0
    ever_begun: set[int] = field(default_factory=set)

    def view(self) -> RolloutView:
        """As the engine would read it."""
        return RolloutView(
            state=self.state,
            stages=tuple(self._stage_view(index) for index in range(len(self.stages))),
            automatic_rollback=self.automatic_rollback,
            max_in_flight=self.max_in_flight,
            is_held=self.is_held,
            is_open=self.is_open,
        )

    def _stage_view(self, index: int) -> StageView:
        stage = self.stages[index]
        mine = [target for target in self.targets if target.stage == index]
        counted = Counter(target.state for target in mine if target.state != "excluded")
        away = sum(target.state == "reverting" and not target.is_online for target in mine)
        counts = Counts(**counted, away=away)
        return StageView(index, stage.word, counts, stage.budget, stage.bake, stage.bake_until)

    def decide(self) -> Decision:
        """Ask the plan."""
        return decide(self.view(), self.now)

    def work(self) -> None:
        """A worker: ask and carry out until nothing changes."""
        for _ in range(4 * len(self.stages) + 8):
            before = self.signature()
            self.carry_out(self.decide())
            if self.signature() == before:
                return
        raise AssertionError("It goes on for ever.")

    def operate(self, action: Action) -> None:
        """A person. Raises NotPossible."""
        self.carry_out(act(self.view(), action, self.now))
        self.is_held = action is Action.PAUSE
        if action is Action.SKIP_BAKE:
            current = self.view().current
            assert current is not None
            self.stages[current.index].was_skipped = True

    def carry_out(self, decision: Decision) -> None:
        """Store what was decided."""
        self.state = decision.state
        for index, word in decision.stages.items():
            self._enter(index, word, decision.bake_until)
        if decision.withdraw:
            for target in self.targets:
                if target.state == "pending_offline":
                    target.state, target.taken_back = "waiting", target.taken_back + 1
        if decision.release:
            self._release(decision)
        if decision.revert:
            self._revert()
        if decision.close:
            for target in self.targets:
                if target.state == "waiting":
                    target.state = "excluded"
        in_flight = sum(one.state in {"offered", "applying", "soaking"} for one in self.targets)
        self.most_in_flight = max(self.most_in_flight, in_flight)

    def _enter(self, index: int, word: StageWord, bake_until: datetime | None) -> None:
        stage = self.stages[index]
        stage.word = word
        if word is StageWord.RUNNING:
            self.ever_begun.add(index)
        if word is StageWord.PASSED:
            stage.judged = self._stage_view(index).counts.moved_and_judged
        if word is StageWord.BAKING:
            stage.bake_until = bake_until
            stage.baked_since = stage.baked_since or self.now

    def _release(self, decision: Decision) -> None:
        left = len(self.targets) if decision.room is None else decision.room
        for target in self.targets:
            if target.state == "waiting" and target.stage in decision.release and left:
                left -= 1
                target.state = "offered" if target.is_online else "pending_offline"
                target.let_go += 1

    def _revert(self) -> None:
        for target in self.targets:
            if target.state in MOVED:
                target.state, target.taken_back = "reverting", target.taken_back + 1

    def signature(self) -> tuple[object, ...]:
        """All that is stored."""
        stages = [(one.word, one.bake_until) for one in self.stages]
        return (self.state, *stages, *[(one.state, one.let_go) for one in self.targets])

    @property
    def is_active(self) -> bool:
        """Whether it still acts."""
        return self.state.value in ACTIVE
