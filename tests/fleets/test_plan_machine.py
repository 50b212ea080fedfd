"""Whatever happens in whatever order, a rollout keeps what it promises: a machine that tries everything."""

from contextlib import suppress
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fleets.rollouts.plan import Action, Budget, NotPossible, StageWord, State
from tests.fleets.plan_world import FINAL, MOVED, Stage, Target, World

_STAGE = st.tuples(
    st.integers(1, 3),  # targets
    st.sampled_from([0, 60, 600]),  # bake, s
    st.one_of(
        st.builds(Budget, percent=st.sampled_from([100, 0, 34])),
        st.builds(Budget, count=st.integers(0, 2)),
    ),
)
_NEXT = {
    "offered": ["applying", "failed", "soaking"],
    "applying": ["soaking", "failed"],
    "soaking": ["succeeded", "failed"],
    "reverting": ["reverted", "revert_failed"],
}


class Rollouts(RuleBasedStateMachine):
    """Answers, silence, clocks, people, workers that die in between, and workers that do everything twice."""

    @initialize(
        stages=st.lists(_STAGE, min_size=1, max_size=3),
        automatic=st.booleans(),
        most=st.integers(0, 2),
        most_a_zone=st.sampled_from([0, 1, 1, 2]),
        zones=st.sampled_from(["a", "ab"]),
    )
    def begin(
        self,
        stages: list[tuple[int, int, Budget]],
        automatic: bool,
        most: int,
        most_a_zone: int,
        zones: str,
    ) -> None:
        places = [index for index, (count, _, _) in enumerate(stages) for _ in range(count)]
        self.world = World(
            [Stage(timedelta(seconds=bake_s), budget) for _, bake_s, budget in stages],
            [Target(index, zones[number % len(zones)]) for number, index in enumerate(places)],
            automatic_rollback=automatic,
            max_in_flight=most,
            zone_limit=most_a_zone,
        )

    @rule()
    def a_worker_works(self) -> None:
        self.world.work()
        settled = self.world.signature()
        self.world.work()
        assert self.world.signature() == settled, "asking again moved something"

    @rule()
    def a_worker_takes_one_step_and_dies(self) -> None:
        self.world.carry_out(self.world.decide())

    @rule()
    def a_worker_carries_a_decision_out_twice(self) -> None:
        decision = self.world.decide()
        self.world.carry_out(decision)
        moved = [target.let_go for target in self.world.targets]
        if self.world.max_in_flight == 0:
            self.world.carry_out(decision)
            assert [target.let_go for target in self.world.targets] == moved

    @rule(pick=st.integers(0, 8), answer=st.integers(0, 2))
    def an_agent_answers(self, pick: int, answer: int) -> None:
        able = [one for one in self.world.targets if one.state in _NEXT and one.is_online]
        if able:
            target = able[pick % len(able)]
            words = _NEXT[target.state]
            target.state = words[answer % len(words)]

    @rule(pick=st.integers(0, 8), seen=st.booleans())
    def one_falls_ill_while_its_stage_is_watched(self, pick: int, seen: bool) -> None:
        watched = {StageWord.RUNNING, StageWord.BAKING}
        able = [
            one
            for one in self.world.targets
            if one.state == "succeeded" and self.world.stages[one.stage].word in watched
        ]
        if able:
            able[pick % len(able)].state = "failed" if seen else "soaking"

    @rule(pick=st.integers(0, 8))
    def an_agent_goes(self, pick: int) -> None:
        target = self.world.targets[pick % len(self.world.targets)]
        target.is_online = False
        if target.state == "offered":
            target.state = "failed"  # not back within the apply timeout

    @rule(pick=st.integers(0, 8))
    def an_agent_returns(self, pick: int) -> None:
        self.world.come_back(self.world.targets[pick % len(self.world.targets)])

    @rule(pick=st.integers(0, 8))
    def one_on_which_it_failed_gets_well(self, pick: int) -> None:
        broken = [one for one in self.world.targets if one.is_broken]
        if broken:
            broken[pick % len(broken)].well_since = self.world.now

    @rule(pick=st.integers(0, 8))
    def a_person_retries(self, pick: int) -> None:
        failed = [one for one in self.world.targets if one.state == "failed"]
        if failed and self.world.is_active and self.world.state is not State.ROLLING_BACK:
            failed[pick % len(failed)].state = "waiting"

    @rule(pick=st.integers(0, 8))
    def a_person_excludes(self, pick: int) -> None:
        target = self.world.targets[pick % len(self.world.targets)]
        if target.state in {"waiting", "failed"}:
            target.state = "excluded"

    @rule(action=st.sampled_from(Action))
    def a_person_acts(self, action: Action) -> None:
        before = self.world.signature()
        with suppress(NotPossible):
            self.world.operate(action)
            return
        assert self.world.signature() == before

    @rule(seconds=st.sampled_from([1, 59, 61, 601]))
    def time_passes(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule(is_open=st.booleans())
    def the_window_opens_or_closes(self, is_open: bool) -> None:
        self.world.is_open = is_open

    # ── what holds at any time ──

    @invariant()
    def no_stage_moves_before_the_one_before_it_has_passed(self) -> None:
        for index, stage in enumerate(self.world.stages):
            if stage.word is StageWord.WAITING:
                mine = [one for one in self.world.targets if one.stage == index]
                assert not any(one.let_go for one in mine)
            elif index:
                assert self.world.stages[index - 1].word in {StageWord.PASSED, StageWord.SKIPPED}

    @invariant()
    def only_a_stage_that_somebody_was_in_has_passed_or_failed(self) -> None:
        for index, stage in enumerate(self.world.stages):
            mine = [one for one in self.world.targets if one.stage == index]
            if stage.word in {StageWord.PASSED, StageWord.FAILED}:
                assert any(one.state != "excluded" or one.let_go for one in mine)

    @invariant()
    def a_stage_bakes_for_as_long_as_it_should(self) -> None:
        for stage in self.world.stages:
            is_over = stage.word is StageWord.PASSED and not stage.was_skipped
            if is_over and stage.bake and stage.judged:
                assert stage.baked_since is not None
                assert self.world.now >= stage.baked_since + stage.bake

    @invariant()
    def nobody_is_let_go_over_a_limit_or_beside_one_of_its_zone_that_is_broken(self) -> None:
        assert self.world.over_limit == []

    @invariant()
    def no_stage_passes_while_one_of_it_soaks(self) -> None:
        assert not self.world.passed_early

    @invariant()
    def nothing_is_let_go_while_it_goes_back_or_after(self) -> None:
        if self.world.state in {State.ROLLED_BACK, State.CANCELLED}:
            assert not any(one.state == "waiting" for one in self.world.targets)
        if self.world.state is State.ROLLED_BACK:
            assert not any(one.state in MOVED for one in self.world.targets)

    @precondition(lambda self: self.world.is_active)
    @rule()
    def a_spent_budget_stops_it(self) -> None:
        self.world.work()
        spent = any(stage.is_budget_spent for stage in self.world.view().stages)
        if spent and self.world.is_active:
            assert self.world.state in {State.PAUSED, State.ROLLING_BACK}
            if self.world.automatic_rollback and not self.world.is_held:
                assert self.world.state is State.ROLLING_BACK or self.world.state is State.PAUSED

    def teardown(self) -> None:
        """In the end, when everybody is there and answers, every target is in one final state."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.is_open = True
        with suppress(NotPossible):
            world.operate(Action.RESUME)
        for _ in range(60):
            for target in world.targets:
                world.come_back(target)
                if target.state == "failed":
                    target.well_since = target.well_since or world.now
                elif target.state in _NEXT:
                    target.state = _NEXT[target.state][-1 if target.state == "applying" else 0]
            world.now += timedelta(seconds=700)
            world.work()
        is_stuck = world.state is State.PAUSED
        assert is_stuck or not world.is_active, world.state
        states = {one.state for one in world.targets}
        assert is_stuck or states <= FINAL, states


Rollouts.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestRollouts = Rollouts.TestCase
