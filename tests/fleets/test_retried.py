"""A retry is part of its rollout, also once that is over: how it goes stands with the target, the cause and the history."""

import pytest

from agents.models import Agent
from agents.snapshot import AgentSnapshot
from configs.models import ConfigVersion
from fleets import services
from fleets.models import Rollout, Target
from fleets.rollouts.causes import causes_of
from fleets.rollouts.counts import Budget
from fleets.rollouts.plan import Action
from fleets.rollouts.services import act_on_rollout, leave_out
from fleets.rollouts.strategy import all_at_once
from fleets.views.history_rows import history_of
from tests.factories import TESTER, agent_of
from tests.fleets.story import APPLIED, FAILED, Story, disconnect, hash_of, member_of, target_of
from tests.fleets.test_stages import Staged, healthy

pytestmark = pytest.mark.django_db

FIRST, SECOND = "no such exporter", "disk full"


class Ended:
    """A rollout that ended with one failure within its budget; `bad` runs version one again unless told otherwise."""

    def __init__(self, *, went_back: bool = True) -> None:
        self.story = Story(count=2)
        self.bad, self.good = self.story.agents
        self.two = self.story.version()
        strategy = all_at_once(Budget(percent=50))
        self.rollout = self.story.assign(self.two, strategy=strategy)
        self.story.claim(*self.story.agents)
        self.story.answer(self.good, APPLIED, hash_of(self.two))
        self.story.answer(self.bad, FAILED, hash_of(self.two), FIRST)
        if went_back:
            self.story.answer(self.bad, APPLIED, hash_of(self.story.one))
        self.story.work()
        self.rollout.refresh_from_db()
        assert self.rollout.state == "succeeded"

    @property
    def target(self) -> Target:
        """The one on which it failed, as it is stored now."""
        return target_of(self.rollout, self.bad)

    def retry(self, reason: str = "") -> None:
        services.retry_agent(agent=agent_of(self.bad), actor=TESTER, reason=reason)
        self.story.work()

    def fail_again(self, agent: AgentSnapshot | None = None) -> None:
        agent = agent or self.bad
        assert self.story.claim(agent) == {agent.instance_uid: hash_of(self.two)}
        self.story.answer(agent, FAILED, hash_of(self.two), SECOND)
        self.story.work()

    def told(self) -> list[tuple[str, str]]:
        """The history, newest first: what, and why."""
        return [(one.what, one.why) for one in history_of(self.rollout, [])]


def retried_in_a_cancelled_one(
    *, count: int
) -> tuple[Story, AgentSnapshot, ConfigVersion, Rollout]:
    """Of a fleet of so many the first failed after the cancel, went back, and is tried again."""
    story = Story(count=count)
    bad = story.agents[0]
    two = story.version()
    rollout = story.assign(two)
    story.claim(bad)
    act_on_rollout(rollout=rollout, action=Action.CANCEL, actor=TESTER)
    story.answer(bad, FAILED, hash_of(two), FIRST)
    story.answer(bad, APPLIED, hash_of(story.one))
    services.retry_agent(agent=agent_of(bad), actor=TESTER)
    return story, bad, two, rollout


class TestOfARolloutThatIsOver:
    def test_one_that_fails_again_changes_its_times_and_those_of_the_cause(self) -> None:
        ended = Ended()
        before = ended.target
        ended.retry()
        assert (ended.target.state, ended.target.failed_at) == ("waiting", None)
        ended.fail_again()
        after = ended.target
        assert (after.state, after.failure) == ("failed", SECOND)
        assert before.failed_at is not None
        assert after.failed_at is not None
        assert after.failed_at > before.failed_at
        assert after.state_since > before.state_since
        [cause] = causes_of(ended.rollout)
        assert (cause.error, cause.last_at) == (SECOND, after.failed_at)

    def test_by_way_of_the_version_before_too(self) -> None:
        ended = Ended(went_back=False)
        ended.retry()
        assert ended.story.claim(ended.bad) == {ended.bad.instance_uid: hash_of(ended.story.one)}
        assert ended.target.state == "waiting"
        ended.story.answer(ended.bad, APPLIED, hash_of(ended.story.one))
        ended.fail_again()
        assert (ended.target.state, ended.target.failure) == ("failed", SECOND)

    def test_where_the_version_before_fails_too_it_ends_there(self) -> None:
        ended = Ended(went_back=False)
        ended.retry()
        ended.story.claim(ended.bad)
        ended.story.answer(ended.bad, FAILED, hash_of(ended.story.one), SECOND)
        assert ended.target.state == "failed"
        assert ended.target.failure == "Its previous configuration failed too."

    def test_one_that_goes_well_has_succeeded(self) -> None:
        ended = Ended()
        ended.retry()
        ended.story.settle(ended.bad)
        assert (ended.target.state, ended.target.failure) == ("succeeded", "")
        assert causes_of(ended.rollout) == []

    def test_one_that_is_offline_is_to_get_it_on_its_return(self) -> None:
        ended = Ended()
        disconnect(ended.bad)
        ended.retry()
        assert ended.target.state == "pending_offline"
        ended.fail_again(ended.story.come_back(ended.bad))
        assert (ended.target.state, ended.target.failure) == ("failed", SECOND)

    def test_of_a_cancelled_one_it_is_told_there_as_well(self) -> None:
        story, bad, two, rollout = retried_in_a_cancelled_one(count=2)
        assert target_of(rollout, bad).state == "waiting"
        story.claim(bad)
        story.answer(bad, FAILED, hash_of(two), SECOND)
        assert target_of(rollout, bad).failure == SECOND

    def test_of_a_cancelled_one_an_offer_that_is_lost_is_repeated(self) -> None:
        story, bad, two, rollout = retried_in_a_cancelled_one(count=1)
        assert story.claim(bad) == {bad.instance_uid: hash_of(two)}
        again = story.come_back(bad)
        story.tell_all(again, APPLIED, hash_of(story.one))
        assert story.claim(again) == {bad.instance_uid: hash_of(two)}
        story.answer(again, APPLIED, hash_of(two))
        assert target_of(rollout, bad).state == "succeeded"

    def test_it_is_told_in_the_newest_rollout_of_the_version_alone(self) -> None:
        ended = Ended()
        first = ended.target
        story = ended.story
        story.assign(story.version())
        for agent in story.agents:
            story.settle(agent)
        again = story.assign(ended.two)
        story.settle(ended.good)
        story.work()
        assert target_of(again, ended.bad).state == "excluded"
        ended.retry()
        ended.fail_again()
        assert target_of(again, ended.bad).failure == SECOND
        assert (ended.target.failure, ended.target.failed_at) == (FIRST, first.failed_at)

    def test_who_was_moved_is_no_matter_of_its_old_fleet(self) -> None:
        ended = Ended()
        other = Story(count=0)
        other.assign(ended.two)
        services.move_agent(agent=agent_of(ended.bad), fleet=other.fleet, actor=TESTER)
        ended.retry()
        assert ended.target.state == "failed"


