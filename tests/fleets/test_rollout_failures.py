"""How a rollout fails: quarantine, deadlines, and trying again (decisions 2, 4, 6)."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agents import store
from agents.models import AgentEvent
from fleets import reports, services
from fleets.errors import CannotRetry
from fleets.models import Quarantine
from fleets.rollouts import engine
from telflo.base import clock
from tests.factories import (
    TESTER,
    agent_of,
    make_answer,
    make_patch,
    status_of,
)
from tests.fleets.story import (
    APPLIED,
    APPLYING,
    FAILED,
    Story,
    attempts_of,
    disconnect,
    hash_of,
    member_of,
    target_of,
)

pytestmark = pytest.mark.django_db
PAST_DEADLINE = timedelta(seconds=181)


class TestFailures:
    def test_a_failure_beyond_the_budget_pauses_and_newcomers_keep_the_stable_version(self) -> None:
        story = Story(count=2)
        bad, _ = story.agents
        two = story.version()
        rollout = story.assign(two)
        story.claim(bad)
        story.answer(bad, FAILED, hash_of(two), "no such exporter")
        story.work()
        rollout.refresh_from_db()
        assert (rollout.state, rollout.state_reason) == (
            "paused",
            "1 of 2 failed; the budget is 0 %.",
        )
        newcomer = story.join()
        story.work()
        assert story.claim(newcomer) == {newcomer.instance_uid: hash_of(story.one)}

    def test_a_pause_takes_back_what_was_not_offered_yet(self) -> None:
        story = Story(count=3)
        bad, away, under_way = story.agents
        disconnect(away)
        two = story.version()
        rollout = story.assign(two)
        story.claim(bad, under_way)
        story.answer(bad, FAILED, hash_of(two))
        story.work()
        assert member_of(away).desired == member_of(away).previous
        assert target_of(rollout, away).state == "waiting"
        assert not story.claim(story.come_back(away))
        story.answer(under_way, APPLIED, hash_of(two))
        assert target_of(rollout, under_way).state == "succeeded"

    def test_what_is_offered_while_the_pause_waits_for_the_rows_is_not_taken_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        story = Story(2)
        first, second = story.agents
        two = story.version()
        rollout = story.assign(two)
        story.claim(first)
        lock = store.lock

        def lock_late(uids: Collection[UUID]) -> dict[UUID, store.StatusRow]:
            """The offer was claimed before the lock was granted."""
            monkeypatch.setattr(store, "lock", lock)
            assert story.claim(second) == {second.instance_uid: hash_of(two)}
            return lock(uids)

        story.answer(first, FAILED, hash_of(two))
        monkeypatch.setattr(store, "lock", lock_late)
        engine.advance(rollout.pk, now=clock.now())
        assert member_of(second).desired == member_of(first).desired
        assert attempts_of(second)[-1] == "offered"
        story.answer(second, APPLIED, hash_of(two))
        assert target_of(rollout, second).state == "succeeded"

    def test_failed_and_applied_in_one_flush_quarantine_all_the_same(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        rollout = story.assign(two)
        story.claim(agent)
        reports.record_patches(
            [
                make_answer(
                    agent,
                    (APPLYING, hash_of(two)),
                    (FAILED, hash_of(two), "exit code 1"),
                    (APPLIED, hash_of(story.one)),
                )
            ]
        )
        assert target_of(rollout, agent).reason == "exit code 1"
        assert Quarantine.objects.get().hash == hash_of(two)
        assert status_of(agent).status == "rolled_back"

    def test_going_back_without_a_word_is_a_failure_too(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        story.assign(two)
        story.claim(agent)
        story.answer(agent, APPLYING, hash_of(two))
        story.answer(story.come_back(agent), APPLIED, hash_of(story.one))
        assert attempts_of(agent)[-1] == "failed"
        assert Quarantine.objects.exists()

    def test_applied_after_failed_proves_nothing(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        story.assign(two)
        story.claim(agent)
        story.answer(agent, FAILED, hash_of(two))
        story.answer(agent, APPLIED, hash_of(two))
        assert (attempts_of(agent)[-1], status_of(agent).status) == ("failed", "failed")

    def test_the_next_version_heals_it(self) -> None:
        story = Story()
        [agent] = story.agents
        two, three = story.version(), story.version()
        story.assign(two)
        story.claim(agent)
        story.answer(agent, FAILED, hash_of(two))
        rollout = story.assign(three)
        story.settle(agent)
        story.work()
        rollout.refresh_from_db()
        assert (rollout.state, status_of(agent).status) == ("succeeded", "in_sync")
        assert member_of(agent).previous.version == story.one  # type: ignore[union-attr]  # it has one

    def test_assigning_a_version_that_failed_here_says_so(self) -> None:
        story = Story()
        [agent] = story.agents
        two, three = story.version(), story.version()
        story.assign(two)
        story.claim(agent)
        story.answer(agent, FAILED, hash_of(two))
        story.assign(three)
        story.settle(agent)
        rollout = story.assign(two)
        target = target_of(rollout, agent)
        assert target.state == "excluded"
        assert "failed here before" in target.reason
        assert not story.claim(agent)
        assert status_of(agent).status == "rolled_back"

    def test_one_collector_where_a_version_failed_does_not_keep_the_others_from_it(self) -> None:
        story = Story(count=3)
        one, *others = story.agents
        two, three = story.version(), story.version()
        story.assign(two)
        story.claim(one)
        story.answer(one, FAILED, hash_of(two))
        story.assign(three)
        for agent in story.agents:
            story.settle(agent)
        rollout = story.assign(two)
        assert set(story.claim(*story.agents)) == {agent.instance_uid for agent in others}
        for agent in others:
            story.answer(agent, APPLIED, hash_of(two))
        story.work()
        rollout.refresh_from_db()
        assert rollout.state == "succeeded"

    def test_what_is_told_twice_changes_nothing(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        story.assign(two)
        story.claim(agent)
        for _ in range(2):
            story.answer(agent, FAILED, hash_of(two), "exit code 1")
        assert Quarantine.objects.count() == 1
        assert attempts_of(agent) == ["applied", "failed"]


class TestDeadlines:
    def offered(self) -> tuple[Story, Any, Any]:
        story = Story()
        two = story.version()
        rollout = story.assign(two)
        story.claim(story.agents[0])
        return story, two, rollout

    def test_no_answer_while_connected_is_a_failure(self) -> None:
        story, _, rollout = self.offered()
        [agent] = story.agents
        later = clock.now() + PAST_DEADLINE
        store.apply([make_patch(agent, now=later, sequence_num=5)])
        assert engine.expire(later) == {rollout.pk}
        assert (attempts_of(agent)[-1], target_of(rollout, agent).state) == ("timed_out", "failed")
        assert not story.claim(agent)

    def test_a_late_answer_still_counts(self) -> None:
        story, two, rollout = self.offered()
        [agent] = story.agents
        later = clock.now() + PAST_DEADLINE
        store.apply([make_patch(agent, now=later, sequence_num=5)])
        engine.expire(later)
        story.answer(agent, APPLIED, hash_of(two))
        assert (attempts_of(agent)[-1], target_of(rollout, agent).state) == ("applied", "succeeded")
        assert not Quarantine.objects.exists()
        assert status_of(agent).status == "in_sync"

    def test_a_server_that_was_away_blames_nobody(self) -> None:
        story, _two, rollout = self.offered()
        assert not engine.expire(clock.now() + timedelta(hours=3))
        assert target_of(rollout, story.agents[0]).state == "offered"

    def test_leaving_after_the_offer_is_a_failure_until_the_return_tells_more(self) -> None:
        story, two, rollout = self.offered()
        [agent] = story.agents
        disconnect(agent)
        later = clock.now() + PAST_DEADLINE
        assert engine.expire(later) == {rollout.pk}
        assert not engine.expire(later)
        target = target_of(rollout, agent)
        assert (target.state, attempts_of(agent)[-1]) == ("failed", "offered")
        back = story.come_back(agent)
        assert back.in_flight_hash == hash_of(two)
        story.tell_all(back, APPLIED, hash_of(story.one))
        assert target_of(rollout, agent).state == "waiting"
        story.work()
        assert story.claim(back) == {agent.instance_uid: hash_of(two)}


class TestRetry:
    def failed(self) -> tuple[Story, Any, Any]:
        story = Story()
        two = story.version()
        rollout = story.assign(two)
        story.claim(story.agents[0])
        story.answer(story.agents[0], FAILED, hash_of(two), "exit code 1")
        story.work()
        return story, two, rollout

    def test_it_goes_by_way_of_the_previous_version(self) -> None:
        story, two, rollout = self.failed()
        [agent] = story.agents
        services.retry_agent(agent=agent_of(agent), actor=TESTER)
        story.work()
        assert story.claim(agent) == {agent.instance_uid: hash_of(story.one)}
        story.answer(agent, FAILED, hash_of(two), "exit code 1")  # told again, which is old news
        story.answer(agent, APPLYING, hash_of(story.one))
        assert not story.claim(agent)
        story.answer(agent, APPLIED, hash_of(story.one))
        assert story.claim(agent) == {agent.instance_uid: hash_of(two)}
        story.answer(agent, APPLIED, hash_of(two))
        story.work()
        rollout.refresh_from_db()
        assert (rollout.state, status_of(agent).status) == ("succeeded", "in_sync")
        assert AgentEvent.objects.filter(kind="retried").exists()

    def test_one_that_went_back_by_itself_is_offered_it_at_once(self) -> None:
        story, two, _ = self.failed()
        [agent] = story.agents
        story.answer(agent, APPLIED, hash_of(story.one))
        services.retry_agent(agent=agent_of(agent), actor=TESTER)
        assert story.claim(agent) == {agent.instance_uid: hash_of(two)}

    def test_a_failure_that_is_told_again_after_a_restart_is_no_news_and_one_after_a_retry_is(
        self,
    ) -> None:
        story, two, _ = self.failed()
        [agent] = story.agents
        told = AgentEvent.objects.filter(data__status="FAILED", data__hash=hash_of(two))
        story.answer(agent, APPLIED, hash_of(story.one))  # it went back by itself
        again = story.come_back(agent)
        story.answer(again, FAILED, hash_of(two), "exit code 1")
        assert told.count() == 1
        assert status_of(agent).remote_config_status == FAILED, "what it says is believed"
        story.answer(again, FAILED, hash_of(two), "exit code 2")
        assert told.count() == 2, "other words are news"
        services.retry_agent(agent=agent_of(agent), actor=TESTER)
        story.answer(again, FAILED, hash_of(two), "exit code 2")
        assert told.count() == 3

    def test_when_the_previous_one_fails_too_it_ends_there(self) -> None:
        story, two, rollout = self.failed()
        [agent] = story.agents
        services.retry_agent(agent=agent_of(agent), actor=TESTER)
        story.claim(agent)
        story.answer(agent, FAILED, hash_of(story.one), "disk full")
        story.work()
        assert not story.claim(agent)
        assert target_of(rollout, agent).reason == "Its previous configuration failed too."
        assert member_of(agent).desired.version == two  # type: ignore[union-attr]  # it has one
        with pytest.raises(CannotRetry, match="failed here too"):
            services.retry_agent(agent=agent_of(agent), actor=TESTER)

    def test_without_a_previous_version_it_is_refused_with_the_reason(self) -> None:
        story = Story()
        newcomer = story.join()
        story.claim(newcomer)
        story.answer(newcomer, FAILED, hash_of(story.one))
        with pytest.raises(CannotRetry, match="never ran another version well"):
            services.retry_agent(agent=agent_of(newcomer), actor=TESTER)
        assert Quarantine.objects.exists()

    def test_without_a_failure_there_is_nothing_to_retry(self) -> None:
        story = Story()
        with pytest.raises(CannotRetry, match="nothing to retry"):
            services.retry_agent(agent=agent_of(story.agents[0]), actor=TESTER)
