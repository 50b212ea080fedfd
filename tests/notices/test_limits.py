"""What lasts is told once, and what swings is not told again and again."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.limits import Alarm, Limit, Phase, Turn, judge
from tests.factories import at

HOLD = timedelta(seconds=120)


@pytest.mark.parametrize(
    ("text", "limit"), [("5", Limit(5)), (" 10% ", Limit(10, True)), ("10 %", Limit(10, True))]
)
def test_a_limit_is_a_number_or_a_share(text: str, limit: Limit) -> None:
    assert Limit.parse(text) == limit
    assert Limit.parse(str(limit)) == limit


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "-1", "1.5", "many", "٣"])
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="such as 10%"):
        Limit.parse(text)


@pytest.mark.parametrize(
    ("limit", "count", "total", "reached", "left"),
    [
        (Limit(1), 0, 10, False, True),
        (Limit(1), 1, 10, True, False),
        (Limit(5), 4, 10, False, False),
        (Limit(5), 3, 10, False, True),
        (Limit(10, True), 10, 100, True, False),
        (Limit(10, True), 9, 100, False, False),
        (Limit(10, True), 7, 100, False, True),
        (Limit(10, True), 0, 0, False, True),
        (Limit(100, True), 3, 3, True, False),
    ],
)
def test_a_limit_is_reached_at_once_and_left_by_a_fifth(
    limit: Limit, count: int, total: int, reached: bool, left: bool
) -> None:
    assert limit.is_reached(count, total) is reached
    assert limit.is_left(count, total) is left


def told(counts: Sequence[tuple[float, int]]) -> list[tuple[float, Turn]]:
    """What is told while `count` of 10 are in trouble at these seconds."""
    alarm: Alarm | None = None
    turns = []
    for second, count in counts:
        alarm, turn = judge(alarm, Limit(5), count, 10, now=at(second), hold=HOLD)
        if turn:
            turns.append((second, turn))
    return turns


def test_it_is_told_once_after_a_while_and_once_that_it_is_over() -> None:
    lasting = [(second, 6) for second in range(0, 3600, 15)]
    well = [(second, 0) for second in range(3600, 7200, 15)]
    assert told(lasting + well) == [(120, Turn.BEGINS), (3720, Turn.ENDS)]


def test_what_is_over_before_the_while_is_over_is_not_told() -> None:
    assert told([(0, 6), (60, 6), (115, 1), (200, 6), (300, 6)]) == []


def test_what_swings_around_the_limit_is_told_once() -> None:
    swinging = [(second, 5 if second % 30 else 4) for second in range(0, 120, 15)]
    assert told([*swinging, *((second, 5) for second in range(120, 400, 15))]) == [
        (225, Turn.BEGINS)
    ]
    raised = [(0, 6), (120, 6)]
    assert told([*raised, *((t, 4 + t % 2) for t in range(121, 2000, 15))])[1:] == []


def test_a_short_recovery_is_none() -> None:
    assert told([(0, 9), (120, 9), (200, 0), (260, 9), (300, 0), (419, 0), (420, 0)]) == [
        (120, Turn.BEGINS),
        (420, Turn.ENDS),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 10)), max_size=60),
    st.integers(1, 10),
    st.integers(0, 300),
)
def test_beginnings_and_ends_take_turns(
    steps: list[tuple[int, int]], number: int, hold_s: int
) -> None:
    alarm: Alarm | None = None
    second, expected = 0, Turn.BEGINS
    for pause, count in steps:
        second += pause
        before = alarm
        alarm, turn = judge(
            alarm, Limit(number), count, 10, now=at(second), hold=timedelta(seconds=hold_s)
        )
        if turn is not None:
            assert turn is expected
            assert before is not None or not hold_s
            expected = Turn.ENDS if turn is Turn.BEGINS else Turn.BEGINS
        is_told = alarm is not None and alarm.phase is not Phase.RISING
        assert is_told == (expected is Turn.ENDS)
