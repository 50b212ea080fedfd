"""Times as people type them."""

from datetime import timedelta

import pytest

from fleets.rollouts.durations import BadDuration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 s", 90), ("90", 90), ("5min", 300), ("2 h", 7_200), (" 1 d ", 86_400)],
)
def test_times_are_read_as_people_type_them(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 weeks", "-1 s", "1.5 h", "99999999 s"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadDuration, match="90 s"):
        parse_duration(text)
