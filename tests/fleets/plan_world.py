"""A rollout in memory that does what the plan says, with targets that answer as they like."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fleets.rollouts.judging import Health
from fleets.rollouts.placing import next_to_go
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
from fleets.rollouts.zones import FailedFacts, broken_zones

IN_MOTION = {"offered", "applying", "soaking"}
MOVED = {"offered", "applying", "soaking", "succeeded", "failed", "pending_offline"}
FINAL = {"succeeded", "failed", "excluded", "reverted", "revert_failed"}


@dataclass(eq=False)
class Target:
    """One target. let_go, taken_back: how often the version was made what it should run, and taken back.

    well_since: since it failed, when it became well; None while it is not.
    """

    stage: int
    zone: str = ""
    state: str = "waiting"
    is_online: bool = True
    let_go: int = 0
    taken_back: int = 0
    well_since: datetime | None = None

    @property
    def is_broken(self) -> bool:
        """The version failed there, and it is not well."""
        return self.state == "failed" and not (self.is_online and self.well_since)


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
    zone_limit: int = 0
    state: State = State.PENDING
    is_held: bool = False
    is_open: bool = True
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    over_limit: list[str] = field(default_factory=list)
    passed_early: bool = False
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

    def _enter(self, index: int, word: StageWord, bake_until: datetime | None) -> None:
        stage = self.stages[index]
        stage.word = word
        if word is StageWord.RUNNING:
            self.ever_begun.add(index)
        if word is StageWord.PASSED:
            counts = self._stage_view(index).counts
            stage.judged = counts.moved_and_judged
            self.passed_early |= counts.in_flight > 0
        if word is StageWord.BAKING:
            stage.bake_until = bake_until
            stage.baked_since = stage.baked_since or self.now

    def _release(self, decision: Decision) -> None:
        waiting = [
            one for one in self.targets if one.state == "waiting" and one.stage in decision.release
        ]
        for target in self._who_may_go(waiting, decision.room):
            self._let_go(target)

    def come_back(self, target: Target) -> None:
        """It is connected again; who was left for this gets the version within the limits."""
        target.is_online = True
        if target.state == "pending_offline" and self._who_may_go([target], self.view().room):
            self._let_go(target)

    def _who_may_go(self, targets: Sequence[Target], room: int | None) -> list[Target]:
        by_uid = {UUID(int=number): one for number, one in enumerate(targets)}
        pairs = [(uid, one.zone if one.is_online else "") for uid, one in by_uid.items()]
        busy = Counter(one.zone for one in self.targets if one.state in IN_MOTION)
        busy += broken_zones(self._failed(), self.now)
        return [by_uid[uid] for uid in next_to_go(pairs, busy, room=room, per_zone=self.zone_limit)]

    def _failed(self) -> list[FailedFacts]:
        return [
            FailedFacts(
                zone=one.zone,
                is_connected=one.is_online,
                health=Health.HEALTHY if one.well_since else Health.UNHEALTHY,
                reports_health=True,
                runs_another=False,
                lacks_it=False,
                failed_at=datetime.min.replace(tzinfo=UTC),
                healthy_since=one.well_since,
                calm=timedelta(),
            )
            for one in self.targets
            if one.state == "failed"
        ]

    def _let_go(self, target: Target) -> None:
        others = [one for one in self.targets if one is not target]
        moving = [one for one in others if one.state in IN_MOTION]
        held = [one for one in others if one.state in IN_MOTION or one.is_broken]
        if target.is_online and self.max_in_flight and len(moving) >= self.max_in_flight:
            self.over_limit.append("in flight")
        in_zone = sum(one.zone == target.zone for one in held)
        if target.is_online and self.zone_limit and in_zone >= self.zone_limit:
            self.over_limit.append(f"zone {target.zone}")
        target.state = "offered" if target.is_online else "pending_offline"
        target.let_go, target.well_since = target.let_go + 1, None

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
