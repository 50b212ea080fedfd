"""How fast a peer may send."""

import pytest

from opamp.pace import Pace


def test_a_burst_is_free_and_what_follows_waits_for_its_turn() -> None:
    pace = Pace(per_s=10, burst=3, now_s=0)
    assert [pace.take(0) for _ in range(5)] == [0, 0, 0, pytest.approx(0.1), pytest.approx(0.2)]


def test_it_fills_up_again_and_never_over_its_burst() -> None:
    pace = Pace(per_s=10, burst=3, now_s=0)
    for _ in range(4):
        pace.take(0)
    assert pace.take(0.2) == 0
    assert [pace.take(1000) for _ in range(4)] == [0, 0, 0, pytest.approx(0.1)]


def test_nobody_waits_longer_than_pings_are_waited_for() -> None:
    pace = Pace(per_s=1, burst=1, now_s=0)
    assert max(pace.take(0) for _ in range(100)) == 5
