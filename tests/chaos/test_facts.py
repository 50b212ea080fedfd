"""What may be missing from a timeline, and what may not."""

import pytest

from tests.chaos.facts import Connection, Death, Said, compare
from tests.chaos.logbook import HEALTH, AgentLog, Report

URL = "ws://127.0.0.1:1/v1/opamp"
A, B, C = ("a",), ("b",), ("c",)


def said(*contents: tuple[str, ...], may_be_lost: bool = False) -> list[Said]:
    return [Said(content, 0.0, may_be_lost) for content in contents]


class TestComparing:
    def test_what_was_said_is_told_in_order(self) -> None:
        found = compare(said(A, B, A), [A, B, A], None)
        assert (found.problem, found.found, found.lost) == ("", 3, 0)

    def test_what_says_nothing_new_need_not_be_told(self) -> None:
        assert compare(said(A, A, B, B), [B], A) == compare(said(A, A, B, B), [B], A)
        assert compare(said(A, A, B, B), [B], A).found == 4

    @pytest.mark.parametrize(("told", "what"), [([A], "('b',)"), ([B], "('a',)"), ([], "('a',)")])
    def test_a_fact_that_must_be_there_is_missed(
        self, told: list[tuple[str, ...]], what: str
    ) -> None:
        assert what in compare(said(A, B), told, None).problem

    @pytest.mark.parametrize("told", [[A, C], [A, B, B], [B, A]])
    def test_what_nobody_said_is_noticed(self, told: list[tuple[str, ...]]) -> None:
        assert compare(said(A, B, may_be_lost=True), told, None).problem

    def test_what_may_be_lost_is_told_or_not(self) -> None:
        reports = [*said(A), *said(B, C, may_be_lost=True), *said(A)]
        for told, lost in (([A], 2), ([A, B, A], 1), ([A, C, A], 1), ([A, B, C, A], 0)):
            found = compare(reports, told, None)
            assert (found.problem, found.lost) == ("", lost)

    def test_which_of_two_alike_was_lost_is_left_open(self) -> None:
        reports = [*said(A), *said(B, may_be_lost=True), *said(A, B)]
        assert compare(reports, [A, B], None).problem == ""
        assert compare(reports, [A], None).problem


class TestWhatMayBeLost:
    def test_nothing_of_a_connection_that_goes_on(self) -> None:
        assert not Connection(URL, 1.0, -1).may_lose(3, 2.0, [])

    def test_what_was_not_answered_before_the_end(self) -> None:
        over = Connection(URL, 1.0, -1, ended=9.0, answered=4)
        assert [over.may_lose(number, 2.0, []) for number in (4, 5)] == [False, True]

    def test_what_was_refused(self) -> None:
        one = Connection(URL, 1.0, -1, refused={4})
        assert [one.may_lose(number, 2.0, []) for number in (3, 4)] == [False, True]

    def test_what_a_killed_process_had_not_written_and_nothing_else(self) -> None:
        death = Death(URL, since=5.0, at=7.0)
        one, other = Connection(URL, 1.0, -1), Connection(URL.replace("1/", "2/"), 1.0, -1)
        assert [one.may_lose(3, at, [death]) for at in (4.9, 6.0, 7.1)] == [False, True, False]
        assert not other.may_lose(3, 6.0, [death])


class TestBeginnings:
    @pytest.mark.parametrize(
        ("answered", "refused", "must"), [(-1, set(), False), (0, set(), True), (0, {0}, False)]
    )
    def test_a_session_began_when_a_message_was_answered_and_not_refused(
        self, answered: int, refused: set[int], must: bool
    ) -> None:
        one = Connection(URL, 1.0, -1, ended=2.0, answered=answered, refused=refused)
        assert one.must_be_told is must

    def test_one_that_goes_on_need_not_be_told_yet(self) -> None:
        assert not Connection(URL, 1.0, -1).must_be_told

    def test_it_is_told_by_a_session_that_was_opened_meanwhile(self) -> None:
        one = Connection(URL, 1.0, -1, ended=2.0, answered=0)
        assert one.is_told_by([1.5])
        assert not one.is_told_by([0.5, 2.5])


class TestTheLog:
    def test_what_a_new_session_hears_again_may_be_no_news_to_it_and_later_reports_are(
        self,
    ) -> None:
        log = AgentLog(before={HEALTH: A})
        old, new = (Connection(URL, at, -1, ended=99.0, answered=9) for at in (1.0, 3.0))
        for number, content in enumerate((B, A, A, B, A)):
            log.reports[HEALTH].append(Report(content, 5.0, number, new if number else old))
        may_be_lost = [one.may_be_lost for one in log.said(HEALTH, [])]
        assert may_be_lost == [False, True, True, False, False]
