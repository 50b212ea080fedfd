"""The health in what one session hears: what is taken, and what is news."""

from datetime import UTC, datetime

import pytest

from agents.snapshot import UNSET, ComponentHealth, FactKind, Transport
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.anyvalue import attributes_from_json
from opamp.protocol.session import AgentSession
from tests.protocol.sessions import full, known, said, session
from tests.protocol.world import LIMITS, START


class TestHealth:
    @pytest.mark.rule("H1")
    def test_the_tree_is_taken_with_its_times_texts_and_attributes(self) -> None:
        health = pb.ComponentHealth(status="anything", start_time_unix_nano=1_500_000_000)
        inner = health.component_health_map["a"].component_health_map["b"]
        inner.last_error, inner.status_time_unix_nano = "port in use", 2**64 - 1
        inner.attributes.extend(attributes_from_json({"port": 4317}))
        patch = session().receive(said(5, health=health), START).patch
        assert patch is not None
        assert isinstance(patch.health, ComponentHealth)
        assert (patch.health.status, patch.health.started_at) == (
            "anything",
            datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC),
        )
        leaf = patch.health.components["a"].components["b"]
        assert (leaf.last_error, leaf.attributes) == ("port in use", {"port": 4317})
        assert leaf.status_at is not None
        assert leaf.status_at.year == 2554

    @pytest.mark.rule("H1")
    def test_an_empty_health_is_unknown_and_keeps_the_last_known_one(self) -> None:
        one = session(health=ComponentHealth(healthy=True, status="StatusOK"))
        patch = one.receive(said(5, health=pb.ComponentHealth()), START).patch
        assert patch is not None
        assert patch.health is UNSET
        assert [fact.health for fact in patch.facts] == [ComponentHealth(healthy=False)]

    @pytest.mark.rule("H1")
    def test_only_a_change_of_the_root_is_an_event(self) -> None:
        one = session()
        health = pb.ComponentHealth(healthy=True, status="StatusOK", status_time_unix_nano=10**18)
        first = one.receive(said(5, health=health), START).patch
        health.component_health_map["pipeline:logs"].healthy = True
        second = one.receive(said(6, health=health), START).patch
        assert first is not None
        assert second is not None
        assert (len(first.facts), len(second.facts)) == (1, 0)
        assert second.health is not UNSET
        assert second.health is not None
        assert "pipeline:logs" in second.health.components


class TestHealthThatWasKnown:
    """What an earlier session heard of it may be written late, behind what this one takes as known."""

    HEALTHY = ComponentHealth(healthy=True)

    def is_news(self, number: int, **changes: object) -> list[bool]:
        """Of a first report that says what is stored, and of the same once more."""
        session = AgentSession(known(health=self.HEALTHY, **changes), LIMITS)
        outcomes = [session.receive(full(one), START) for one in (number, number + 1)]
        facts = [outcome.patch.facts for outcome in outcomes if outcome.patch is not None]
        return [any(fact.kind is FactKind.HEALTH for fact in each) for each in facts]

    def test_behind_a_gap_it_is_told_once_more(self) -> None:
        assert self.is_news(6) == [True, False]
        assert self.is_news(5, sequence_num=None) == [True, False]

    def test_where_all_is_stored_it_is_no_news(self) -> None:
        assert self.is_news(5) == [False, False]

    def test_over_plain_http_all_that_was_answered_is_stored(self) -> None:
        assert self.is_news(6, transport=Transport.HTTP) == [False, False]

    def test_what_is_posted_anew_was_told_also_beside_a_restart(self) -> None:
        """The health counts as past from a restart on, so what is said of it next is news, but not twice."""
        restarting = {"transport": Transport.HTTP, "is_health_past": True}
        assert self.is_news(4, **restarting) == [False, False]
        assert self.is_news(5, **restarting) == [True, False]

    def test_that_nothing_is_known_is_told_once_when_it_is_posted_anew(self) -> None:
        silent = said(4, health=pb.ComponentHealth())
        for is_past in (False, True):
            stored = known(health=self.HEALTHY, is_health_past=is_past, transport=Transport.HTTP)
            patch = AgentSession(stored, LIMITS).receive(silent, START).patch
            assert patch is not None
            is_told = any(fact.kind is FactKind.HEALTH for fact in patch.facts)
            assert is_told is not is_past

    def test_a_report_later_than_the_first_message_is_news_too(self) -> None:
        session = AgentSession(known(health=self.HEALTHY), LIMITS)
        session.receive(said(6), START)
        patch = session.receive(full(7), START).patch
        assert patch is not None
        assert any(fact.kind is FactKind.HEALTH for fact in patch.facts)
