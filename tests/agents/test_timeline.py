"""What a timeline shows of bursts that real supervisors send."""

from datetime import timedelta
from typing import Any

from agents.status import SHUTDOWN_ERROR
from agents.timeline import Condition, Happening, condition_of, fold
from tests.factories import at

OK: dict[str, Any] = {"healthy": True, "status": "StatusOK", "last_error": ""}


def health(
    seconds: float, status: str = "", error: str = "", *, healthy: bool = False
) -> Happening:
    data = {"healthy": healthy, "status": status, "last_error": error}
    return Happening("health", at(seconds), data)


def ok(seconds: float) -> Happening:
    return Happening("health", at(seconds), OK)


def step(seconds: float, word: str) -> Happening:
    return health(seconds, f"Status{word}")


def crash(seconds: float, pid: int) -> Happening:
    return health(seconds, error=f"Agent process PID={pid} exited unexpectedly, exit code=1.")


def answer(seconds: float, status: str) -> Happening:
    return Happening("remote_config", at(seconds), {"status": status, "hash": "00"})


def told(*oldest_first: Happening) -> list[Happening]:
    return fold(reversed(oldest_first))


def test_going_up_and_down_is_no_illness_and_a_shutdown_neither() -> None:
    words = [condition_of(step(0, word).data) for word in ("Starting", "Stopping", "Stopped")]
    assert words == [Condition.STEP] * 3
    assert condition_of(health(0, error=SHUTDOWN_ERROR).data) is Condition.SHUT_DOWN
    assert condition_of(OK) is Condition.WELL


def test_errors_stay_errors() -> None:
    for status in ("StatusPermanentError", "StatusFatalError", "StatusRecoverableError", ""):
        assert condition_of(health(0, status).data) is Condition.ILL
    assert condition_of(crash(0, 7).data) is Condition.ILL


def test_the_steps_of_an_apply_are_in_its_outcome() -> None:
    lines = told(
        answer(0, "APPLYING"),
        step(0, "Stopping"),
        step(0.05, "Starting"),
        ok(0.06),
        answer(5, "APPLIED"),
    )
    assert [(line.kind, line.data.get("status")) for line in lines] == [
        ("remote_config", "APPLIED"),
        ("health", "StatusOK"),
        ("remote_config", "APPLYING"),
    ]
    assert lines[1].steps == ("StatusStopping", "StatusStarting")


def test_a_failure_takes_in_the_steps_before_it_and_is_never_taken_in() -> None:
    lines = told(step(0, "Stopping"), crash(0.02, 7), step(0.1, "Starting"), ok(0.2))
    assert [line.condition for line in lines] == [Condition.WELL, Condition.ILL]
    assert lines[1].steps == ("StatusStopping",)


def test_a_step_that_nothing_followed_is_told() -> None:
    lines = told(ok(0), step(60, "Stopping"))
    assert [line.condition for line in lines] == [Condition.STEP, Condition.WELL]


def test_a_step_long_before_the_next_report_is_told() -> None:
    assert len(told(step(0, "Starting"), ok(11))) == 2


def test_a_crash_loop_is_one_entry_with_a_number_and_the_last_time() -> None:
    lines = told(crash(0, 7), step(4.9, "Starting"), crash(5, 8), crash(10, 9))
    assert [(line.times, line.at) for line in lines] == [(3, at(10))]


def test_other_errors_and_what_lies_between_keep_crashes_apart() -> None:
    other = health(5, error="port 4317 is in use")
    assert len(told(crash(0, 7), other)) == 2
    assert len(told(crash(0, 7), answer(1, "FAILED"), crash(5, 8))) == 3


def test_being_well_is_said_once_in_a_burst_and_again_later() -> None:
    first = health(0, healthy=True)
    assert len(told(first, ok(0.01))) == 1
    assert len(told(first, ok(60))) == 2


def test_nothing_is_folded_away_but_health() -> None:
    events = [Happening(kind, at(n), {}) for n, kind in enumerate(["connected", "moved"] * 3)]
    assert told(*events) == events[::-1]
    assert events[1].at - events[0].at == timedelta(seconds=1)
