"""A version that failed on some is assigned again: they are skipped, unless that is forced (decisions 1-3)."""

from datetime import timedelta

import pytest

from agents import store
from agents.snapshot import AgentSnapshot
from configs.models import ConfigVersion
from fleets import services
from fleets.errors import AlreadyAssigned
from fleets.models import Quarantine, Rollout
from fleets.rollouts import engine
from fleets.rollouts.plan import Action
from fleets.rollouts.services import act_on_rollout, preflight_of
from fleets.rollouts.strategy import one_by_one
from telflo.base import clock
from telflo.base.models import Activity
from tests.factories import TESTER, agent_of, make_patch
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


def failed(count: int = 2) -> tuple[Story, ConfigVersion]:
    """A fleet whose first collector failed version two, and stays on it; the rollout was cancelled."""
    story = Story(count=count)
    two = story.version()
    rollout = story.assign(two)
    for agent in story.agents:
        offered = story.claim(agent)
        if agent is story.agents[0]:
            story.answer(agent, FAILED, hash_of(two), "exit code 1")
        elif offered:
            story.answer(agent, APPLIED, hash_of(two))
    story.work()
    act_on_rollout(rollout=rollout, action=Action.CANCEL, actor=TESTER)
    return story, two


def state_of(rollout: Rollout) -> str:
    rollout.refresh_from_db()
    return rollout.state


class TestSkipped:
    def test_who_failed_is_skipped_and_holds_up_nothing(self) -> None:
        story, two = failed()
        bad, good = story.agents
        rollout = story.assign(two)
        assert not story.claim(bad, good)
        target = target_of(rollout, bad)
        assert (target.state, "failed here before" in target.reason) == ("excluded", True)
        assert target_of(rollout, good).state == "succeeded"
        assert state_of(rollout) == "succeeded"


class TestForced:
    def test_it_goes_by_way_of_the_previous_version(self) -> None:
        story, two = failed()
        bad, _ = story.agents
        rollout = story.assign(two, force=True)
        assert story.claim(bad) == {bad.instance_uid: hash_of(story.one)}
        story.answer(bad, APPLYING, hash_of(story.one))
        story.work()
        assert not story.claim(bad)
        assert state_of(rollout) == "running"
        story.answer(bad, APPLIED, hash_of(story.one))
        assert story.claim(bad) == {bad.instance_uid: hash_of(two)}
        story.answer(bad, APPLIED, hash_of(two))
        story.work()
        assert state_of(rollout) == "succeeded"
        assert target_of(rollout, bad).state == "succeeded"
        assert not Quarantine.objects.exists()
        assert Activity.objects.filter(action="fleet.assign", after__force=True).count() == 1

    def test_who_acknowledged_another_since_is_offered_it_at_once(self) -> None:
        story, two = failed()
        bad, _ = story.agents
        story.answer(bad, APPLIED, hash_of(story.one))  # it went back by itself
        story.assign(two, force=True)
        assert story.claim(bad) == {bad.instance_uid: hash_of(two)}

    def test_who_fails_again_is_not_tried_a_third_time(self) -> None:
        story, two = failed()
        bad, _ = story.agents
        story.answer(bad, APPLIED, hash_of(story.one))
        rollout = story.assign(two, force=True)
        story.claim(bad)
        story.answer(bad, FAILED, hash_of(two), "exit code 1")
        story.answer(bad, APPLIED, hash_of(story.one))
        story.work()
        assert not story.claim(bad)
        assert target_of(rollout, bad).state == "failed"
        assert Quarantine.objects.get().hash == hash_of(two)

    def test_who_never_ran_another_is_skipped_and_told_why(self) -> None:
        story = Story()
        newcomer = story.join()
        story.claim(newcomer)
        story.answer(newcomer, FAILED, hash_of(story.one))
        story.assign(story.version())
        rollout = story.assign(story.one, force=True)
        assert not story.claim(newcomer)
        assert "never ran another version well" in target_of(rollout, newcomer).reason
        assert Quarantine.objects.get(agent_id=newcomer.instance_uid).hash == hash_of(story.one)

    def test_an_offline_one_goes_the_same_way_when_it_returns(self) -> None:
        story, two = failed()
        bad, _ = story.agents
        disconnect(bad)
        rollout = story.assign(two, force=True)
        assert target_of(rollout, bad).state == "pending_offline"
        back = story.come_back(bad)
        assert story.claim(back) == {back.instance_uid: hash_of(story.one)}
        story.answer(back, APPLIED, hash_of(story.one))
        assert story.claim(back) == {back.instance_uid: hash_of(two)}

    def test_one_that_leaves_on_its_way_holds_up_nobody_and_still_gets_it(self) -> None:
        story, two = failed()
        bad, _ = story.agents
        rollout = story.assign(two, force=True)
        story.claim(bad)
        disconnect(bad)
        story.work()
        assert target_of(rollout, bad).state == "pending_offline"
        assert state_of(rollout) == "succeeded"
        back = story.come_back(bad)
        story.answer(back, APPLIED, hash_of(story.one))
        assert story.claim(back) == {back.instance_uid: hash_of(two)}

    def test_the_limits_hold_for_those_too(self) -> None:
        story = Story(count=3)
        two = story.version()
        rollout = story.assign(two)
        for agent in story.agents:
            story.claim(agent)
            story.answer(agent, FAILED, hash_of(two))
        story.work()
        act_on_rollout(rollout=rollout, action=Action.CANCEL, actor=TESTER)
        rollout = story.assign(two, force=True, strategy=one_by_one())
        assert len(story.claim(*story.agents)) == 1
        assert rollout.targets.filter(state="waiting").count() == 3

    def test_the_check_says_who_is_tried_again(self) -> None:
        story, two = failed()
        skipped = preflight_of(fleet=story.fleet, version=two)
        forced = preflight_of(fleet=story.fleet, version=two, force=True)
        assert [one.code for one in skipped.findings] == ["quarantined"]
        assert [one.code for one in forced.findings] == ["tried_again"]
        assert (skipped.reached, forced.reached) == (0, 1)


