"""Numbers as people read them."""

import pytest

from telflo.ui.numbers import lasting


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (90, "90 s"), (300, "5 min"), (7_200, "2 h"), (259_200, "3 d")],
)
def test_a_time_is_said_in_the_largest_unit_that_is_exact(seconds: int, words: str) -> None:
    assert lasting(seconds) == words
