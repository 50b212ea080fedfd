"""The only writer of the hot row: what the row says afterwards, and what writing costs."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agents import store
from agents.models import AgentStatus, ComponentSet, EffectiveConfig
from agents.snapshot import (
    AgentPatch,
    ComponentHealth,
    Components,
    ConfigStatus,
    Description,
    Fact,
    FactKind,
    RemoteConfigReport,
    Transport,
)
from telflo.base.ids import new_id
from tests.agents.reported import effective, kinds
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


class TestOvertaken:
    """Over plain HTTP a request may be worked on beside a newer one of the same agent."""

    @pytest.mark.rule("I3")
    @pytest.mark.parametrize("said", [{}, {"health": ComponentHealth(True, "StatusOK")}])
    def test_what_an_older_request_says_is_not_stored_and_it_is_told_so(self, said: Any) -> None:
        agent = make_agent()
        store.apply([make_patch(agent, now=at(1), disconnected_at=at(1))])
        older, newer = (
            open_session(agent.instance_uid, now=at(4), transport=Transport.HTTP) for _ in "ab"
        )
        before = status_of(agent), kinds(agent)
        with pytest.raises(store.Overtaken), transaction.atomic():
            store.apply([make_patch(older, now=at(5), is_polled=True, sequence_num=4, **said)])
        after = status_of(agent)
        assert (after.sequence_num, after.last_seen_at, after.health) == (
            before[0].sequence_num,
            before[0].last_seen_at,
            before[0].health,
        )
        assert kinds(agent) == before[1]
        store.apply([make_patch(newer, now=at(6), is_polled=True, sequence_num=4, **said)])
        assert status_of(agent).sequence_num == 4

    @pytest.mark.parametrize("said", [{}, {"health": ComponentHealth(True, "StatusOK")}])
    def test_a_clone_without_an_identity_and_who_was_forgotten_are_answered(
        self, said: Any
    ) -> None:
        agent = make_agent()
        fenced = replace(agent, epoch=store.FENCED_EPOCH)
        store.apply([make_patch(fenced, is_polled=True, **said)])
        forgotten = replace(agent, instance_uid=new_id())
        store.apply([make_patch(forgotten, is_polled=True, **said)])


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
