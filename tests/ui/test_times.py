"""Relative and absolute times, and numbers, as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from telflo.ui import numbers, times
from telflo.ui.templatetags.ui import ago, initials, when

NOW = datetime(2026, 11, 22, 14, 40, tzinfo=UTC)

# The same cases stand in frontend/src/time/relative.test.ts.
CASES = [
    (0, "bare", "0 s"),
    (8, "bare", "8 s"),
    (59.9, "ago", "59 s ago"),
    (60, "bare", "1 min"),
    (3599, "bare", "59 min"),
    (7200, "ago", "2 h ago"),
    (86400, "bare", "1 d"),
    (364 * 86400, "bare", "364 d"),
    (800 * 86400, "bare", "2 y"),
    (-6 * 86400 - 1, "bare", "in 6 d"),
    (-0.5, "bare", "0 s"),
]


@pytest.mark.parametrize(("seconds", "style", "text"), CASES)
def test_relative_times(seconds: float, style: str, text: str) -> None:
    assert times.relative(NOW - timedelta(seconds=seconds), NOW, style) == text


def test_absolute_times_name_their_zone() -> None:
    assert times.absolute(NOW) == "22 Nov 2026, 14:40 UTC"


def test_short_times_are_the_hour_today_and_the_date_otherwise() -> None:
    assert times.clock_or_date(NOW - timedelta(hours=2), NOW) == "12:40"
    assert times.clock_or_date(NOW - timedelta(days=4), NOW) == "18 Nov"
    assert times.clock_or_date(NOW - timedelta(days=365), NOW) == "22 Nov 2025"


def test_a_time_tag_holds_the_moment_for_machines_and_the_absolute_in_its_title() -> None:
    drawn = ago(NOW, "ago")
    assert 'datetime="2026-11-22T14:40:00+00:00"' in drawn
    assert 'title="22 Nov 2026, 14:40 UTC"' in drawn
    assert 'data-rel="ago"' in drawn


def test_a_moment_that_never_came() -> None:
    assert "never" in ago(None)
    assert when(None) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1 collector"), (0, "0 collectors"), (1284, "1,284 collectors")],
)
def test_numbers_with_their_noun(value: int, text: str) -> None:
    assert numbers.counted(value, "collector") == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(1200, 1284, "93.5 %"), (1, 2, "50 %"), (0, 0, "0 %"), (1, 100_000, "< 0.1 %")],
)
def test_shares(part: int, whole: int, text: str) -> None:
    assert numbers.percent(part, whole) == text


def test_ids_lose_their_middle_only_when_that_makes_them_shorter() -> None:
    assert numbers.shortened("019a4c1e-7d02-7b3f-9a5e-52c7a128815b") == "019a4c1e…28815b"
    assert numbers.shortened("short") == "short"


@pytest.mark.parametrize(
    ("name", "text"),
    [("Mara Lindqvist", "ML"), ("admin", "A"), ("mara.lindqvist", "ML"), ("", "?")],
)
def test_initials(name: str, text: str) -> None:
    assert initials(name) == text
