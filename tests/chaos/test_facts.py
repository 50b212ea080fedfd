"""What may be missing from a timeline, and what may not."""

from pathlib import Path
from uuid import UUID

import pytest

from opamp.simulator.journal import Journal
from opamp.simulator.report import Message
from tests.chaos.facts import Connection, Death, Loss, Said, compare, surplus
from tests.chaos.logbook import (
    HEALTH,
    KINDS,
    REMOTE_CONFIG,
    SETTINGS,
    AgentLog,
    Logbook,
    Report,
    told_health,
    told_status,
)

UID = UUID(int=1)
URL = "ws://127.0.0.1:1/v1/opamp"
A, B, C = ("a",), ("b",), ("c",)


def said(*contents: tuple[str, ...], loss: Loss = Loss.NEVER) -> list[Said]:
    """All on one connection, which begins with them."""
    return [Said(content, 0.0, loss, not index) for index, content in enumerate(contents)]


class TestComparing:
    def test_what_was_said_is_told_in_order(self) -> None:
        found = compare(said(A, B, A), [A, B, A], None)
        assert (found.problem, found.found, found.lost) == ("", 3, 0)

    def test_what_says_nothing_new_need_not_be_told(self) -> None:
        assert compare(said(A, A, B, B), [B], A) == compare(said(A, A, B, B), [B], A)
        assert compare(said(A, A, B, B), [B], A).found == 4

    def test_an_entry_may_come_when_its_report_which_said_nothing_new_was_compared_already(
        self,
    ) -> None:
        assert not compare(said(B), [A, B], A).problem
        assert compare(said(B), [A, A, B], A).problem
        assert compare(said(B), [C, B], A).problem

    @pytest.mark.parametrize(("told", "what"), [([A], "('b',)"), ([B], "('a',)"), ([], "('a',)")])
    def test_a_fact_that_must_be_there_is_missed(
        self, told: list[tuple[str, ...]], what: str
    ) -> None:
        assert what in compare(said(A, B), told, None).problem

    @pytest.mark.parametrize("told", [[A, C], [A, B, B], [B, A]])
    def test_what_nobody_said_is_noticed(self, told: list[tuple[str, ...]]) -> None:
        assert compare(said(A, B, loss=Loss.ALONE), told, None).problem

    def test_what_was_refused_is_told_or_not(self) -> None:
        reports = [*said(A), *said(B, C, loss=Loss.ALONE), *said(A)]
        for told, lost in (([A], 2), ([A, B, A], 1), ([A, C, A], 1), ([A, B, C, A], 0)):
            found = compare(reports, told, None)
            assert (found.problem, found.lost) == ("", lost)

    def test_the_end_of_a_connection_is_lost_with_all_that_follows_on_it(self) -> None:
        reports = [*said(A, B, C, loss=Loss.WITH_THE_REST), *said(A)]
        for told, lost in (([A], 2), ([A, B, A], 1), ([A, B, C, A], 0)):
            found = compare(reports, told, None)
            assert (found.problem, found.lost) == ("", lost)
        for told in ([A, C, A], [B, A], [C, A]):
            assert compare(reports, told, None).problem

    def test_behind_what_was_lost_the_next_connection_tells_how_it_is(self) -> None:
        lost = said(A, B, loss=Loss.WITH_THE_REST)
        assert compare(lost, [A], None).problem
        assert compare([*lost, *said(B)], [A], None).problem
        assert compare([*lost, *said(B)], [A, B], None).problem == ""

    def test_what_was_refused_behind_what_was_lost_is_lost_too(self) -> None:
        end = [*said(B, loss=Loss.WITH_THE_REST), Said(C, 0.0, Loss.ALONE)]
        assert compare([*end, *said(A)], [A], None).problem == ""
        assert compare([*end, *said(A)], [C, A], None).problem

    def test_which_of_two_alike_was_lost_is_left_open(self) -> None:
        reports = [*said(A), *said(B, loss=Loss.WITH_THE_REST), *said(A, B)]
        assert compare(reports, [A, B], None).problem == ""
        assert compare(reports, [A], None).problem