class TestOnTheWay:
    """Between the previous version and the one that is tried again."""

    def on_the_way(self) -> tuple[Story, ConfigVersion, Rollout, AgentSnapshot]:
        story, two = failed()
        bad, _ = story.agents
        rollout = story.assign(two, force=True)
        assert story.claim(bad) == {bad.instance_uid: hash_of(story.one)}
        return story, two, rollout, bad

    @pytest.mark.parametrize("action", [Action.ROLL_BACK, Action.CANCEL])
    def test_what_is_taken_back_or_cancelled_is_not_offered_any_more(self, action: Action) -> None:
        story, _, rollout, bad = self.on_the_way()
        act_on_rollout(rollout=rollout, action=action, actor=TESTER)
        story.work()
        story.answer(bad, APPLIED, hash_of(story.one))
        story.work()
        assert not story.claim(bad)
        assert member_of(bad).desired.version == story.one  # type: ignore[union-attr]  # it has one
        assert member_of(bad).retry is None

    @pytest.mark.parametrize("has_gone_back", [True, False])
    def test_while_it_is_paused_it_goes_back_and_no_further(self, has_gone_back: bool) -> None:
        story, two, rollout, bad = self.on_the_way()
        act_on_rollout(rollout=rollout, action=Action.PAUSE, actor=TESTER)
        if has_gone_back:
            story.answer(bad, APPLIED, hash_of(story.one))
            story.work()
            assert not story.claim(bad)
        act_on_rollout(rollout=rollout, action=Action.RESUME, actor=TESTER)
        if not has_gone_back:
            assert not story.claim(bad)
            story.answer(bad, APPLIED, hash_of(story.one))
        story.work()
        assert story.claim(bad) == {bad.instance_uid: hash_of(two)}
        story.answer(bad, APPLIED, hash_of(two))
        story.work()
        assert target_of(rollout, bad).state == "succeeded"
        assert member_of(bad).previous.version == story.one  # type: ignore[union-attr]  # it has one

    def test_silence_to_the_previous_one_ends_it(self) -> None:
        story, two, rollout, bad = self.on_the_way()
        late = clock.now() + timedelta(seconds=200)
        store.apply([make_patch(bad, now=late)])
        engine.expire(late)
        story.work()
        assert target_of(rollout, bad).state == "failed"
        assert target_of(rollout, bad).reason == "Its previous configuration failed too."
        assert attempts_of(bad)[-1] == "timed_out"
        assert member_of(bad).retry is None
        assert not story.claim(bad)
        assert hash_of(two) in Quarantine.objects.values_list("hash", flat=True)

    def test_a_retry_of_a_person_is_taken_back_with_its_rollout_as_well(self) -> None:
        story = Story()
        [agent] = story.agents
        two = story.version()
        rollout = story.assign(two)
        story.claim(agent)
        story.answer(agent, FAILED, hash_of(two))
        story.work()
        services.retry_agent(agent=agent_of(agent), actor=TESTER)
        act_on_rollout(rollout=rollout, action=Action.ROLL_BACK, actor=TESTER)
        story.work()
        story.claim(agent)
        story.answer(agent, APPLIED, hash_of(story.one))
        story.work()
        assert not story.claim(agent)
        assert target_of(rollout, agent).state == "reverted"


