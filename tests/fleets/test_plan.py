"""What a rollout does next, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleets.models import RolloutState, StageState, TargetState
from fleets.rollouts.counts import Budget, Counts
from fleets.rollouts.placing import Again, Place, TargetFacts, place_target, way_again
from fleets.rollouts.plan import (
    ACTIVE,
    TRANSITIONS,
    Action,
    Decision,
    NotPossible,
    RolloutView,
    StageView,
    StageWord,
    State,
    act,
)
from fleets.rollouts.plan import decide as decide_at

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)


def view(
    state: State, counts: Counts, *, stage: StageWord = StageWord.RUNNING, budget: int = 0
) -> RolloutView:
    return RolloutView(state, (StageView(0, stage, counts, Budget(budget)),))


def decide(view: RolloutView) -> Decision:
    return decide_at(view, NOON)


def test_its_words_are_those_of_the_models() -> None:
    assert {state.value for state in State} <= set(RolloutState.values)
    assert {word.value for word in StageWord} <= set(StageState.values)
    assert {place.value for place in Place} <= set(TargetState.values)


def test_a_pending_rollout_runs_its_first_stage() -> None:
    waiting = view(State.PENDING, Counts(waiting=3), stage=StageWord.WAITING)
    assert decide(waiting).state is State.RUNNING
    assert decide(replace(waiting, state=State.RUNNING)).stages == {0: StageWord.RUNNING}


def test_a_running_stage_lets_its_targets_go() -> None:
    assert decide(view(State.RUNNING, Counts(waiting=2, applying=1))).release == (0,)


def test_a_stage_passes_when_nothing_is_expected_any_more_and_offline_ones_do_not_block() -> None:
    decision = decide(view(State.RUNNING, Counts(succeeded=2, pending_offline=1)))
    assert decision.stages == {0: StageWord.PASSED}
    over = decide(view(State.RUNNING, Counts(pending_offline=1), stage=StageWord.PASSED))
    assert over.state is State.SUCCEEDED
    assert over.reason == "1 was offline when it ended."


def test_offline_ones_hold_up_their_stage_where_that_is_wanted() -> None:
    away = view(State.RUNNING, Counts(succeeded=2, pending_offline=1))
    waits = replace(away, waits_for_offline=True)
    assert (decide(waits).state, decide(waits).stages) == (State.RUNNING, {})
    there = replace(waits, stages=(replace(waits.stages[0], counts=Counts(succeeded=3)),))
    assert decide(there).stages == {0: StageWord.PASSED}


def test_a_second_stage_waits_for_the_first() -> None:
    first = StageView(0, StageWord.RUNNING, Counts(applying=1))
    second = StageView(1, StageWord.WAITING, Counts(waiting=5))
    assert decide(RolloutView(State.RUNNING, (first, second))).release == (0,)
    passed = StageView(0, StageWord.PASSED, Counts(succeeded=1))
    assert decide(RolloutView(State.RUNNING, (passed, second))).stages == {1: StageWord.RUNNING}


def test_one_of_an_earlier_stage_that_is_tried_again_and_away_holds_up_all_where_that_is_wanted() -> (
    None
):
    passed = StageView(0, StageWord.PASSED, Counts(succeeded=1, pending_offline=1))
    for second in (StageWord.WAITING, StageWord.PASSED):
        counts = Counts(waiting=1) if second is StageWord.WAITING else Counts(succeeded=1)
        goes_on = RolloutView(State.RUNNING, (passed, StageView(1, second, counts)))
        found = decide(replace(goes_on, waits_for_offline=True))
        assert (found.state, found.stages) == (State.RUNNING, {})
        assert decide(goes_on) != found


def test_those_of_an_earlier_stage_that_are_tried_again_come_before_the_next_stage() -> None:
    second = StageView(1, StageWord.WAITING, Counts(waiting=5))
    for counts in (Counts(waiting=1), Counts(succeeded=1, soaking=1)):
        first = StageView(0, StageWord.PASSED, counts)
        decision = decide(RolloutView(State.RUNNING, (first, second)))
        assert (decision.release, decision.stages) == ((0,), {})


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


def test_a_stage_bakes_once_all_are_judged_and_passes_after_that() -> None:
    stage = StageView(0, StageWord.RUNNING, Counts(succeeded=3), bake=FIVE_MINUTES)
    begins = decide(RolloutView(State.RUNNING, (stage,)))
    assert (begins.state, begins.stages) == (State.BAKING, {0: StageWord.BAKING})
    assert begins.bake_until == NOON + FIVE_MINUTES
    baking = replace(stage, state=StageWord.BAKING, bake_until=begins.bake_until)
    whole = RolloutView(State.BAKING, (baking,))
    assert decide(whole).stages == {}
    assert decide_at(whole, NOON + FIVE_MINUTES).stages == {0: StageWord.PASSED}
    skipped = act(whole, Action.SKIP_BAKE, NOON)
    assert skipped.bake_until == NOON


def test_a_spent_budget_takes_everything_back_where_that_is_wanted() -> None:
    spent = replace(view(State.RUNNING, Counts(failed=1, succeeded=1)), automatic_rollback=True)
    assert decide(spent).state is State.ROLLING_BACK
    assert decide(spent).stages == {0: StageWord.FAILED}
    back = view(State.ROLLING_BACK, Counts(failed=1, succeeded=1), stage=StageWord.FAILED)
    assert (decide(back).revert, decide(back).close) == (True, True)
    passed = StageView(0, StageWord.PASSED, Counts(failed=1, succeeded=1))
    under_way = StageView(1, StageWord.RUNNING, Counts(applying=1))
    both = RolloutView(State.RUNNING, (passed, under_way), automatic_rollback=True)
    assert decide(both).stages == {0: StageWord.FAILED, 1: StageWord.STOPPED}
    to_come = replace(both, stages=(passed, replace(under_way, state=StageWord.WAITING)))
    assert act(to_come, Action.ROLL_BACK, NOON).stages == {0: StageWord.FAILED}
    on_its_way = view(State.ROLLING_BACK, Counts(reverting=2, away=1), stage=StageWord.FAILED)
    assert decide(on_its_way).state is State.ROLLING_BACK
    over = decide(view(State.ROLLING_BACK, Counts(reverting=1, away=1, reverted=1)))
    assert (over.state, over.reason) == (State.ROLLED_BACK, "1 was offline when it ended.")


def test_a_stage_that_a_person_takes_back_has_not_failed_but_was_stopped() -> None:
    well = view(State.RUNNING, Counts(succeeded=1, applying=1))
    assert act(well, Action.ROLL_BACK, NOON).stages == {0: StageWord.STOPPED}
    spent = view(State.PAUSED, Counts(failed=1))
    assert act(spent, Action.ROLL_BACK, NOON).stages == {0: StageWord.FAILED}
    passed = view(State.RUNNING, Counts(succeeded=1), stage=StageWord.PASSED)
    assert act(passed, Action.ROLL_BACK, NOON).stages == {}


def test_a_stage_with_nobody_in_it_is_skipped_before_or_after_it_began() -> None:
    for word in (StageWord.WAITING, StageWord.RUNNING):
        empty = StageView(0, word, Counts(), bake=FIVE_MINUTES)
        second = StageView(1, StageWord.WAITING, Counts(waiting=1))
        assert decide(RolloutView(State.RUNNING, (empty, second))).stages == {0: StageWord.SKIPPED}
    begins = RolloutView(State.RUNNING, (replace(empty, state=StageWord.SKIPPED), second))
    assert decide(begins).stages == {1: StageWord.RUNNING}


def test_what_failed_wherever_it_was_tried_has_not_succeeded_whatever_the_budget() -> None:
    failed = view(State.RUNNING, Counts(failed=2), stage=StageWord.PASSED, budget=100)
    assert decide(failed).state is State.SUCCEEDED
    alone = decide(replace(failed, has_failed_alone=True))
    assert (alone.state, alone.revert) == (State.CANCELLED, False)
    assert "failed wherever it was tried" in alone.reason


def test_a_stage_that_somebody_comes_into_after_it_was_skipped_is_so_no_more() -> None:
    late = decide(view(State.RUNNING, Counts(waiting=1), stage=StageWord.SKIPPED))
    assert (late.release, late.stages) == ((0,), {0: StageWord.PASSED})


def test_all_that_were_left_out_go_back_too_and_so_does_nobody_that_nobody_counts() -> None:
    none = replace(view(State.RUNNING, Counts()), automatic_rollback=True)
    assert act(none, Action.ROLL_BACK, NOON).revert
    spent = replace(view(State.RUNNING, Counts(failed=1)), automatic_rollback=True)
    assert decide(spent).revert


def test_what_a_person_paused_stays_so_and_what_is_over_cannot_be_acted_upon() -> None:
    held = replace(view(State.PAUSED, Counts(waiting=1)), is_held=True)
    assert decide(held).state is State.PAUSED
    assert act(held, Action.RESUME, NOON).state is State.RUNNING
    with pytest.raises(NotPossible, match="It is succeeded"):
        act(view(State.SUCCEEDED, Counts(succeeded=1)), Action.ROLL_BACK, NOON)


def test_nothing_new_starts_outside_of_the_change_window_and_a_rollback_always_may() -> None:
    closed = replace(view(State.RUNNING, Counts(waiting=2)), is_open=False)
    assert (decide(closed).release, decide(closed).reason) == (
        (),
        "It waits for its change window.",
    )
    pending = replace(view(State.PENDING, Counts(waiting=2)), is_open=False)
    assert decide(pending).state is State.PENDING
    back = replace(view(State.ROLLING_BACK, Counts(failed=1)), is_open=False)
    assert decide(back).revert


def test_no_more_are_let_go_than_there_is_room_for() -> None:
    some = replace(view(State.RUNNING, Counts(waiting=4, let_go=1, applying=1)), max_in_flight=3)
    assert decide(some).room == 1


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
        assert not decision.release
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
        ({"is_quarantined": True, "again": Again.AT_ONCE}, Place.WAITING, True),
        ({"is_quarantined": True, "again": Again.NEVER_RAN_ANOTHER}, Place.EXCLUDED, True),
        ({"again": Again.VIA_PREVIOUS, "has_applied": True}, Place.WAITING, True),
        ({"again": Again.VIA_PREVIOUS, "is_connected": False}, Place.PENDING_OFFLINE, True),
    ],
)
def test_a_target_is_placed_before_anything_is_offered(
    change: dict[str, Any], place: Place, is_wanted: bool
) -> None:
    placement = place_target(TargetFacts(**{**FACTS, **change}))
    assert placement.place is place
    assert placement.is_wanted is is_wanted
    assert placement.goes_back_first is (change.get("again") is Again.VIA_PREVIOUS)


@pytest.mark.parametrize(
    ("past", "way"),
    [
        ({"applied": "a"}, Again.AT_ONCE),
        ({"applied": "b", "previous": "a"}, Again.VIA_PREVIOUS),
        ({"previous": "a"}, Again.VIA_PREVIOUS),
        ({"previous": "b"}, Again.NEVER_RAN_ANOTHER),
        ({}, Again.NEVER_RAN_ANOTHER),
        ({"previous": "a", "has_previous_failed": True}, Again.PREVIOUS_FAILED),
        ({"applied": "a", "previous": "a", "has_previous_failed": True}, Again.AT_ONCE),
    ],
)
def test_what_failed_is_offered_again_only_with_another_in_between(
    past: dict[str, Any], way: Again
) -> None:
    facts = {"applied": "", "previous": "", "has_previous_failed": False, **past}
    assert way_again(failed="b", **facts) is way
