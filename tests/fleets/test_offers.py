"""Offers: claimed before they are sent, never twice, and what proves that one was lost."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from agents.snapshot import Capability, Fact, FactKind, RemoteConfigReport, Transport
from fleets import reports
from fleets.models import Attempt, Quarantine
from fleets.offer import Intent
from fleets.standing import intents
from telflo.base import clock
from tests.factories import (
    enrol,
    make_patch,
    status_of,
)
from tests.fleets.story import (
    APPLIED,
    APPLYING,
    FAILED,
    Story,
    attempts_of,
    hash_of,
    member_of,
    target_of,
)

pytestmark = pytest.mark.django_db


class TestOffers:
    def test_an_offer_in_flight_is_not_offered_again(self) -> None:
        story = Story()
        [agent] = story.agents
        story.assign(story.version())
        assert story.claim(agent)
        assert not story.claim(agent)
        story.answer(agent, APPLYING, hash_of(member_of(agent).desired.version))  # type: ignore[union-attr]  # it has one
        assert not story.claim(agent)

    def test_an_older_session_is_offered_nothing(self) -> None:
        story = Story()
        [old] = story.agents
        story.assign(story.version())
        new = story.come_back(old)
        assert not story.claim(old)
        assert story.claim(new)

    def test_what_failed_is_never_offered_again(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        story.assign(two)
        story.claim(agent)
        story.answer(agent, FAILED, hash_of(two), "no such exporter")
        story.answer(agent, APPLIED, hash_of(story.one))
        story.work()
        again = story.come_back(agent)
        assert (again.desired_hash, story.claim(again)) == ("", {})
        assert intents([agent.instance_uid]) == {agent.instance_uid: Intent()}
        assert status_of(agent).status == "rolled_back"

    def test_the_truth_for_reconcile_is_the_membership(
        self, django_assert_num_queries: Any
    ) -> None:
        story = Story(count=3)
        two = story.version()
        story.assign(two)
        uids = [agent.instance_uid for agent in story.agents]
        wanted = dict.fromkeys(uids, Intent(hash_of(two)))
        with django_assert_num_queries(1):
            assert intents(uids) == wanted
        with django_assert_num_queries(1):
            assert intents() == wanted

    def test_claims_of_many_agents_cost_as_many_statements_as_those_of_one(self) -> None:
        costs = []
        for count in (1, 30):
            story = Story(count=count)
            story.assign(story.version())
            with CaptureQueriesContext(connection) as queries:
                assert len(story.claim(*story.agents)) == count
            costs.append(len(queries))
        assert costs[0] == costs[1]

    def test_the_attempt_is_written_before_the_offer_is_answered(self) -> None:
        story = Story()
        [agent] = story.agents
        rollout = story.assign(story.version())
        story.claim(agent)
        attempt = Attempt.objects.latest("id")
        assert (attempt.state, attempt.epoch, attempt.rollout) == ("offered", agent.epoch, rollout)
        assert story.come_back(agent).in_flight_hash == attempt.hash


class TestLostOffers:
    def test_a_later_full_state_with_another_hash_proves_the_loss(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        rollout = story.assign(two)
        story.claim(agent)
        back = story.come_back(agent)
        assert not story.claim(back)
        story.tell_all(back, APPLIED, hash_of(story.one))
        assert attempts_of(agent)[-1] == "lost"
        assert target_of(rollout, agent).state == "waiting"
        assert story.claim(back) == {agent.instance_uid: hash_of(two)}

    def test_a_full_state_of_the_same_session_proves_nothing(self) -> None:
        story = Story()
        [agent] = story.agents
        story.assign(story.version())
        story.claim(agent)
        story.tell_all(agent, APPLIED, hash_of(story.one))
        assert attempts_of(agent)[-1] == "offered"
        assert not story.claim(agent)

    def test_a_full_state_of_an_agent_that_reports_no_configuration_proves_nothing(self) -> None:
        story = Story()
        [agent] = story.agents
        story.assign(story.version())
        story.claim(agent)
        back = story.come_back(agent)
        silent = Capability.REPORTS_STATUS | Capability.ACCEPTS_REMOTE_CONFIG
        Agent.objects.filter(pk=agent.instance_uid).update(capabilities=silent)
        story.tell_all(back, APPLIED, hash_of(story.one))
        assert attempts_of(agent)[-1] == "offered"

    def test_a_clone_over_plain_http_beside_the_live_websocket_decides_nothing(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        story.assign(two)
        story.claim(agent)
        clone = enrol(token=story.token, uid=agent.instance_uid, transport=Transport.HTTP)
        story.answer(clone, FAILED, hash_of(two), "not here")
        assert attempts_of(agent)[-1] == "offered"
        assert not Quarantine.objects.exists()

    @pytest.mark.rule("A2")
    def test_what_a_clone_says_on_a_replaced_websocket_decides_nothing(self) -> None:
        story = Story()
        [clone] = story.agents
        two = story.version()
        agent = story.come_back(clone)
        story.assign(two)
        story.claim(agent)
        story.answer(clone, FAILED, hash_of(two), "not here")
        assert attempts_of(agent)[-1] == "offered"
        assert not Quarantine.objects.exists()

    def test_a_claim_that_was_not_sent_is_given_back_and_granted_again(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        rollout = story.assign(two)
        claimed = story.claim(agent)
        story.give_back(agent, claimed)
        assert attempts_of(agent)[-1] == "lost"
        assert target_of(rollout, agent).state == "waiting"
        assert story.claim(agent) == claimed

    def test_what_an_older_session_claimed_says_nothing_of_what_a_newer_one_was_sent(self) -> None:
        story = Story()
        [old] = story.agents
        story.assign(story.version())
        new = story.come_back(old)
        claimed = story.claim(new)
        story.give_back(old, claimed)
        assert attempts_of(new)[-1] == "offered"
        assert not story.claim(new)

    def test_an_offer_that_was_answered_cannot_be_given_back(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        story.assign(two)
        claimed = story.claim(agent)
        story.answer(agent, APPLYING, hash_of(two))
        story.give_back(agent, claimed)
        assert attempts_of(agent)[-1] == "applying"

    def test_a_full_state_after_an_answer_that_arrived_proves_nothing(self) -> None:
        story = Story()
        [agent] = story.agents
        story.assign(story.version())
        story.claim(agent)
        back = story.come_back(agent)
        report = RemoteConfigReport(APPLIED, hash_of(story.one))
        fact = Fact(FactKind.FULL_STATE, clock.now(), remote_config=report, proves_loss=False)
        reports.record_patches([make_patch(back, facts=(fact,))])
        assert attempts_of(agent)[-1] == "offered"

    def test_a_full_state_that_names_the_hash_is_its_answer(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        story.assign(two)
        story.claim(agent)
        story.tell_all(story.come_back(agent), APPLIED, hash_of(two))
        assert attempts_of(agent)[-1] == "applied"
