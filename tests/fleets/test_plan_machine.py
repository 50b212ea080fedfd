"""Whatever happens in whatever order, a rollout keeps what it promises: a machine that tries everything.

What is promised, and how that is checked at each step: tests/fleets/plan_oracle.py.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fleets.rollouts.counts import Budget
from fleets.rollouts.plan import Action, NotPossible, StageWord, State
from tests.fleets.plan_oracle import Watched
from tests.fleets.plan_world import BUSY, OPEN, Stage, Target

_BUDGET = st.one_of(
    st.builds(Budget, percent=st.sampled_from([0, 34, 50])),
    st.builds(Budget, count=st.integers(0, 1)),
)
_STAGE = st.builds(
    Stage, bake=st.sampled_from([0, 60, 600]).map(lambda s: timedelta(seconds=s)), budget=_BUDGET
)
_TARGET = st.builds(
    Target,
    stage=st.sampled_from([0, 1, 2]),
    zone=st.sampled_from("ab"),
    had_it=st.sampled_from([False, False, False, True]),
    is_online=st.booleans(),
)
_KNOBS = st.fixed_dictionaries(
    {
        "automatic_rollback": st.booleans(),
        "max_in_flight": st.sampled_from([0, 0, 1, 2]),
        "zone_limit": st.sampled_from([0, 0, 0, 1, 2]),
        "waits_for_offline": st.sampled_from([False, False, True]),
        "hours": st.sampled_from([(0, 24), (9, 17)]),
        "now": st.sampled_from([datetime(2026, 1, 1, hour, 59, tzinfo=UTC) for hour in (8, 16)]),
    }
)
_PLAN = st.tuples(
    st.lists(_STAGE, min_size=2, max_size=3), st.lists(_TARGET, min_size=3, max_size=7), _KNOBS
)
Plan = tuple[list[Stage], list[Target], dict[str, Any]]
_NEXT = {
    "offered": ["applying", "failed", "soaking"],
    "applying": ["soaking", "failed"],
    "soaking": ["succeeded", "failed"],
    "reverting": ["reverted", "revert_failed"],
}
_ANY = st.integers(0, 6)
_ACTIONS = [*[Action.PAUSE, Action.RESUME] * 2, Action.ROLL_BACK, Action.CANCEL]
_STEPS = st.sampled_from([None, None, None, 0, 1, 2])
"""How many steps a worker takes before it dies; None: all that there are."""


def is_active(machine: "Rollouts") -> bool:
    return machine.world.is_active


def has(*states: str) -> Callable[["Rollouts"], bool]:
    """A rule's precondition: it acts, and there is a target in one of these states."""
    return lambda machine: (
        machine.world.is_active and any(one.state in states for one in machine.world.targets)
    )