def test_what_failed_after_it_was_applied_is_nothing_to_go_back_to() -> None:
    """Soaked and found bad, it stays on it while nothing is taken back: the next one's previous is the one before."""
    story = Story()
    [agent] = story.agents
    two, three = story.version(), story.version()
    story.assign(two)
    story.claim(agent)
    story.answer(agent, APPLIED, hash_of(two))
    Quarantine.objects.create(agent_id=agent.instance_uid, hash=hash_of(two), since=clock.now())
    rollout = story.assign(three)
    assert target_of(rollout, agent).previous.version == story.one  # type: ignore[union-attr]  # it has one
    assert member_of(agent).previous.version == story.one  # type: ignore[union-attr]  # it has one


class TestFleetThatHasIt:
    """The version went to all but one, which was skipped, and is the fleet's stable one."""

    def there(self) -> tuple[Story, ConfigVersion]:
        story, two = failed()
        story.assign(two)
        story.fleet.refresh_from_db()
        assert story.fleet.stable_version == two
        return story, two

    def test_with_force_it_is_tried_again_where_it_failed_and_nobody_else_is_touched(self) -> None:
        story, two = self.there()
        bad, good = story.agents
        found = preflight_of(fleet=story.fleet, version=two, force=True)
        assert [stage.reached for stage in found.stages] == [1]
        rollout = story.assign(two, force=True)
        assert [one.agent_id for one in rollout.targets.all()] == [bad.instance_uid]
        before = story.claim(bad, good)
        assert before == {bad.instance_uid: hash_of(story.one)}
        story.answer(bad, APPLIED, hash_of(story.one))
        assert story.claim(bad, good) == {bad.instance_uid: hash_of(two)}
        story.answer(bad, APPLIED, hash_of(two))
        story.work()
        assert state_of(rollout) == "succeeded"

    def test_without_force_and_where_it_failed_nowhere_it_is_refused_with_what_to_do(self) -> None:
        story, two = self.there()
        with pytest.raises(AlreadyAssigned, match="all of them with force"):
            story.assign(two)
        Quarantine.objects.all().delete()
        with pytest.raises(AlreadyAssigned, match="failed on none of its collectors"):
            story.assign(two, force=True)

    def test_while_it_is_given_the_skipped_are_retried_in_its_rollout(self) -> None:
        story, two = failed()
        rollout = story.assign(two, strategy=one_by_one())
        Rollout.objects.filter(pk=rollout.pk).update(state="paused", is_held=True)
        with pytest.raises(AlreadyAssigned, match=f"Rollout {rollout} gives it.*retried in it"):
            story.assign(two, force=True)
