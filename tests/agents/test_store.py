"""The only writer of the hot row: invariants I1 to I3, and what the row says afterwards."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import store
from agents.configmap import configmap_sha256
from agents.models import AgentEvent, AgentStatus, ComponentSet, EffectiveConfig
from agents.snapshot import (
    AgentPatch,
    ComponentHealth,
    Components,
    ConfigFile,
    ConfigStatus,
    Description,
    Fact,
    FactKind,
    RemoteConfigReport,
    Transport,
)
from agents.snapshot import EffectiveConfig as Effective
from agents.store import Arrival
from telflo.base.ids import new_id
from tests.factories import (
    agent_of,
    at,
    make_agent,
    make_answer,
    make_patch,
    open_session,
    status_of,
)

pytestmark = pytest.mark.django_db


def effective(body: bytes) -> Effective:
    files = (ConfigFile("", body, "text/yaml"),)
    return Effective(configmap_sha256(files), files)


def kinds(snapshot: Any) -> list[str]:
    events = AgentEvent.objects.filter(agent_id=snapshot.instance_uid).order_by("id")
    return list(events.values_list("kind", flat=True))


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


class TestHealth:
    def test_an_empty_health_is_unknown_and_the_last_known_one_is_kept(self) -> None:
        agent = make_agent()
        good = ComponentHealth(True, "StatusOK", report=b"good")
        store.apply([make_patch(agent, now=at(1), health=good)])
        store.apply([make_patch(agent, now=at(2), health=ComponentHealth(False))])
        row = status_of(agent)
        assert (row.health, row.health_at, row.health_since) == ("unknown", at(1), at(2))
        assert (row.health_report, row.reported_status) == (b"good", "StatusOK")

    @pytest.mark.rule("H1")
    @pytest.mark.parametrize(
        ("said", "after_s", "word"),
        [
            (ComponentHealth(False, "StatusStopping"), 2, "unknown"),
            (ComponentHealth(False, "StatusStarting"), 59, "unknown"),
            (ComponentHealth(False, "StatusStopping"), 61, "unhealthy"),
            (ComponentHealth(False, "StatusFatalError"), 2, "unhealthy"),
            (ComponentHealth(False, last_error="Agent process exited"), 2, "unhealthy"),
        ],
    )
    def test_the_steps_of_a_restart_that_we_caused_are_unknown(
        self, said: ComponentHealth, after_s: float, word: str
    ) -> None:
        agent = make_agent()
        store.apply([make_patch(agent, now=at(1), health=ComponentHealth(True, "StatusOK"))])
        store.note_restarts([agent.instance_uid], now=at(10))
        store.apply([make_patch(agent, now=at(10 + after_s), health=said)])
        row = status_of(agent)
        assert row.health == word
        assert row.health_at == (at(1) if word == "unknown" else at(10 + after_s))

    def test_a_supervisor_that_is_shut_down_is_not_ill(self) -> None:
        agent = make_agent()
        store.apply([make_patch(agent, now=at(1), health=ComponentHealth(True, "StatusOK"))])
        last = ComponentHealth(False, last_error="Supervisor is shutdown")
        store.apply([make_patch(agent, now=at(2), health=last, disconnected_at=at(2))])
        row = status_of(agent)
        assert (row.health, row.health_at, row.last_error) == ("unknown", at(1), "")

    def test_the_last_health_of_a_supervisor_over_http_ends_its_connection(self) -> None:
        agent = make_agent()
        store.apply([make_patch(agent, now=at(1), disconnected_at=at(1))])
        poll = open_session(agent.instance_uid, now=at(2), transport=Transport.HTTP)
        last = ComponentHealth(False, last_error="Supervisor is shutdown")
        store.apply([make_patch(poll, now=at(3), health=last)])
        row = status_of(agent)
        assert (row.connected, row.status, row.disconnected_at) == (False, "disconnected", at(3))
        assert kinds(agent)[-1] == "disconnected"


class TestIdentity:
    def test_a_description_fills_the_columns_that_lists_show(self) -> None:
        agent = make_agent()
        description = Description(
            {"service.name": "otelcol-contrib", "service.version": "0.158.0"},
            {"host.name": "web-17", "os.type": "linux"},
        )
        store.apply([make_patch(agent, now=at(1), description=description, capabilities=6)])
        known = agent_of(agent)
        assert (known.display_name, known.host_name, known.os_type) == ("web-17", "web-17", "linux")
        assert (known.collector_name, known.collector_version) == ("otelcol-contrib", "0.158.0")
        assert known.capabilities == 6

    def test_a_component_tree_is_stored_once_and_shared_by_its_hash(self) -> None:
        one, two = make_agent(), make_agent()
        store.apply([make_patch(one, now=at(1), components=Components("cc"))])
        named = make_agent(uid=one.instance_uid, now=at(2))
        assert (named.components_hash, named.lacks_components) == ("cc", True)
        one = make_agent(uid=one.instance_uid, now=at(3))
        tree = Components("cc", {"receivers": {}})
        store.apply(
            [
                make_patch(one, now=at(4), components=tree),
                make_patch(two, now=at(4), components=Components("cc")),
            ]
        )
        assert ComponentSet.objects.count() == 1
        assert agent_of(one).components_id == agent_of(two).components_id == "cc"
        known = make_agent(uid=two.instance_uid, now=at(5))
        assert (known.components_hash, known.lacks_components) == ("cc", False)

    def test_each_distinct_body_is_stored_once(self) -> None:
        agents = [make_agent() for _ in range(3)]
        store.apply(
            [make_patch(agent, now=at(1), effective_config=effective(b"a: 1")) for agent in agents]
        )
        store.apply([make_patch(agents[0], now=at(2), effective_config=effective(b"\xff\x00"))])
        assert EffectiveConfig.objects.count() == 2
        assert status_of(agents[0]).effective_config_id == effective(b"\xff\x00").sha256


class TestTimeline:
    @pytest.mark.rule("I1", "R5")
    def test_what_is_written_once_more_since_no_answer_came_is_told_once(self) -> None:
        """The database committed and was gone before it said so: the patch is kept, and more comes to it."""
        agent = make_agent()
        ill = ComponentHealth(False, "StatusFatalError", "no")
        facts = [
            Fact(FactKind.REMOTE_CONFIG, at(1), remote_config=RemoteConfigReport(status, "aa"))
            for status in (ConfigStatus.APPLYING, ConfigStatus.APPLIED)
        ]
        first = make_patch(
            agent, now=at(1), health=ill, facts=(*facts, Fact(FactKind.HEALTH, at(1), health=ill))
        )
        store.apply([first])
        told = kinds(agent)
        store.apply([first])
        assert kinds(agent) == told
        later = Fact(FactKind.REMOTE_CONFIG, at(1), remote_config=facts[0].remote_config)
        store.apply([first.merge(make_patch(agent, now=at(2), facts=(later,)))])
        assert kinds(agent) == [*told, "remote_config"]

    def test_a_flap_within_one_flush_leaves_both_events(self) -> None:
        agent = make_agent()
        gone = make_patch(
            agent,
            now=at(1),
            disconnected_at=at(1),
            facts=(Fact(FactKind.DISCONNECTED, at(1), reason="closed"),),
        )
        back = make_agent(uid=agent.instance_uid, now=at(1.01))
        store.apply([gone, make_patch(back, now=at(1.02), health=ComponentHealth(True))])
        assert sorted(kinds(agent)) == ["connected", "connected", "disconnected"]
        assert status_of(agent).connected

    def test_what_a_slow_process_writes_late_stands_where_it_belongs(self) -> None:
        """The newer session is told nothing of the health before, since it may not be stored yet: so it is news there."""
        well, ill = ComponentHealth(True, "StatusOK"), ComponentHealth(False, "StatusFatalError")
        old = make_agent()
        store.apply([make_patch(old, now=at(1), health=well)])
        new = open_session(old.instance_uid, now=at(3))
        assert new.health is None
        is_well, is_ill = (
            Fact(FactKind.HEALTH, at(4), health=well),
            Fact(FactKind.HEALTH, at(2), health=ill),
        )
        store.apply([make_patch(new, now=at(4), health=well, facts=(is_well,))])
        store.apply([make_patch(old, now=at(2), health=ill, facts=(is_ill,))])
        newest = (
            AgentEvent.objects.filter(kind="health").order_by("-id").values_list("at", flat=True)
        )
        assert list(newest) == [at(4), at(2)]
        assert status_of(new).health == "healthy"

    def test_a_session_behind_one_that_has_ended_knows_the_health(self) -> None:
        old = make_agent()
        well = ComponentHealth(True, "StatusOK")
        store.apply([make_patch(old, now=at(1), health=well, disconnected_at=at(2))])
        assert open_session(old.instance_uid, now=at(3)).health == well

    def test_failed_and_applied_in_one_flush_are_two_events_without_secrets(self) -> None:
        agent = make_agent()
        failed = RemoteConfigReport(ConfigStatus.FAILED, "bb", "password: hunter2-hunter2")
        applied = RemoteConfigReport(ConfigStatus.APPLIED, "aa")
        facts = tuple(
            Fact(FactKind.REMOTE_CONFIG, at(1), remote_config=one) for one in (failed, applied)
        )
        store.apply([make_patch(agent, now=at(1), remote_config=applied, facts=facts)])
        events = AgentEvent.objects.filter(kind="remote_config").order_by("id")
        assert [event.data["status"] for event in events] == ["FAILED", "APPLIED"]
        assert "hunter2" not in str(events[0].data)

    def test_a_failure_is_news_once_in_the_same_words_and_again_when_it_was_applied_between(
        self,
    ) -> None:
        agents = [make_agent() for _ in range(3)]
        failed = (ConfigStatus.FAILED, "bb", "port in use")
        events = AgentEvent.objects.filter(kind="remote_config")
        store.apply([make_answer(agent, failed, (ConfigStatus.APPLIED, "aa")) for agent in agents])
        assert events.count() == 6
        store.apply([make_answer(agent, failed) for agent in agents])
        assert events.count() == 6
        applying = (ConfigStatus.APPLYING, "bb")
        store.apply([make_answer(agent, failed, applying, failed) for agent in agents])
        assert events.count() == 12, "offered anew, it failed anew"

    def test_what_a_forgotten_agent_says_is_ignored(self) -> None:
        gone, here = make_agent(), make_agent()
        agent_of(gone).delete()
        fact = Fact(FactKind.DISCONNECTED, at(1))
        store.apply(
            [
                make_patch(gone, now=at(1), health=ComponentHealth(True), facts=(fact,)),
                make_patch(gone, now=at(1), sequence_num=3),
                make_patch(here, now=at(1), health=ComponentHealth(True)),
            ]
        )
        assert status_of(here).health == "healthy"
        assert not AgentStatus.objects.filter(agent_id=gone.instance_uid).exists()


class TestCosts:
    def test_heartbeats_of_many_agents_are_one_statement(
        self, django_assert_num_queries: Any
    ) -> None:
        agents = [make_agent() for _ in range(20)]
        beats = [make_patch(agent, now=at(9), sequence_num=2) for agent in agents]
        with django_assert_num_queries(1):
            store.apply(beats)
        assert AgentStatus.objects.filter(last_seen_at=at(9), sequence_num=2).count() == 20

    def test_changes_of_many_agents_cost_as_many_statements_as_those_of_one(self) -> None:
        assert _cost_of(1) == _cost_of(40)

    def test_failures_of_many_agents_cost_as_many_statements_as_one(self) -> None:
        def cost_of(number: int) -> int:
            said = (ConfigStatus.FAILED, "bb", "port in use")
            answers = [make_answer(make_agent(), said) for _ in range(number)]
            store.apply(answers)
            with CaptureQueriesContext(connection) as queries:
                store.apply(answers)
            return len(queries)

        assert cost_of(1) == cost_of(40)

    def test_merged_patches_of_one_session_are_one_row(self) -> None:
        agent = make_agent()
        store.apply(
            [
                make_patch(agent, now=at(1), sequence_num=1, health=ComponentHealth(True)),
                make_patch(agent, now=at(2), sequence_num=2),
            ]
        )
        row = status_of(agent)
        assert (row.sequence_num, row.last_seen_at, row.health) == (2, at(2), "healthy")


def _cost_of(number: int) -> int:
    agents = [make_agent() for _ in range(number)]
    patches: list[AgentPatch] = [
        make_patch(
            agent,
            now=at(1),
            capabilities=6,
            description=Description({"service.name": "otelcol"}),
            health=ComponentHealth(True),
            effective_config=effective(f"n: {number}".encode()),
            components=Components(f"c{number}", {"receivers": {}}),
            remote_config=RemoteConfigReport(ConfigStatus.APPLIED, "aa"),
            facts=(Fact(FactKind.HEALTH, at(1), health=ComponentHealth(True)),),
        )
        for agent in agents
    ]
    with CaptureQueriesContext(connection) as queries:
        store.apply(patches)
    return len(queries)


class TestSweep:
    @pytest.mark.rule("D2")
    def test_over_http_three_intervals_of_silence_end_the_connection(self) -> None:
        agent = make_agent()
        store.apply([make_patch(agent, now=at(0), disconnected_at=at(0))])
        open_session(agent.instance_uid, now=at(0), transport=Transport.HTTP)
        assert store.sweep(at(89)) == 0
        assert store.sweep(at(91)) == 1
        assert status_of(agent).status == "disconnected"

    @pytest.mark.rule("D2")
    def test_silence_over_a_websocket_ends_the_connection(self) -> None:
        agent = make_agent()
        assert store.sweep(at(104)) == 0
        assert store.sweep(at(106)) == 1
        row = status_of(agent)
        assert (row.connected, row.status) == (False, "disconnected")
        assert kinds(agent)[-1] == "disconnected"
        assert store.sweep(at(107)) == 0

    @pytest.mark.rule("D2", "S4")
    def test_a_shorter_interval_counts_from_when_it_was_told(self) -> None:
        """Seen with a real supervisor: until then it was silent for good reason, and its next heartbeat is stored late."""
        agent = make_agent()
        store.set_intervals({agent.instance_uid: 5}, now=at(40))
        assert store.sweep(at(69)) == 0
        assert store.sweep(at(71)) == 1

    def test_a_heartbeat_after_the_silence_connects_again(self) -> None:
        agent = make_agent()
        store.sweep(at(200))
        store.apply([make_patch(agent, now=at(201), sequence_num=3)])
        row = status_of(agent)
        assert (row.connected, row.sequence_num, row.connected_at) == (True, 3, at(201))
        assert kinds(agent) == ["connected", "disconnected", "connected"]

    def test_a_day_later_it_is_stale(self) -> None:
        agent = make_agent()
        store.apply([make_patch(agent, now=at(1), disconnected_at=at(1))])
        assert store.sweep(at(24 * 3600)) == 0
        assert store.sweep(at(24 * 3600 + 1)) == 1
        assert status_of(agent).status == "stale"
        assert store.sweep(at(24 * 3600 + 9)) == 0

    def test_a_server_that_was_away_for_days_finds_its_agents_stale(self) -> None:
        agent = make_agent()
        store.sweep(at(3 * 24 * 3600))
        assert status_of(agent).status == "stale"

    def test_the_number_of_statements_does_not_depend_on_the_number_of_agents(self) -> None:
        costs = []
        for number in (1, 30):
            for _ in range(number):
                make_agent()
            with CaptureQueriesContext(connection) as queries:
                assert store.sweep(at(500)) == number
            costs.append(len(queries))
        assert costs[0] == costs[1]


class TestIntent:
    def test_the_word_follows_what_is_wanted(self) -> None:
        agent = make_agent()
        report = RemoteConfigReport(ConfigStatus.APPLIED, "aa")
        store.apply([make_patch(agent, now=at(1), capabilities=2, remote_config=report)])
        assert status_of(agent).status == "unmanaged"
        for desired, failed, word in (
            ("aa", False, "in_sync"),
            ("bb", False, "pending"),
            ("bb", True, "rolled_back"),
        ):
            change = store.IntentChange(agent.instance_uid, True, desired, failed)
            gone = store.IntentChange(new_id(), True, desired, failed)
            store.set_intent([change, gone], now=at(2))
            assert status_of(agent).status == word

    def test_since_stays_while_the_word_does(self) -> None:
        agent = make_agent()
        since = status_of(agent).status_since
        store.apply([make_patch(agent, now=at(50), health=ComponentHealth(True))])
        assert status_of(agent).status_since == since


class TestRetention:
    def test_old_events_go_and_young_ones_stay(self) -> None:
        agent = make_agent()
        store.add_events([store.NewEvent(agent.instance_uid, at(29 * 24 * 3600), "enrolled")])
        assert store.prune_events(at(31 * 24 * 3600)) == 1
        assert kinds(agent) == ["enrolled"]

    def test_bodies_that_nobody_runs_any_more_go(self) -> None:
        agent = make_agent()
        for second, body in ((1, b"a: 1"), (2, b"a: 2")):
            store.apply([make_patch(agent, now=at(second), effective_config=effective(body))])
        assert store.prune_effective_configs(at(60)) == 0
        assert store.prune_effective_configs(at(7200)) == 1
        assert EffectiveConfig.objects.get().sha256 == effective(b"a: 2").sha256

    def test_trees_of_builds_that_nobody_has_any_more_go(self) -> None:
        agent = make_agent()
        for second, name in ((1, "old"), (2, "new")):
            tree = Components(name, {"receivers": {}})
            store.apply([make_patch(agent, now=at(second), components=tree)])
        assert store.prune_components(at(29 * 24 * 3600)) == 0
        assert store.prune_components(at(31 * 24 * 3600)) == 1
        assert ComponentSet.objects.get().hash == "new"
