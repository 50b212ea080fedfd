"""What a rollout promises, held against what happens to one: computed anew from the targets, the clock and the knobs,
as ../shared/design/rollouts.md says it, and never by asking the plan.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from fleets.rollouts.plan import Action, Decision, NotPossible, StageWord, State
from tests.fleets.plan_world import Target, World

_BEHIND = {StageWord.PASSED, StageWord.SKIPPED}
_EXPECTED = {"waiting", "offered", "applying", "soaking"}
_JUDGED = {"succeeded", "failed", "reverting", "reverted", "revert_failed"}
_NOT_OFFERED = {"waiting", "pending_offline", "excluded"}
_GOING = {State.RUNNING, State.BAKING}
_STOPPED = {State.PAUSED, State.CANCELLED, State.ROLLING_BACK}
_OFFERING = {*_GOING, State.SUCCEEDED}
_STANDING = {State.PENDING, State.PAUSED, *_GOING}
_MAY = {
    Action.PAUSE: _STANDING - {State.PAUSED},
    Action.RESUME: {State.PAUSED},
    Action.ROLL_BACK: _STANDING - {State.PENDING},
    Action.CANCEL: _STANDING,
    Action.SKIP_BAKE: {State.BAKING},
}
_ENDS = {
    State.SUCCEEDED: {"succeeded", "failed", "excluded"},
    State.CANCELLED: {"succeeded", "failed", "excluded"},
    State.ROLLED_BACK: {"reverted", "revert_failed", "excluded"},
}
_WELL = {"offered": "succeeded", "applying": "succeeded", "soaking": "succeeded"}


@dataclass
class Watched(World):
    """A rollout of which every step is checked; broken promises raise AssertionError.

    is_paused: a person paused it, and nobody has changed that · wants: what a person does right now · judged_at: since
    when all of a stage are judged, by its index · unbaked: stages of which a person skipped the bake · baked_since: when
    a stage was first seen to bake · tried_again: whom a person wanted to be tried again, and who was not offered it
    since · reached: what happened how often, of all rollouts.
    """

    reached: Counter[str] = field(default_factory=Counter)
    is_paused: bool = False
    wants: Action | None = None
    judged_at: dict[int, datetime] = field(default_factory=dict)
    unbaked: set[int] = field(default_factory=set)
    tried_again: set[Target] = field(default_factory=set)
    baked_since: dict[int, datetime] = field(default_factory=dict)

    # ── what is so at any time ──

    def is_spent(self) -> bool:
        """Whether in any stage more failed than may, of those that get the version."""
        for index, stage in enumerate(self.stages):
            mine = self.of_stage(index)
            tried = [one for one in mine if not (one.had_it and one.state == "succeeded")]
            failed = sum(one.state == "failed" for one in mine)
            if stage.budget.count is not None:
                is_over = failed > stage.budget.count
            else:
                is_over = failed > 0 and Fraction(failed, len(tried)) > Fraction(
                    stage.budget.percent, 100
                )
            if is_over:
                return True
        return False

    def is_expected(self, index: int) -> bool:
        """Whether an answer of somebody in this stage is waited for."""
        blocking = _EXPECTED | ({"pending_offline"} if self.waits_for_offline else set())
        return any(one.state in blocking for one in self.of_stage(index))

    def is_watchable(self, index: int) -> bool:
        """Whether all of a stage are judged, and there is somebody to be watched while it bakes."""
        is_somebody_there = any(one.state in _JUDGED for one in self.of_stage(index))
        return is_somebody_there and not self.is_expected(index)

    def observe(self) -> None:
        """Take in what happened since, at the moment when it did."""
        for index, stage in enumerate(self.stages):
            if self.is_watchable(index):
                self.judged_at.setdefault(index, self.now)
            elif stage.word is StageWord.RUNNING:
                self.judged_at.pop(index, None)
        if self.is_paused:
            assert self.state is State.PAUSED, f"what a person paused is {self.state}"

    # ── steps, each with its promises ──

    def work(self) -> None:
        """The same, until nothing is left to be done: then nothing that should have been is."""
        super().work()
        self.observe()
        if self.is_spent() and not self.is_paused and self.is_active:
            assert not self.automatic_rollback, f"the budget is spent, and it is {self.state}"
            assert self.state is State.PAUSED, f"the budget is spent, and it is {self.state}"
        if self.state is State.PAUSED and not self.is_paused:
            assert self.is_spent(), "it is paused for nothing"
        if self.state is State.PENDING:
            assert not self.is_open, "it does not begin"
        if self.state is State.ROLLING_BACK:
            states = {one.state for one in self.targets}
            assert states <= {"reverting", *_ENDS[State.ROLLED_BACK]}, "not all go back"
            assert self._some_are_going_back(), "it waits for nobody, and is not over"
        if self.state in _GOING:
            self._goes_on()

    def _goes_on(self) -> None:
        """What nobody and nothing holds up has gone on."""
        begun = [
            one for one, stage in enumerate(self.stages) if stage.word is not StageWord.WAITING
        ]
        if any(self.is_expected(index) for index in begun):
            return
        for index in begun:
            if self.stages[index].word is StageWord.BAKING:
                assert index not in self.unbaked, "it bakes on though a person skipped that"
                over = self.baked_since[index] + self.stages[index].bake
                assert self.now < over, "its bake is over, and it does not go on"
                return
        assert not self.is_open, "it waits for nobody, and does not go on"

    def carry_out(self, decision: Decision) -> None:
        """The same; where it stops nobody is offered the version any more."""
        self.observe()
        before = self.state
        super().carry_out(decision)
        if self.state is not before and self.state in _STOPPED:
            left = [one for one in self.targets if one.is_let_go and one.state in _NOT_OFFERED]
            assert all(one.has_failed for one in left), "it stops, and some are offered it still"

    def _some_are_going_back(self) -> bool:
        return any(one.state == "reverting" and one.is_online for one in self.targets)

    def operate(self, action: Action) -> None:
        """The same, held against what people may do when."""
        is_stuck = self.is_spent() and not self.automatic_rollback and not self.is_paused
        may = self.state in _MAY[action] and not (action is Action.RESUME and is_stuck)
        before, self.wants = self.signature(), action
        was_paused, self.is_paused = self.is_paused, False
        try:
            super().operate(action)
        except NotPossible:
            assert not may, f"{action} is refused though it is {self.state}"
            assert self.signature() == before
            self.is_paused = was_paused
            raise
        finally:
            self.wants = None
        assert may, f"{action} was possible"
        self.reached[f"a person: {action}"] += 1
        self.is_paused = action is Action.PAUSE
        if action is Action.SKIP_BAKE:
            words = [stage.word for stage in self.stages]
            self.unbaked.add(words.index(StageWord.BAKING))

    def _enter(self, state: State) -> None:
        before = self.state
        super()._enter(state)
        if state is before:
            return
        self.reached[f"{before} to {state}"] += 1
        assert before in _STANDING | {State.ROLLING_BACK}, f"it is over, and becomes {state}"
        if before is State.ROLLING_BACK:
            assert state is State.ROLLED_BACK
        asked = self.wants
        if state is State.ROLLING_BACK:
            is_due = self.automatic_rollback and before in _GOING and self.is_spent()
            assert is_due or asked is Action.ROLL_BACK, "it goes back for nothing"
        elif state is State.ROLLED_BACK:
            assert before is State.ROLLING_BACK
            left = [one.state for one in self.targets if one.state in _EXPECTED | _JUDGED]
            assert set(left) <= {"reverting", "reverted", "revert_failed"}, left
            assert not self._some_are_going_back(), "it is over, and some are still going back"
        elif state is State.SUCCEEDED:
            assert not self.is_spent(), "it has succeeded with a budget spent"
            assert not self.has_failed_alone, "it has succeeded, and nobody runs it"
            assert all(stage.word in _BEHIND for stage in self.stages)
            assert not any(self.is_expected(index) for index in range(len(self.stages)))
        elif state is State.PAUSED:
            assert asked is Action.PAUSE or (self.is_spent() and not self.automatic_rollback)
        elif state is State.CANCELLED:
            assert asked is Action.CANCEL or self.has_failed_alone
        elif before is State.PENDING:
            assert self.is_open, "it begins outside of its window"
        elif before is State.PAUSED:
            assert asked is Action.RESUME or not self.is_spent()

    def _enter_stage(self, index: int, word: StageWord, bake_until: datetime | None) -> None:
        stage = self.stages[index]
        before = stage.word
        super()._enter_stage(index, word, bake_until)
        if word is before:
            return
        self.reached[f"a stage {word}"] += 1
        if word is StageWord.RUNNING:
            self._may_go_on(index)
            for earlier in range(index):
                assert not self.is_expected(earlier), "an earlier stage still waits for somebody"
        if word is StageWord.BAKING:
            self.baked_since[index] = self.now
            assert self.is_watchable(index), "it bakes with nobody to watch"
        if word in _BEHIND:
            assert not self.is_expected(index), "it passes with somebody under way"
            assert self._is_baked(index), "it passes before its bake is over"
            assert (word is StageWord.SKIPPED) is (not self.of_stage(index))

    def _is_baked(self, index: int) -> bool:
        bake = self.stages[index].bake
        if not (bake and self.is_watchable(index)) or index in self.unbaked:
            return True
        since = max(self.judged_at[index], self.baked_since.get(index, self.judged_at[index]))
        self.reached["a bake that was waited for"] += self.now >= since + bake
        return self.now >= since + bake

    def _may_go_on(self, index: int) -> None:
        """Something new of this stage may start now."""
        assert self.state in _GOING, f"something starts while it is {self.state}"
        assert self.is_open, "something starts outside of the window"
        assert not self.is_spent(), "something starts with the budget spent"
        assert all(stage.word in _BEHIND for stage in self.stages[:index])

    def _release(self, decision: Decision) -> None:
        # Asked of the decision: letting go shows who had the version before, and fewer are tried then.
        for index in decision.release:
            self._may_go_on(index)
        super()._release(decision)

    def _let_go(self, target: Target) -> None:
        assert self.stages[target.stage].word is not StageWord.WAITING, "its stage has not begun"
        self._is_within_limits(target)
        super()._let_go(target)
        self.reached["let go"] += 1

    def offer(self, target: Target) -> None:
        """The same; who returns or is tried again is held to the limits too, and nobody is offered what has stopped."""
        before, was_down = target.state, target.is_ill
        super().offer(target)
        if target.state == before:
            return
        is_again = target in self.tried_again
        assert self.state in _OFFERING or is_again, f"offered though {self.state}"
        self.tried_again.discard(target)
        if before == "pending_offline":
            self.reached["offered on its return"] += 1
            assert self.is_open
        if is_again:
            self.reached["offered once more"] += 1
        if before == "pending_offline" or is_again or self.state is State.SUCCEEDED:
            self._is_beside(target, was_down=was_down)

    def _is_beside(self, target: Target, *, was_down: bool) -> None:
        """No more are between the offer and the judgement than may, and of its zone no more are down for it."""
        others = [one for one in self.targets if one is not target]
        busy = [one for one in others if one.takes_place]
        if self.max_in_flight:
            assert len(busy) < self.max_in_flight, "more are in flight than may"
        down = [one for one in others if one.zone == target.zone and (one in busy or one.is_broken)]
        if self.zone_limit and not was_down:
            assert len(down) < self.zone_limit, "more of a zone are down than may"

    def retry(self, target: Target) -> None:
        """The same: what a person wants to be tried again is offered in a pause too."""
        super().retry(target)
        self.tried_again.add(target)

    def _is_within_limits(self, target: Target) -> None:
        others = [one for one in self.targets if one is not target]
        moving = [one for one in others if one.is_in_motion]
        in_zone = [one for one in others if one.zone == target.zone]
        held = [one for one in in_zone if one.is_in_motion or one.is_broken]
        if target.is_online and self.max_in_flight:
            assert len(moving) < self.max_in_flight, "more are in flight than may"
        if target.is_online and self.zone_limit:
            assert len(held) < self.zone_limit, "more of a zone are down than may"

    # ── the end ──

    def finish(self) -> None:
        """Everybody is there and answers, and people go on or take it back: it ends, each target in one final state."""
        for _ in range(60):
            if self.state is State.PAUSED:
                self.operate(Action.RESUME if self.is_paused else Action.ROLL_BACK)
            for target in self.targets:
                target.is_online = True
                self.offer(target)
                if target.state == "reverting":
                    target.state = "reverted"
                elif target.state == "failed":
                    target.well_since = target.well_since or self.now
                else:
                    target.state = _WELL.get(target.state, target.state)
            self.work()
            self.now += timedelta(seconds=700) if self.is_open else timedelta(hours=1)
            if not self.is_active and all(one.state in _ENDS[self.state] for one in self.targets):
                break
        assert not self.is_active, f"it is {self.state} for ever"
        assert {one.state for one in self.targets} <= _ENDS[self.state]
        if self.state is State.ROLLED_BACK:
            assert not any(one.is_let_go for one in self.targets), "one keeps the version"
        ended = self.signature()
        for action in Action:
            with suppress(NotPossible):
                self.operate(action)
                raise AssertionError(f"{action} is possible after the end")
        self.work()
        assert self.signature() == ended, "it is over, and something changes"
