"""Sessions and their numbers in the hot row: invariants I1 to I3."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agents import store
from agents.models import AgentStatus
from agents.snapshot import (
    ComponentHealth,
    ConfigStatus,
    Fact,
    FactKind,
    RemoteConfigReport,
    Transport,
)
from agents.store import Arrival
from telflo.base.ids import new_id
from tests.agents.reported import effective, kinds
from tests.factories import at, make_agent, make_patch, open_session, status_of

pytestmark = pytest.mark.django_db


class TestSessions:
    def test_a_herd_costs_as_many_statements_as_one_agent(self) -> None:
        herd = [make_agent().instance_uid for _ in range(20)]

        def statements(uids: list[Any]) -> int:
            arrivals = [Arrival(uid, Transport.WEBSOCKET, "192.0.2.7") for uid in uids]
            with CaptureQueriesContext(connection) as captured:
                assert store.open_sessions(arrivals, now=at(1)).keys() == set(uids)
            return len(captured)

        assert statements(herd) == statements(herd[:1])

    def test_who_left_while_the_database_let_it_wait_fences_nobody_out(self) -> None:
        here = make_agent()
        gone = Arrival(here.instance_uid, Transport.WEBSOCKET, "192.0.2.7", has_left=lambda: True)
        assert store.open_sessions([gone], now=at(1)) == {}
        assert (status_of(here).session_epoch, status_of(here).connected) == (here.epoch, True)
        newcomer = new_id()
        store.register([newcomer], now=at(1))
        assert store.open_sessions([replace(gone, instance_uid=newcomer)], now=at(1))

    @pytest.mark.rule("I3")
    @pytest.mark.parametrize(("stored", "doubtful"), [(7, None), (None, 7)])
    def test_who_hung_up_over_plain_http_is_heard_when_it_says_something_new(
        self, stored: int | None, doubtful: int | None
    ) -> None:
        uid = make_agent().instance_uid
        store.apply([make_patch(open_session(uid, now=at(1)), now=at(1), disconnected_at=at(1))])
        AgentStatus.objects.update(sequence_num=stored, doubtful_num=doubtful)
        was = AgentStatus.objects.get(pk=uid).session_epoch
        gone = Arrival(uid, Transport.HTTP, "192.0.2.7", has_left=lambda: True)
        for number in (6, 7):
            assert store.open_sessions([replace(gone, number=number)], now=at(2)) == {}
        assert AgentStatus.objects.get(pk=uid).session_epoch == was
        assert store.open_sessions([replace(gone, number=8)], now=at(2))

    def test_an_agent_that_nobody_registered_has_no_session(self) -> None:
        assert store.open_sessions([Arrival(new_id(), Transport.HTTP, "")], now=at()) == {}

    def test_the_first_session_is_new_and_the_next_one_knows_what_is_stored(self) -> None:
        first = make_agent()
        assert first.is_new
        report = RemoteConfigReport(ConfigStatus.FAILED, "ab", "no such exporter")
        health = ComponentHealth(True, "StatusOK", components={"extensions": ComponentHealth(True)})
        store.apply(
            [
                make_patch(
                    first,
                    now=at(1),
                    sequence_num=4,
                    disconnected_at=at(1.5),
                    remote_config=report,
                    health=health,
                    effective_config=effective(b"a: 1"),
                    facts=(Fact(FactKind.FULL_STATE, at(1), remote_config=report),),
                )
            ]
        )
        again = make_agent(uid=first.instance_uid, now=at(2))
        assert (again.is_new, again.epoch, again.sequence_num) == (False, first.epoch + 1, 4)
        assert (again.remote_config, again.health) == (report, ComponentHealth(True, "StatusOK"))
        assert again.effective_sha256 == effective(b"a: 1").sha256
        assert (again.full_state_at, again.seen_at) == (at(1), at(1))

    def test_while_a_full_state_is_outstanding_the_last_number_is_kept_beside_the_doubt(
        self,
    ) -> None:
        first = make_agent()
        store.apply([make_patch(first, now=at(1), sequence_num=None, doubtful_num=9)])
        again = make_agent(uid=first.instance_uid, now=at(2))
        assert (again.sequence_num, again.doubtful_num) == (None, 9)
        store.apply([make_patch(again, now=at(3), sequence_num=10, health=None)])
        after = make_agent(uid=first.instance_uid, now=at(4))
        assert (after.sequence_num, after.doubtful_num) == (10, None)

    @pytest.mark.rule("I3")
    def test_a_patch_of_an_older_session_changes_no_state_but_its_facts_are_kept(self) -> None:
        old = make_agent()
        new = make_agent(uid=old.instance_uid, now=at(1))
        late = make_patch(
            old,
            now=at(2),
            sequence_num=9,
            disconnected_at=at(2),
            facts=(Fact(FactKind.DISCONNECTED, at(2), reason="closed"),),
        )
        store.apply([late])
        row = status_of(new)
        assert (row.connected, row.sequence_num, row.last_seen_at) == (True, None, at(1))
        assert kinds(new) == ["connected", "connected", "disconnected"]

    @pytest.mark.rule("A2")
    @pytest.mark.parametrize(("said_at", "is_its_own"), [(0.5, True), (2, False)])
    def test_what_a_replaced_session_says_after_the_newer_one_began_is_another_agents(
        self, said_at: float, is_its_own: bool
    ) -> None:
        old = make_agent()
        new = make_agent(uid=old.instance_uid, now=at(1))
        ill = Fact(FactKind.HEALTH, at(said_at), health=ComponentHealth(False, "StatusFatalError"))
        store.apply([make_patch(old, now=at(said_at), facts=(ill,))])
        assert ("health" in kinds(new)) is is_its_own

    @pytest.mark.rule("I3")
    def test_what_is_posted_anew_before_it_was_stored_is_told_once(self) -> None:
        uid = new_id()
        store.register([uid], now=at(0))
        posts = [open_session(uid, now=at(n), transport=Transport.HTTP) for n in (1, 2)]
        ill = ComponentHealth(False, "StatusFatalError")
        for again in reversed(posts):
            fact = Fact(FactKind.HEALTH, at(3), health=ill)
            patch = make_patch(again, now=at(3), sequence_num=1, health=ill, facts=(fact,))
            patch.is_polled = True
            overtaken = nullcontext() if again is posts[-1] else pytest.raises(store.Overtaken)
            with overtaken, transaction.atomic():
                store.apply([patch])
        assert kinds(posts[0]) == ["connected", "health"]

    @pytest.mark.rule("I3")
    def test_a_heartbeat_of_an_older_session_matches_no_row(self) -> None:
        old = make_agent()
        make_agent(uid=old.instance_uid, now=at(1))
        store.apply([make_patch(old, now=at(5), sequence_num=7)])
        assert status_of(old).last_seen_at == at(1)

    @pytest.mark.rule("I3")
    def test_plain_http_never_fences_out_a_live_websocket(self) -> None:
        live = make_agent()
        poll = open_session(live.instance_uid, now=at(1), transport=Transport.HTTP)
        assert poll.epoch == store.FENCED_EPOCH
        store.apply([make_patch(poll, now=at(1), sequence_num=3, health=ComponentHealth(True))])
        store.apply([make_patch(live, now=at(2), sequence_num=5)])
        row = status_of(live)
        assert (row.transport, row.sequence_num, row.health) == ("ws", 5, "unknown")

    def test_each_poll_over_http_is_a_session_but_no_event(self) -> None:
        agent = make_agent()
        store.apply([make_patch(agent, now=at(1), disconnected_at=at(1))])
        for second in (2, 32, 62):
            poll = open_session(agent.instance_uid, now=at(second), transport=Transport.HTTP)
        assert poll.epoch == agent.epoch + 3
        assert kinds(agent) == ["connected", "connected"]
        assert status_of(agent).connected_at == at(2)


class TestSequenceNumbers:
    @pytest.mark.rule("I1")
    def test_the_number_is_stored_in_the_statement_that_stores_the_state(self) -> None:
        agent = make_agent()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            store.apply(
                [make_patch(agent, now=at(1), sequence_num=8, health=ComponentHealth(True))]
            )
        writes = [q["sql"] for q in queries if "UPDATE" in q["sql"].upper() and "SET" in q["sql"]]
        [statement] = [sql for sql in writes if "agents_agentstatus" in sql]
        assert "sequence_num" in statement
        assert "health_report" in statement

    @pytest.mark.rule("I2")
    def test_while_a_full_state_is_outstanding_no_number_is_stored(self) -> None:
        agent = make_agent()
        store.apply([make_patch(agent, now=at(1), sequence_num=8)])
        store.apply([make_patch(agent, now=at(2), sequence_num=None)])
        assert make_agent(uid=agent.instance_uid, now=at(3)).sequence_num is None
