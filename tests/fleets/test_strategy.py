"""Who goes when: selectors, shares, zones and change windows, without a database."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleets.rollouts.counts import Budget
from fleets.rollouts.placing import next_to_go
from fleets.rollouts.selector import BadSelector, parse_selector
from fleets.rollouts.shares import BadShares, Candidate, Share, check_shares, divide, sized
from fleets.rollouts.strategy import PRESETS, StagePlan, Strategy
from fleets.rollouts.windows import BadWindow, parse_window

STAGING = {"deployment.environment": "staging", "region": "eu-1", "host.name": "a b"}


class TestSelectors:
    @pytest.mark.parametrize(
        ("text", "selects"),
        [
            ("", True),
            ("deployment.environment=staging", True),
            ("deployment.environment == staging", True),
            ("deployment.environment=prod", False),
            ("deployment.environment!=prod", True),
            ("team!=core", True),  # what is missing is not core
            ("region in (eu-1, us-1)", True),
            ("region notin (eu-1, us-1)", False),
            ("team notin (core)", True),
            ("region", True),
            ("!region", False),
            ("!team", True),
            ("host.name=a b", True),
            ("deployment.environment=staging, region in (us-1,us-2)", False),
            ("deployment.environment=staging, region in (eu-1,us-2), !team", True),
        ],
    )
    def test_all_conditions_hold_at_once(self, text: str, selects: bool) -> None:
        selector = parse_selector(text)
        assert selector.selects(STAGING) is selects
        assert parse_selector(str(selector)) == selector

    @pytest.mark.parametrize(
        "text", ["=", "a=", "a in ()", "a in (b", "a b", "a=b=c", "(a)", "é=1", "a==", "!"]
    )
    def test_what_is_none_is_named(self, text: str) -> None:
        with pytest.raises(BadSelector, match="is no condition"):
            parse_selector(text)

    def test_a_comma_too_many_is_said(self) -> None:
        for text in ("a=b,", ",a", "a,,b"):
            with pytest.raises(BadSelector, match="A comma has no condition"):
                parse_selector(text)

    def test_there_is_an_end_to_conditions(self) -> None:
        with pytest.raises(BadSelector, match="at most 20"):
            parse_selector(",".join(["a"] * 21))


def uid(number: int) -> UUID:
    return UUID(int=number)


def candidates(count: int, *, offline: int = 0) -> list[Candidate]:
    return [Candidate(uid(n), n >= offline, {"n": str(n)}) for n in range(count)]


@dataclass(frozen=True)
class Crowd:
    """Candidates that differ in nothing but who they are."""

    those: tuple[Candidate, ...]

    @property
    def is_connected(self) -> bool:
        return self.those[0].is_connected

    @property
    def gets_it(self) -> bool:
        return self.those[0].gets_it

    @property
    def attributes(self) -> Mapping[str, str]:
        return self.those[0].attributes

    @property
    def count(self) -> int:
        return len(self.those)

    @property
    def uids(self) -> list[bytes]:
        return [one.uid.bytes for one in self.those]


KINDS = st.tuples(st.booleans(), st.booleans(), st.sampled_from(["a", "b"]), st.integers(1, 6))
STEPS = st.one_of(
    st.builds(Share, count=st.integers(1, 9)),
    st.builds(Share, selector=st.sampled_from([parse_selector("az=a"), parse_selector("az=b")])),
)


CANARY = (Share(count=1), Share(percent=10), Share(percent=50), Share(percent=100))


class TestShares:
    def test_percentages_count_from_the_first_stage_on(self) -> None:
        stages = divide(candidates(100), CANARY, "seed")
        assert [list(stages.values()).count(index) for index in range(4)] == [1, 9, 40, 50]

    def test_a_selector_takes_all_that_it_selects_and_the_rest_goes_on(self) -> None:
        shares = (Share(selector=parse_selector("n in (3, 5)")), Share(percent=100))
        stages = divide(candidates(8), shares, "seed")
        assert {one.int for one, index in stages.items() if index == 0} == {3, 5}
        assert len(stages) == 8

    def test_a_canary_is_one_that_is_connected(self) -> None:
        for seed in "abcdef":
            [first] = [
                one for one, n in divide(candidates(9, offline=8), CANARY, seed).items() if not n
            ]
            assert first == uid(8)

    def test_who_is_skipped_is_no_canary_and_counts_for_no_number_or_share(self) -> None:
        crowd = [replace(one, gets_it=one.uid.int < 20) for one in candidates(100, offline=0)]
        for seed in "abcdef":
            stages = divide(crowd, CANARY, seed)
            reached = [stages[one.uid] for one in crowd if one.gets_it]
            assert [reached.count(index) for index in range(4)] == [1, 1, 8, 10]
            assert {stages[one.uid] for one in crowd if not one.gets_it} == {3}

    def test_with_nobody_to_reach_all_are_in_the_last_stage(self) -> None:
        crowd = [replace(one, gets_it=False) for one in candidates(5)]
        assert set(divide(crowd, CANARY, "seed").values()) == {3}

    def test_another_rollout_draws_others(self) -> None:
        firsts = {
            next(one for one, n in divide(candidates(50), CANARY, seed).items() if not n)
            for seed in "abcdefgh"
        }
        assert len(firsts) > 3
        assert divide(candidates(50), CANARY, "a") == divide(candidates(50)[::-1], CANARY, "a")

    @given(st.integers(0, 60), st.lists(st.integers(1, 99), max_size=5, unique=True), st.text())
    def test_everybody_is_in_exactly_one_stage(
        self, count: int, steps: list[int], seed: str
    ) -> None:
        shares = [Share(percent=step) for step in sorted(steps)] + [Share(percent=100)]
        check_shares(shares)
        stages = divide(candidates(count), shares, seed)
        assert stages.keys() == {one.uid for one in candidates(count)}
        for index, share in enumerate(shares):
            gone = sum(stage <= index for stage in stages.values())
            assert share.percent is not None
            assert gone == -(-share.percent * count // 100)

    @given(
        st.lists(KINDS, max_size=5),
        st.lists(STEPS, max_size=4),
        st.lists(st.integers(1, 99), max_size=2, unique=True),
        st.text(),
    )
    def test_a_preview_says_how_many_will_be_in_each_stage(
        self,
        kinds: list[tuple[bool, bool, str, int]],
        first: list[Share],
        steps: list[int],
        seed: str,
    ) -> None:
        shares = [*first, *(Share(percent=step) for step in sorted(steps)), Share(percent=100)]
        check_shares(shares)
        number = count()
        crowds = [
            Crowd(
                tuple(
                    Candidate(uid(next(number)), is_connected, {"az": zone}, gets_it=gets_it)
                    for _ in range(many)
                )
            )
            for is_connected, gets_it, zone, many in kinds
        ]
        stages = divide([one for crowd in crowds for one in crowd.those], shares, seed)
        everybody = [one for crowd in crowds for one in crowd.those]
        drawn = Counter((stages[one.uid], one.gets_it) for one in everybody)
        told: Counter[tuple[int, bool]] = Counter()
        for index, runs in enumerate(sized(crowds, shares, seed)):
            for crowd, many in runs:
                told[index, crowd.gets_it] += many
        assert told == drawn

    @pytest.mark.parametrize(
        ("shares", "words"),
        [
            ([], "1 to 20 stages"),
            ([Share(percent=100)] * 21, "1 to 20 stages"),
            ([Share(percent=50)], "last stage has to reach 100 %"),
            ([Share(count=3)], "last stage has to reach 100 %"),
            (
                [Share(percent=50), Share(percent=50), Share(percent=100)],
                "Stage 2: 50 % is not more",
            ),
            ([Share(percent=101)], "Stage 1: 101 %"),
            ([Share(count=0), Share(percent=100)], "Stage 1: it needs at least one"),
            ([Share(), Share(percent=100)], "Stage 1: say a number"),
            ([Share(count=1, percent=2), Share(percent=100)], "Stage 1: say a number"),
        ],
    )
    def test_what_makes_no_plan_is_named(self, shares: list[Share], words: str) -> None:
        with pytest.raises(BadShares, match=words):
            check_shares(shares)


class TestNext:
    def test_both_of_a_pair_never_go_at_once(self) -> None:
        waiting = [(uid(1), "pair-1"), (uid(2), "pair-1"), (uid(3), "pair-2"), (uid(4), "")]
        went = next_to_go(waiting, {}, room=None, per_zone=1)
        assert went == [uid(1), uid(3), uid(4)]
        assert next_to_go(waiting[1:], {"pair-1": 1, "pair-2": 1}, room=None, per_zone=1) == [
            uid(4)
        ]

    def test_no_more_than_there_is_room_for(self) -> None:
        waiting = [(uid(n), "") for n in range(5)]
        assert next_to_go(waiting, {}, room=2, per_zone=0) == [uid(0), uid(1)]
        assert next_to_go(waiting, {}, room=0, per_zone=0) == []
        assert len(next_to_go(waiting, {"": 9}, room=None, per_zone=1)) == 5


def at(day: int, time: str, zone: str = "+00:00") -> datetime:
    """In the week of Monday, 5 January 2026."""
    return datetime.fromisoformat(f"2026-01-{5 + day:02}T{time}:00{zone}")


class TestWindows:
    @pytest.mark.parametrize(
        ("days", "hours", "zone", "moment", "is_open"),
        [
            ("mon-fri", "09:00-17:00", "UTC", at(0, "09:00"), True),
            ("mon-fri", "09:00-17:00", "UTC", at(0, "17:00"), False),
            ("mon-fri", "09:00-17:00", "UTC", at(5, "10:00"), False),
            ("mon-fri", "09:00-17:00", "Europe/Berlin", at(0, "08:30"), True),
            ("sat,sun", "22:00-04:00", "UTC", at(5, "23:00"), True),
            ("sat,sun", "22:00-04:00", "UTC", at(6, "03:00"), True),
            ("sat,sun", "22:00-04:00", "UTC", at(5, "03:00"), False),  # that is Friday's night
            ("sun", "22:00-04:00", "UTC", at(7, "03:00"), True),
            ("fri-mon", "00:00-24:00", "UTC", at(0, "23:59"), True),
            ("fri-mon", "00:00-24:00", "UTC", at(1, "00:00"), False),
        ],
    )
    def test_days_and_hours_in_a_zone(
        self, days: str, hours: str, zone: str, moment: datetime, is_open: bool
    ) -> None:
        window = parse_window(days, hours, zone)
        assert window.is_open(moment) is is_open
        assert parse_window(window.days_text, window.hours_text, window.zone) == window

    @pytest.mark.parametrize(
        ("days", "hours", "zone", "words"),
        [
            ("funday", "09:00-10:00", "UTC", "funday"),
            ("", "09:00-10:00", "UTC", "are no days"),
            ("mon", "9-10", "UTC", "are no hours"),
            ("mon", "09:00-25:00", "UTC", "are no hours"),
            ("mon", "09:00-10:00", "Europe/Atlantis", "no time zone"),
            ("mon", "09:00-10:00", "../etc", "no time zone"),
        ],
    )
    def test_what_is_none_is_named(self, days: str, hours: str, zone: str, words: str) -> None:
        with pytest.raises(BadWindow, match=words):
            parse_window(days, hours, zone)


class TestStrategies:
    @pytest.mark.parametrize("name", PRESETS)
    def test_presets_can_be_carried_out(self, name: str) -> None:
        PRESETS[name]().check()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"soak": timedelta(days=2)}, "at most a day"),
            ({"zone_key": "zone"}, "zone limit needs"),
            ({"zone_limit": 1}, "zone limit needs"),
            (
                {"stages": (StagePlan("x", Share(percent=100), bake=timedelta(days=15)),)},
                "at most 14 days",
            ),
            ({"stages": (StagePlan("x", Share(percent=100), budget=Budget(101)),)}, "0 to 100 %"),
        ],
    )
    def test_what_cannot_be_is_named(self, change: dict[str, object], words: str) -> None:
        whole = {"stages": (StagePlan("All", Share(percent=100)),)}
        with pytest.raises(BadShares, match=words):
            Strategy(**{**whole, **change}).check()  # type: ignore[arg-type]  # one of them is wrong on purpose


def test_a_budget_is_a_share_or_a_number() -> None:
    assert not Budget(percent=25).is_spent(1, 4)
    assert Budget(percent=25).is_spent(2, 4)
    assert not Budget(count=2).is_spent(2, 2)
    assert Budget(count=2).is_spent(3, 100)
    assert (str(Budget(percent=5)), str(Budget(count=3))) == ("5 %", "3")
