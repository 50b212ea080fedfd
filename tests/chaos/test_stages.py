"""What must hold for a rollout in stages, and what is noticed when it does not."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.chaos.stages import (
    Staged,
    StagedRollout,
    StageRow,
    TargetRow,
    breaches,
    may_go_back_to,
    not_back,
)
from tests.chaos.test_belief import TRUTH, UID

A, B = UUID(int=11), UUID(int=12)
STAGES = [
    StageRow(0, "passed", 10.0, 15.0, 14.0),
    StageRow(1, "running", 15.0, None, None),
    StageRow(2, "waiting", None, None, None),
]
FAILED = StageRow(0, "failed", 10.0, 15.5, 14.0)
"""After the next one had begun."""
TARGETS = {
    A: TargetRow(0, "succeeded", None, [10.1]),
    B: TargetRow(1, "offered", None, [15.1]),
    UID: TargetRow(2, "waiting", None, []),
}
ARRIVALS = {A: {"new": 10.2}, B: {"new": 15.2, "aa": 1.0}}
STAGED = Staged("new", {UID: {"aa"}})


def found(**changes: object) -> list[str]:
    """In a rollout that is as it should be but for these: stages, targets, arrivals, staged."""
    rollout = StagedRollout(
        "1",
        "new",
        "running",
        changes.get("stages", STAGES),  # type: ignore[arg-type]  # a test's
        TARGETS | changes.get("targets", {}),  # type: ignore[operator]  # likewise
    )
    staged, arrivals = changes.get("staged", STAGED), changes.get("arrivals", ARRIVALS)
    return list(breaches(rollout, staged, arrivals))  # type: ignore[arg-type]  # likewise


def test_one_that_goes_as_planned_has_no_breach() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stages": [STAGES[0]._replace(state="running"), *STAGES[1:]]}, "the one before it is"),
        ({"stages": [STAGES[0]._replace(finished_at=15.5), *STAGES[1:]]}, "the one before it is"),
        ({"stages": [STAGES[0]._replace(bake_until=15.5), *STAGES[1:]]}, "before the bake"),
        ({"stages": [FAILED._replace(finished_at=14.9), *STAGES[1:]]}, "the one before it is"),
        ({"stages": [FAILED._replace(bake_until=None), *STAGES[1:]]}, "the one before it is"),
        ({"stages": [FAILED._replace(bake_until=15.5), *STAGES[1:]]}, "before the bake"),
        ({"targets": {UID: TargetRow(2, "applying", None, [])}}, "was moved"),
        ({"targets": {A: TargetRow(0, "reverted", 12.0, [])}}, "after the version had failed"),
        ({"arrivals": ARRIVALS | {UID: {"new": 16.0}}}, "before its stage 3 began"),
        ({"arrivals": ARRIVALS | {B: {"new": 14.0}}}, "before its stage 2 began"),
        ({"arrivals": ARRIVALS | {UUID(int=99): {"new": 16.0}}}, "no target"),
        ({"staged": replace(STAGED, paused=[(14.0, 16.0)])}, "while it was paused"),
    ],
)
def test_each_breach_is_named(changes: dict[str, object], words: str) -> None:
    [breach] = found(**changes)
    assert words in breach


def test_a_stage_that_had_passed_may_fail_once_the_next_one_runs() -> None:
    assert found(stages=[FAILED, *STAGES[1:]]) == []


def test_what_was_let_go_just_before_a_pause_is_none() -> None:
    assert not found(staged=replace(STAGED, paused=[(15.0, 15.05), (15.0, 16.0)]))


def test_an_agent_goes_back_to_what_it_ran_itself() -> None:
    assert may_go_back_to(TRUTH, {"aa", "bb"}, "") == {"aa"}
    assert list(not_back(STAGED, replace(TRUTH, runs="bb")))
    assert not list(not_back(STAGED, TRUTH))


def test_one_under_way_may_go_back_to_either_and_one_that_runs_nothing_to_any() -> None:
    under_way = replace(TRUTH, offered=("aa", "bb"), remote_hash="bb", remote_status=2)
    assert may_go_back_to(under_way, {"aa", "bb", "cc"}, "") == {"aa", "bb", ""}
    assert may_go_back_to(replace(TRUTH, runs=""), {"aa", "bb"}, "") == {"aa", "bb", ""}


def test_what_an_earlier_rollout_brings_just_before_may_be_what_it_goes_back_to() -> None:
    assert may_go_back_to(TRUTH, {"aa", "bb", "cc"}, "bb") == {"aa", "bb", ""}