class Rollouts(RuleBasedStateMachine):
    """Answers, silence, clocks, people, workers that die in between, and workers that do everything twice."""

    reached: ClassVar[Counter[str]] = Counter()

    @initialize(plan=_PLAN, steps=_STEPS)
    def begin(self, plan: Plan, steps: int | None) -> None:
        stages, members, knobs = plan
        for index, target in enumerate(members):  # somebody is in each, and the others anywhere
            target.stage = (index if index < len(stages) else target.stage) % len(stages)
        self.world = Watched(stages, members, reached=self.reached, **knobs)
        self._work(steps)

    @precondition(lambda self: not self.world.is_active)
    @rule(plan=_PLAN, steps=_STEPS)
    def the_next_one_begins(self, plan: Plan, steps: int | None) -> None:
        self.world.finish()
        self.begin(plan, steps)

    # ── workers ──

    @precondition(is_active)
    @rule()
    def a_worker_works(self) -> None:
        self.world.work()
        settled = self.world.signature()
        self.world.work()
        assert self.world.signature() == settled, "asking again moved something"

    def _work(self, steps: int | None) -> None:
        if steps is None:
            self.world.work()
        for _ in range(steps or 0):
            self.world.carry_out(self.world.decide())

    @precondition(is_active)
    @rule()
    def a_decision_is_carried_out_twice(self) -> None:
        decision = self.world.decide()
        assert self.world.decide() == decision
        self.world.carry_out(decision)
        once = self.world.signature()
        if self.world.max_in_flight or self.world.zone_limit:
            decision = replace(
                decision, release=()
            )  # who fills a limit is asked anew, under the lock
        self.world.carry_out(decision)
        assert self.world.signature() == once, "the second time moved something"

    # ── agents ──

    def _one(self, number: int, *states: str) -> Target:
        able = [one for one in self.world.targets if one.state in states]
        return able[number % len(able)]

    def _everybody_is_offered(self) -> None:
        for target in self.world.targets:
            self.world.offer(target)

    @precondition(has(*OPEN))
    @rule()
    def gateways_offer(self) -> None:
        self._everybody_is_offered()

    @precondition(has(*_NEXT))
    @rule(number=_ANY, answer=st.integers(0, 2), steps=_STEPS)
    def one_answers(self, number: int, answer: int, steps: int | None) -> None:
        target = self._one(number, *_NEXT)
        if target.is_online:
            words = _NEXT[target.state]
            self.world.answer(target, words[answer % len(words)])
        self._work(steps)

    @precondition(is_active)
    @rule(late=st.integers(0, 2), steps=_STEPS)
    def all_answer_well(self, late: int, steps: int | None) -> None:
        """late: the stages before this one do not yet."""
        self._everybody_is_offered()
        for target in self.world.targets:
            if target.state in BUSY and target.is_online and target.stage >= late:
                self.world.answer(target, "succeeded")
        self._work(steps)

    @precondition(has("waiting", *BUSY))
    @rule(number=_ANY, steps=_STEPS)
    def the_version_fails_on_one(self, number: int, steps: int | None) -> None:
        self._everybody_is_offered()
        if has(*BUSY)(self):
            self.world.answer(self._one(number, *BUSY), "failed")
        self._work(steps)

    @precondition(has("pending_offline"))
    @rule(fails=st.booleans(), steps=_STEPS)
    def the_first_that_it_was_left_for_returns(self, fails: bool, steps: int | None) -> None:
        target = self._one(0, "pending_offline")
        target.is_online = True
        self.world.offer(target)
        if fails and target.state == "offered":
            self.world.answer(target, "failed")
        self._work(steps)

    @precondition(has("pending_offline"))
    @rule()
    def the_others_are_done_before_one_that_returns(self) -> None:
        late = self._one(0, "pending_offline")
        late.is_online = True
        self._everybody_is_offered()
        for _ in range(2):
            for target in self.world.targets:
                if target is not late and target.is_online and target.state in BUSY:
                    self.world.answer(target, "succeeded")
            self.world.work()
            self.world.now += timedelta(seconds=601)
            self.world.work()

    @precondition(has("waiting", *BUSY))
    @rule(number=_ANY)
    def it_fails_while_it_is_paused_and_a_person_resumes_it(self, number: int) -> None:
        self._everybody_is_offered()
        self._act(Action.PAUSE, None)
        if has(*BUSY)(self):
            self.world.answer(self._one(number, *BUSY), "failed")
        self.world.work()
        self._act(Action.RESUME, None)

    @precondition(has("waiting", "offered"))
    @rule(number=_ANY)
    def an_offer_is_lost(self, number: int) -> None:
        self._everybody_is_offered()
        self._lose_one(number)

    def _lose_one(self, number: int) -> None:
        if any(one.state == "offered" for one in self.world.targets):
            self.reached[f"lost while it is {self.world.state}"] += 1
            self.world.lose(self._one(number, "offered"))

    @precondition(has("waiting", "offered"))
    @rule(number=_ANY, action=st.sampled_from([Action.PAUSE, Action.CANCEL]))
    def an_offer_is_lost_once_a_person_has_stopped_it(self, number: int, action: Action) -> None:
        self._everybody_is_offered()
        self._act(action, None)
        self._lose_one(number)
        self._everybody_is_offered()

    @precondition(lambda self: self.world.state is State.SUCCEEDED)
    @rule(number=_ANY)
    def an_offer_is_lost_on_a_return_after_the_end(self, number: int) -> None:
        if any(one.state == "pending_offline" for one in self.world.targets):
            target = self._one(number, "pending_offline")
            target.is_online = True
            self.world.offer(target)
            self._lose_one(number)

    @precondition(has("succeeded"))
    @rule(number=_ANY, state=st.sampled_from(["failed", "soaking"]))
    def one_falls_ill_while_its_stage_is_watched(self, number: int, state: str) -> None:
        target = self._one(number, "succeeded")
        if self.world.stages[target.stage].word in {StageWord.RUNNING, StageWord.BAKING}:
            self.world.answer(target, state)

    def _comes_to_a_bake(self) -> bool:
        """All answer well, and a worker works: whether a stage bakes now."""
        self.all_answer_well(0, None)
        return self.world.state is State.BAKING

    @precondition(is_active)
    @rule(number=_ANY)
    def one_dies_in_the_bake(self, number: int) -> None:
        if self._comes_to_a_bake() and has("succeeded")(self):
            self.one_falls_ill_while_its_stage_is_watched(number, "failed")
            self.world.work()

    @rule(number=_ANY)
    def one_goes(self, number: int) -> None:
        target = self.world.targets[number % len(self.world.targets)]
        target.is_online = False
        if target.state == "offered":
            self.world.answer(target, "failed")  # not back within the apply timeout

    @rule(number=_ANY)
    def one_returns(self, number: int) -> None:
        target = self.world.targets[number % len(self.world.targets)]
        target.is_online = True
        self.world.offer(target)

    @precondition(has("failed"))
    @rule(number=_ANY)
    def one_on_which_it_failed_gets_well(self, number: int) -> None:
        self._one(number, "failed").well_since = self.world.now

    # ── people ──

    @precondition(has("failed"))
    @rule(number=_ANY, steps=_STEPS)
    def a_person_retries(self, number: int, steps: int | None) -> None:
        self.world.retry(self._one(number, "failed"))
        self.reached["tried again"] += 1
        self._work(steps)

    @precondition(has("failed"))
    @rule(steps=_STEPS)
    def a_person_retries_all(self, steps: int | None) -> None:
        for target in self.world.targets:
            if target.state == "failed":
                self.world.retry(target)
        self._work(steps)
        self._everybody_is_offered()

    @precondition(has("failed", *OPEN))
    @rule(number=_ANY)
    def a_person_leaves_one_out(self, number: int) -> None:
        self.world.leave_out(self._one(number, "failed", *OPEN))

    def _act(self, action: Action, steps: int | None) -> None:
        with suppress(NotPossible):
            self.world.operate(action)
        self._work(steps)

    @precondition(is_active)
    @rule(action=st.sampled_from(_ACTIONS), steps=_STEPS)
    def a_person_acts_while_offers_are_out(self, action: Action, steps: int | None) -> None:
        self._everybody_is_offered()
        self._act(action, steps)

    @precondition(is_active)
    @rule()
    def a_person_skips_the_bake(self) -> None:
        if self._comes_to_a_bake():
            self.world.operate(Action.SKIP_BAKE)
            self.world.work()

    # ── the clock ──

    @precondition(is_active)
    @rule(seconds=st.sampled_from([59, 61, 601, 8 * 3600, 16 * 3600]), steps=_STEPS)
    def time_passes(self, seconds: int, steps: int | None) -> None:
        self.world.now += timedelta(seconds=seconds)
        self._work(steps)

    @precondition(lambda self: self.world.is_open and has("waiting")(self))
    @rule(steps=_STEPS)
    def the_window_closes_on_those_that_wait(self, steps: int | None) -> None:
        self.world.now += timedelta(hours=self.world.hours[1] - self.world.now.hour)
        self._work(steps)

    @precondition(is_active)
    @rule(early=st.booleans(), steps=_STEPS)
    def a_bake_comes_to_its_end(self, early: bool, steps: int | None) -> None:
        self._comes_to_a_bake()
        for index, stage in enumerate(self.world.stages):
            if stage.word is StageWord.BAKING:
                end = self.world.baked_since[index] + stage.bake - timedelta(seconds=early)
                self.world.now = max(self.world.now, end)
        self._work(steps)

    # ── what holds at any time ──

    @invariant()
    def what_happened_is_seen_when_it_does(self) -> None:
        if hasattr(self, "world"):
            self.world.observe()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.finish()


REACHED = {
    *("lost while it is running", "lost while it is paused"),
    *("lost while it is cancelled", "lost while it is succeeded"),
    *("let go", "tried again", "offered once more"),
    *("offered on its return", "a bake that was waited for"),
    *(f"a person: {action}" for action in Action),
    *(f"a stage {word}" for word in StageWord if word is not StageWord.WAITING),
    *("running to rolling_back", "baking to rolling_back", "paused to rolling_back"),
    *("running to paused", "paused to running", "running to succeeded"),
    "rolling_back to rolled_back",
}


def test_whatever_happens_in_whatever_order_a_rollout_keeps_its_promises() -> None:
    Rollouts.reached.clear()
    run_state_machine_as_test(
        Rollouts,
        settings=settings(
            max_examples=300, stateful_step_count=60, deadline=None, derandomize=True
        ),
    )
    rare = {one for one in REACHED if Rollouts.reached[one] < 3}
    assert not rare, "the machine hardly ever gets there"
