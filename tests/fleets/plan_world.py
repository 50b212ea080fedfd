"""A rollout in memory that does what the plan says, as the engine does on the database."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fleets.rollouts.counts import Budget, Counts
from fleets.rollouts.judging import Health
from fleets.rollouts.placing import next_to_go, place_lost
from fleets.rollouts.plan import (
    ACTIVE,
    Action,
    Decision,
    RolloutView,
    StageView,
    StageWord,
    State,
    act,
    decide,
)
from fleets.rollouts.zones import FailedFacts, broken_zones

BUSY = {"offered", "applying", "soaking"}
MOVED = {*BUSY, "succeeded", "failed", "pending_offline"}
OPEN = {"waiting", "pending_offline"}


@dataclass(eq=False)
class Target:
    """One target.

    had_it: it ran the version before, which shows once it may go · is_let_go: the version is what it should run ·
    times_let_go: by a release · has_failed: the version failed there and was not tried again · well_since: since it
    failed, when it became well; None while it is not · is_tried_again: a person wanted that, and it is not offered yet.
    """

    stage: int
    zone: str = ""
    had_it: bool = False
    state: str = "waiting"
    is_online: bool = True
    is_let_go: bool = False
    times_let_go: int = 0
    has_failed: bool = False
    well_since: datetime | None = None
    is_tried_again: bool = False

    @property
    def is_broken(self) -> bool:
        """The version failed there, and it is not well."""
        return self.state == "failed" and not (self.is_online and self.well_since)

    @property
    def is_in_motion(self) -> bool:
        """Between being let go and being judged."""
        return self.state in BUSY or (self.state == "waiting" and self.is_let_go)

    @property
    def is_ill(self) -> bool:
        """The version failed there, it is to be tried again, and it is not well."""
        return self.is_tried_again and self.state == "waiting" and not self.well_since

    @property
    def takes_place(self) -> bool:
        """In motion, and not only since a person wants so."""
        return self.is_in_motion and not (self.state == "waiting" and self.is_tried_again)


@dataclass
class Stage:
    """What is stored of a stage."""

    bake: timedelta
    budget: Budget
    word: StageWord = StageWord.WAITING
    bake_until: datetime | None = None


@dataclass
class World:
    """The stored state, the clock and the knobs. hours: since and until when its change window is open, each day."""

    stages: list[Stage]
    targets: list[Target]
    automatic_rollback: bool = True
    max_in_flight: int = 0
    zone_limit: int = 0
    waits_for_offline: bool = False
    hours: tuple[int, int] = (0, 24)
    state: State = State.PENDING
    is_held: bool = False
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def is_active(self) -> bool:
        """Whether it still acts."""
        return self.state.value in ACTIVE

    @property
    def is_open(self) -> bool:
        """Whether something new may start."""
        since, until = self.hours
        return since <= self.now.hour < until

    def of_stage(self, index: int) -> list[Target]:
        """The targets of a stage that were not left out."""
        return [one for one in self.targets if one.stage == index and one.state != "excluded"]

    # ── a worker ──

    def work(self) -> None:
        """Ask and carry out until nothing changes."""
        for _ in range(4 * len(self.stages) + 8):
            before = self.signature()
            self.carry_out(self.decide())
            if self.signature() == before:
                return
        raise AssertionError("It goes on for ever.")

    def decide(self) -> Decision:
        """Ask the plan."""
        return decide(self._view(), self.now)

    def operate(self, action: Action) -> None:
        """A person. Raises NotPossible."""
        decision = act(self._view(), action, self.now)
        self.is_held = action is Action.PAUSE
        self.carry_out(decision)

    def carry_out(self, decision: Decision) -> None:
        """Store what was decided."""
        self._enter(decision.state)
        for index, word in decision.stages.items():
            self._enter_stage(index, word, decision.bake_until)
        if decision.withdraw:
            self._withdraw()
        if decision.revert:
            self._revert()
        if decision.close:
            self._close()
        if decision.release:
            self._release(decision)

    def _enter(self, state: State) -> None:
        self.state = state

    def _enter_stage(self, index: int, word: StageWord, bake_until: datetime | None) -> None:
        stage = self.stages[index]
        stage.word = word
        if word is StageWord.BAKING:
            stage.bake_until = bake_until

    def _withdraw(self) -> None:
        for target in self.targets:
            if target.state in OPEN:
                target.state, target.is_let_go = "waiting", False

    def _revert(self) -> None:
        for target in self.targets:
            if target.state in MOVED or target.is_in_motion or target.has_failed:
                target.state, target.is_let_go, target.has_failed = "reverting", False, False

    def _close(self) -> None:
        for target in self.targets:
            if target.state == "waiting":
                target.state = "excluded"

    def _release(self, decision: Decision) -> None:
        mine = [one for one in self.targets if one.stage in decision.release]
        for target in mine:
            if target.state == "waiting" and target.is_let_go and not target.is_online:
                target.state = "pending_offline"
        waiting = [one for one in mine if one.state == "waiting" and not one.is_let_go]
        for target in self._who_may_go(waiting, decision.room):
            self._let_go(target)

    def _let_go(self, target: Target) -> None:
        target.is_let_go, target.times_let_go = True, target.times_let_go + 1
        if target.had_it:
            target.state = "succeeded"
        elif not target.is_online:
            target.state = "pending_offline"

    def _who_may_go(self, targets: Sequence[Target], room: int | None) -> list[Target]:
        by_uid = {UUID(int=number): one for number, one in enumerate(targets)}
        pairs = [(uid, one.zone if one.is_online else "") for uid, one in by_uid.items()]
        busy = Counter(one.zone for one in self.targets if one.is_in_motion)
        busy += broken_zones(self._failed(), self.now)
        return [by_uid[uid] for uid in next_to_go(pairs, busy, room=room, per_zone=self.zone_limit)]

    # ── gateways, agents and people ──

    def offer(self, target: Target) -> None:
        """A gateway looks what it should run. Who was left for its return, or is tried again, gets it within the limits."""
        if not (target.is_online and target.is_let_go and target.state in OPEN):
            return
        is_away = target.state == "pending_offline"
        is_limited = is_away or target.is_tried_again
        if is_limited and not ((self.is_open or not is_away) and self._may_be_offered(target)):
            return
        target.state, target.well_since, target.is_tried_again = "offered", None, False

    def _may_be_offered(self, target: Target) -> bool:
        """As fleets.rollouts.engine.returning asks."""
        moving = Counter(one.zone for one in self.targets if one.takes_place)
        down = Counter(one.zone for one in self.targets if one.is_ill)
        down += broken_zones(self._failed(), self.now)
        room = max(0, self.max_in_flight - moving.total()) if self.max_in_flight else None
        turn = (UUID(int=0), "" if target.is_ill else target.zone)
        return bool(next_to_go([turn], moving + down, room=room, per_zone=self.zone_limit))

    def lose(self, target: Target) -> None:
        """What it was offered is proved not to have arrived, be it after the end."""
        placement = place_lost(self.state)
        target.state, target.is_let_go = placement.place.value, placement.is_wanted

    def answer(self, target: Target, state: str) -> None:
        """What comes of an offer."""
        target.state, target.has_failed = state, state == "failed"

    def retry(self, target: Target) -> None:
        """A person wants the version to be tried there once more."""
        target.state, target.is_let_go, target.has_failed = "waiting", True, False
        target.is_tried_again = True

    def leave_out(self, target: Target) -> None:
        """A person wants it to be no target any more."""
        if target.state in OPEN:
            target.is_let_go = False
        target.state = "excluded"

    # ── what is stored ──

    def signature(self) -> tuple[object, ...]:
        """All of it."""
        stages = [(one.word, one.bake_until) for one in self.stages]
        targets = [(one.state, one.is_let_go, one.times_let_go) for one in self.targets]
        return (self.state, *stages, *targets)

    def _view(self) -> RolloutView:
        return RolloutView(
            state=self.state,
            stages=tuple(self._stage_view(index) for index in range(len(self.stages))),
            automatic_rollback=self.automatic_rollback,
            max_in_flight=self.max_in_flight,
            is_held=self.is_held,
            is_open=self.is_open,
            waits_for_offline=self.waits_for_offline,
            has_failed_alone=self.has_failed_alone,
        )

    @property
    def has_failed_alone(self) -> bool:
        """It failed, and nobody runs it or is to get it."""
        left = {one.state for one in self.targets} - {"failed", "excluded"}
        return not left and any(one.has_failed for one in self.targets)

    def _stage_view(self, index: int) -> StageView:
        stage, mine = self.stages[index], self.of_stage(index)
        counts = Counts(
            **Counter(one.state for one in mine),
            had_it=sum(one.had_it and one.state == "succeeded" for one in mine),
            let_go=sum(one.is_let_go and one.state == "waiting" for one in mine),
            away=sum(one.state == "reverting" and not one.is_online for one in mine),
        )
        return StageView(index, stage.word, counts, stage.budget, stage.bake, stage.bake_until)

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