class TestTold:
    def test_that_it_failed_again_stands_in_the_history_above_the_retry(self) -> None:
        ended = Ended()
        ended.retry("larger disk")
        name = str(Agent.objects.get(pk=ended.bad.instance_uid))
        assert ended.told()[0] == (f"Failed version retried: {name}", "larger disk")
        ended.fail_again()
        assert ended.told()[:2] == [
            (f"Failed again: {name}", ""),
            (f"Failed version retried: {name}", "larger disk"),
        ]

    def test_of_several_it_says_how_many(self) -> None:
        story = Story(count=3)
        two = story.version()
        rollout = story.assign(two, strategy=all_at_once(Budget(percent=100)))
        story.claim(*story.agents)
        for agent in story.agents:
            story.answer(agent, FAILED, hash_of(two), FIRST)
            story.answer(agent, APPLIED, hash_of(story.one))
        story.work()
        uids = [agent.instance_uid for agent in story.agents]
        rollout.refresh_from_db()
        services.retry_targets(rollout=rollout, uids=uids, actor=TESTER)
        story.claim(*story.agents)
        well, *others = story.agents
        story.answer(well, APPLIED, hash_of(two))
        for agent in others:
            story.answer(agent, FAILED, hash_of(two), SECOND)
        assert history_of(rollout, [])[0].what == "Failed again: 2 collectors"

    def test_a_retry_of_a_later_rollout_is_none_of_this_one(self) -> None:
        ended = Ended()
        three = ended.story.version()
        ended.story.assign(three)
        ended.story.claim(ended.bad)
        ended.story.answer(ended.bad, FAILED, hash_of(three), FIRST)
        ended.story.answer(ended.bad, APPLIED, hash_of(ended.story.one))
        ended.retry()
        assert not any("retried" in what for what, _ in ended.told())
        later = Rollout.objects.latest("number")
        assert any("retried" in one.what for one in history_of(later, []))


def test_who_is_left_out_on_the_way_back_is_not_offered_it_again() -> None:
    story = Story()
    [agent] = story.agents
    two = story.version()
    rollout = story.assign(two)
    story.claim(agent)
    story.answer(agent, FAILED, hash_of(two), FIRST)
    story.work()
    services.retry_agent(agent=agent_of(agent), actor=TESTER)
    assert member_of(agent).retry is not None
    leave_out(rollout=rollout, uids=[agent.instance_uid], actor=TESTER)
    story.settle(agent)
    assert target_of(rollout, agent).state == "excluded"
    assert story.claim(agent) == {}


def test_what_it_says_again_before_it_went_back_proves_nothing() -> None:
    staged = Staged(automatic_rollback=False)
    [canary] = staged.offered()
    staged.apply(canary)
    healthy(canary, word="unhealthy", error="exit code 1")
    staged.work()
    assert target_of(staged.rollout, canary).state == "failed"
    services.retry_agent(agent=agent_of(canary), actor=TESTER)
    again = staged.story.come_back(canary)
    staged.story.tell_all(again, APPLIED, staged.hash)
    assert target_of(staged.rollout, canary).state == "waiting"
    assert staged.story.claim(again) == {canary.instance_uid: hash_of(staged.story.one)}
    staged.story.answer(again, APPLIED, hash_of(staged.story.one))
    assert staged.story.claim(again) == {canary.instance_uid: staged.hash}
    assert target_of(staged.rollout, canary).state == "offered"