class TestWhatMayBeLost:
    def test_nothing_of_a_connection_that_goes_on(self) -> None:
        assert Connection(URL, 1.0, -1).loss_of(3, 2.0, []) is Loss.NEVER

    def test_what_was_not_answered_before_the_end(self) -> None:
        over = Connection(URL, 1.0, -1, ended=9.0, answered=4)
        assert over.loss_of(4, 2.0, []) is Loss.NEVER
        assert over.loss_of(5, 2.0, []) is Loss.ALONE

    def test_what_was_refused(self) -> None:
        one = Connection(URL, 1.0, -1, refused={4})
        assert one.loss_of(3, 2.0, []) is Loss.NEVER
        assert one.loss_of(4, 2.0, []) is Loss.ALONE

    def test_any_of_those_that_waited_for_the_first_answer_when_one_was_refused(self) -> None:
        one = Connection(URL, 1.0, -1, waited=2, refused={0})
        found = [one.loss_of(number, 2.0, []) for number in (1, 2, 3)]
        assert found == [Loss.ALONE, Loss.ALONE, Loss.NEVER]
        assert Connection(URL, 1.0, -1, waited=2, refused={3}).loss_of(1, 2.0, []) is Loss.NEVER

    def test_what_a_killed_process_had_not_written_and_nothing_else(self) -> None:
        death = Death(URL, since=5.0, at=7.0)
        one, other = Connection(URL, 1.0, -1), Connection(URL.replace("1/", "2/"), 1.0, -1)
        found = [one.loss_of(3, at, [death]) for at in (4.9, 6.0, 7.1)]
        assert found == [Loss.NEVER, Loss.WITH_THE_REST, Loss.NEVER]
        assert other.loss_of(3, 6.0, [death]) is Loss.NEVER


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


class TestSurplus:
    def test_each_session_has_a_connection_that_had_begun(self) -> None:
        both = [Connection(URL, 1.0, -1, ended=2.0), Connection(URL, 3.0, -1)]
        assert not surplus(both, [1.1, 3.1])
        assert not surplus(both, [3.1])
        assert not surplus(both, [9.0])  # by a process that hung

    @pytest.mark.parametrize("opened", [[0.5], [1.1, 1.2], [1.1, 3.1, 3.2]])
    def test_one_too_many_is_named(self, opened: list[float]) -> None:
        assert surplus([Connection(URL, 1.0, -1), Connection(URL, 3.0, -1)], opened)

    def test_a_connection_that_was_told_of_explains_no_other_session(self) -> None:
        assert surplus([Connection(URL, 1.0, -1, is_told=True)], [2.0])


class TestTheLog:
    def test_a_connection_of_which_nothing_was_told_may_be_told_of_in_the_next_round(self) -> None:
        log = AgentLog(connections=[Connection(URL, 1.0, -1, ended=2.0)])
        log.settle_connections([])
        assert len(log.connections) == 1
        log.settle_connections([])
        assert log.connections == []

    def test_all_that_is_compared_is_read_from_it(self, tmp_path: Path) -> None:
        journal = Journal(tmp_path / "log")
        journal.happened("connected", UID, 1.0, url=URL, after=-1)
        told = {"hash": "aa", "status": 1, "healthy": True, "health": "StatusOK", "settings": "cc"}
        journal.said(Message(b"", UID, 0, "status+health+settings", **told), 2.0)  # type: ignore[arg-type]  # its fields
        journal.close()
        logbook = Logbook(tmp_path / "log")
        logbook.read()
        log = logbook.agents[UID]
        found = {kind: [one.content for one in log.said(kind, [])] for kind in KINDS}
        assert found == {
            REMOTE_CONFIG: [told_status({"status": "APPLIED", "hash": "aa"})],
            HEALTH: [told_health({"healthy": True, "status": "StatusOK", "last_error": ""})],
            SETTINGS: [told_status({"status": "APPLIED", "hash": "cc"})],
        }

    def test_settings_that_an_agent_has_were_told_as_sent_in_this_round_or_before(self) -> None:
        log = AgentLog(sent={"aa"})
        connection = Connection(URL, 1.0, -1)
        for number, digest in enumerate(("aa", "bb", "aa")):
            log.reports[SETTINGS].append(Report(("APPLIED", digest), 2.0, number, connection))
        assert [*log.unsent()] == ["nobody was told that the settings bb were sent"]

    def test_reports_are_told_apart_by_their_connections(self) -> None:
        log = AgentLog()
        old, new = Connection(URL, 1.0, -1, ended=2.0, answered=1), Connection(URL, 3.0, 2)
        for number, content in enumerate((A, B, C, A)):
            connection = old if number < 3 else new
            log.reports[HEALTH].append(Report(content, 5.0, number, connection))
        assert log.said(HEALTH, []) == [
            Said(A, 5.0, Loss.NEVER, begins=True),
            Said(B, 5.0),
            Said(C, 5.0, Loss.ALONE),
            Said(A, 5.0, begins=True),
        ]
