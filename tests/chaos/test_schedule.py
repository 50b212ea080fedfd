"""What is done to whom follows from the seed alone."""

from tests.chaos.__main__ import fallen_in
from tests.chaos.schedule import (
    LONG_EVERY,
    LONG_S,
    PROCESSES,
    SERVICES,
    Blow,
    How,
    Person,
    Round,
    make_round,
)

ROUNDS = range(1, 201)


def test_a_seed_does_the_same_again_whatever_came_before() -> None:
    assert make_round(7, 42) == make_round(7, 42)
    assert [make_round(7, number) for number in ROUNDS] != [make_round(8, n) for n in ROUNDS]


def test_two_hundred_rounds_do_everything_to_everybody() -> None:
    blows = [blow for number in ROUNDS for blow in make_round(1, number).blows]
    done = {(blow.how, blow.target) for blow in blows}
    assert {(how, one) for how in (How.KILL, How.STOP) for one in PROCESSES + SERVICES} <= done
    assert {(How.CUT, "agents"), (How.FILL, "postgres")} <= done
    assert any(blow.how is How.STOP and blow.share for blow in blows)


def test_a_server_that_ends_without_a_blow_is_not_passed_over() -> None:
    calm = Round(
        1, (), (Blow(How.STOP, "postgres", 0.0, 1.0), Blow(How.KILL, "web-1", 0.0, 1.0)), 0
    )
    assert fallen_in(calm, ["web-1", "worker"]) == []
    assert fallen_in(calm, ["web-2", "gateway"]) == ["web-2", "gateway"]


def test_versions_change_in_most_rounds_and_some_are_bad() -> None:
    rounds = [make_round(1, number) for number in ROUNDS]
    assert sum(bool(one.changes) for one in rounds) > len(rounds) / 2
    assert {change.is_bad for one in rounds for change in one.changes} == {True, False}


def test_ten_rounds_are_short_and_later_a_part_is_away_for_a_minute() -> None:
    longest = [max(blow.for_s for blow in make_round(1, number).blows) for number in ROUNDS]
    assert max(longest[:10]) < LONG_S
    assert [index + 1 for index, one in enumerate(longest) if one == LONG_S] == [
        *range(LONG_EVERY, 201, LONG_EVERY)
    ]


def test_stages_persons_and_settings_come_up() -> None:
    rounds = [make_round(1, number) for number in ROUNDS]
    staged = [change for one in rounds for change in one.changes if change.is_staged]
    assert {(one.is_bad, one.person) for one in staged} == {
        (is_bad, person) for is_bad in (True, False) for person in Person
    }
    wishes = {(one.interval_s, one.metrics) for each in rounds for one in each.wishes}
    assert len(wishes) == 6
    assert len({(one.described, one.upgraded) for one in rounds}) == 9
