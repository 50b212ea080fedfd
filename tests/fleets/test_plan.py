"""What a rollout does next, without a database."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleets.models import RolloutState, StageState, TargetState
from fleets.rollouts.plan import (
    ACTIVE,
    TRANSITIONS,
    Counts,
    Place,
    RolloutView,
    StageView,
    StageWord,
    State,
    TargetFacts,
    decide,
    place_target,
)


def view(
    state: State, counts: Counts, *, stage: StageWord = StageWord.RUNNING, budget: int = 0
) -> RolloutView:
    return RolloutView(state, (StageView(0, stage, budget, counts),))


def test_its_words_are_those_of_the_models() -> None:
    assert {state.value for state in State} <= set(RolloutState.values)
    assert {word.value for word in StageWord} <= set(StageState.values)
    assert {place.value for place in Place} <= set(TargetState.values)


def test_a_pending_rollout_runs_its_first_stage() -> None:
    waiting = view(State.PENDING, Counts(waiting=3), stage=StageWord.WAITING)
    assert decide(waiting).state is State.RUNNING
    assert decide(replace(waiting, state=State.RUNNING)).stages == {0: StageWord.RUNNING}


def test_a_running_stage_lets_its_targets_go() -> None:
    assert decide(view(State.RUNNING, Counts(waiting=2, applying=1))).release == 0


def test_a_stage_passes_when_nothing_is_expected_any_more_and_offline_ones_do_not_block() -> None:
    decision = decide(view(State.RUNNING, Counts(succeeded=2, pending_offline=1)))
    assert decision.stages == {0: StageWord.PASSED}
    over = decide(view(State.RUNNING, Counts(pending_offline=1), stage=StageWord.PASSED))
    assert over.state is State.SUCCEEDED
    assert over.reason == "1 offline get it when they return."


def test_a_second_stage_waits_for_the_first() -> None:
    first = StageView(0, StageWord.RUNNING, 0, Counts(applying=1))
    second = StageView(1, StageWord.WAITING, 0, Counts(waiting=5))
    assert decide(RolloutView(State.RUNNING, (first, second))).release == 0
    passed = StageView(0, StageWord.PASSED, 0, Counts(succeeded=1))
    assert decide(RolloutView(State.RUNNING, (passed, second))).stages == {1: StageWord.RUNNING}


@pytest.mark.parametrize(
    ("failed", "succeeded", "budget", "paused"),
    [(0, 4, 0, False), (1, 3, 0, True), (1, 3, 25, False), (2, 2, 25, True), (4, 0, 100, False)],
)
def test_more_failures_than_the_budget_pause_it(
    failed: int, succeeded: int, budget: int, paused: bool
) -> None:
    decision = decide(
        view(State.RUNNING, Counts(failed=failed, succeeded=succeeded), budget=budget)
    )
    assert (decision.state is State.PAUSED) is paused
    assert decision.withdraw is paused


def test_it_goes_on_once_a_retry_brings_the_failures_back_within_the_budget() -> None:
    assert decide(view(State.PAUSED, Counts(failed=1, waiting=1))).state is State.PAUSED
    assert decide(view(State.PAUSED, Counts(waiting=2))).state is State.RUNNING


numbers = st.integers(0, 5)


@given(
    st.sampled_from(State),
    st.builds(Counts, numbers, numbers, numbers, numbers, numbers, numbers),
    st.sampled_from(StageWord),
    st.integers(0, 100),
)
def test_every_decision_keeps_to_the_table_and_what_is_over_stays_over(
    state: State, counts: Counts, stage: StageWord, budget: int
) -> None:
    decision = decide(view(state, counts, stage=stage, budget=budget))
    assert decision.state is state or decision.state in TRANSITIONS[state]
    if state.value not in ACTIVE:
        assert decision.release is None
        assert not decision.stages


FACTS = {
    "is_managed": True,
    "accepts_config": True,
    "is_connected": True,
    "is_quarantined": False,
    "has_applied": False,
}


@pytest.mark.parametrize(
    ("change", "place", "is_wanted"),
    [
        ({}, Place.WAITING, True),
        ({"is_connected": False}, Place.PENDING_OFFLINE, True),
        ({"has_applied": True}, Place.SUCCEEDED, True),
        ({"has_applied": True, "is_connected": False}, Place.SUCCEEDED, True),
        ({"is_quarantined": True}, Place.EXCLUDED, True),
        ({"accepts_config": False}, Place.EXCLUDED, False),
        ({"is_managed": False}, Place.EXCLUDED, False),
    ],
)
def test_a_target_is_placed_before_anything_is_offered(
    change: dict[str, bool], place: Place, is_wanted: bool
) -> None:
    placement = place_target(TargetFacts(**{**FACTS, **change}))
    assert placement.place is place
    assert placement.is_wanted is is_wanted
