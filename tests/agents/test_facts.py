"""What becomes an event of the timeline, in which order, and how often."""

import pytest

from agents import store
from agents.models import AgentEvent, AgentStatus
from agents.snapshot import ComponentHealth, ConfigStatus, Fact, FactKind, RemoteConfigReport
from agents.views.events import lines_of
from tests.agents.reported import kinds
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

    def test_that_its_description_or_its_components_changed_is_told_in_words(self) -> None:
        agent = make_agent()
        facts = tuple(
            Fact(kind, at(n)) for n, kind in enumerate((FactKind.DESCRIPTION, FactKind.COMPONENTS))
        )
        store.apply([make_patch(agent, now=at(1), facts=facts)])
        assert kinds(agent) == ["connected", "description", "components"]
        lines = lines_of(AgentEvent.objects.order_by("-id")[:2], {})
        assert [(line.what, line.at) for line in lines] == [
            ("Reported its components", at(1)),
            ("Described itself", at(0)),
        ]

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
