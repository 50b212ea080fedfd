"""Silence, and what is kept for how long."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import store
from agents.models import ComponentSet, EffectiveConfig
from agents.snapshot import Components, Transport
from tests.agents.reported import effective, kinds
from tests.factories import at, make_agent, make_patch, open_session, status_of

pytestmark = pytest.mark.django_db


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
