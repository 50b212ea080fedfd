"""Collectors that should run another version than their fleet's: how that comes about no more, and the way back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.snapshot import AgentSnapshot
from configs.models import ConfigVersion
from fleets.errors import AlreadyAssigned
from fleets.many import move_agents
from fleets.models import Fleet, Membership, Rollout
from fleets.rollouts import engine
from fleets.rollouts.plan import Action
from fleets.rollouts.services import leave_out, preflight_of
from telflo.base import clock
from telflo.base.errors import DomainError
from tests.factories import TESTER
from tests.fleets.outcomes import HALVES, act, fleet_of, off, reach, settle_all, wanted, word
from tests.fleets.story import (
    APPLIED,
    FAILED,
    Story,
    disconnect,
    hash_of,
    member_of,
    target_of,
)

pytestmark = pytest.mark.django_db


class TestOffline:
    """One was away when version two came, and was to get it on its return; then another came and was taken back."""

    def away(self) -> tuple[Story, ConfigVersion, AgentSnapshot]:
        story = Story(count=2)
        here, gone = story.agents
        disconnect(gone)
        two = story.version()
        rollout = story.assign(two)
        story.settle(here)
        story.work()
        rollout.refresh_from_db()
        assert (rollout.state, target_of(rollout, gone).state) == ("succeeded", "pending_offline")
        return story, two, gone

    def test_it_goes_back_to_what_it_was_to_get_not_to_what_it_ran(self) -> None:
        story, two, gone = self.away()
        rollout = story.assign(story.version())
        assert wanted(gone) == rollout.version
        act(story, rollout, Action.ROLL_BACK)
        assert wanted(gone) == two
        back = story.come_back(gone)
        assert story.claim(back) == {gone.instance_uid: hash_of(two)}
        story.answer(back, APPLIED, hash_of(two))
        settle_all(story)
        assert target_of(rollout, gone).state == "reverted"
        assert (fleet_of(story).version, off(story)) == (two, 0)

    def test_the_same_through_versions_that_superseded_each_other(self) -> None:
        story, two, gone = self.away()
        story.assign(story.version())
        rollout = story.assign(story.version())
        act(story, rollout, Action.ROLL_BACK)
        assert wanted(gone) == two
        assert fleet_of(story).version == two

    def test_the_same_when_it_is_superseded_while_it_goes_back(self) -> None:
        story, two, gone = self.away()
        act(story, story.assign(story.version()), Action.ROLL_BACK)
        act(story, story.assign(story.version()), Action.ROLL_BACK)
        assert wanted(gone) == two

    def test_where_that_fails_on_its_return_it_says_so(self) -> None:
        story, two, gone = self.away()
        rollout = story.assign(story.version())
        act(story, rollout, Action.ROLL_BACK)
        back = story.come_back(gone)
        story.claim(back)
        story.answer(back, FAILED, hash_of(two), "exit code 1")
        story.work()
        assert target_of(rollout, gone).state == "revert_failed"
        assert word(gone) == "failed"


def test_who_came_in_meanwhile_goes_back_to_the_fleets_version_not_to_its_old_fleets() -> None:
    story, other = Story(count=1), Story(count=1)
    [mover] = other.agents
    rollout = story.assign(story.version(), strategy=HALVES)
    move_agents(uids=[mover.instance_uid], fleet=story.fleet, actor=TESTER)
    settle_all(story)
    story.settle(mover)
    assert wanted(mover) == rollout.version
    act(story, rollout, Action.ROLL_BACK)
    assert wanted(mover) == story.one


class TestLeftOut:
    def left(self) -> tuple[Story, ConfigVersion, AgentSnapshot, AgentSnapshot]:
        """Version two reached one, and the other was left out."""
        story = Story(count=2)
        two = story.version()
        rollout = story.assign(two, strategy=HALVES)
        [first] = story.claim(*story.agents)
        moved, left = sorted(story.agents, key=lambda one: one.instance_uid != first)
        leave_out(rollout=rollout, uids=[left.instance_uid], actor=TESTER)
        story.answer(moved, APPLIED, hash_of(two))
        story.work()
        rollout.refresh_from_db()
        assert rollout.state == "succeeded"
        assert (wanted(left), off(story)) == (story.one, 1)
        return story, two, moved, left

    @pytest.mark.parametrize("force", [False, True])
    def test_the_same_version_again_reaches_those_alone(self, force: bool) -> None:
        story, two, moved, left = self.left()
        found = preflight_of(fleet=story.fleet, version=two, force=force)
        assert (found.reached, [stage.targets for stage in found.stages]) == (1, [1])
        rollout = story.assign(two, force=force)
        assert [one.agent_id for one in rollout.targets.all()] == [left.instance_uid]
        assert story.claim(moved, left) == {left.instance_uid: hash_of(two)}
        story.answer(left, APPLIED, hash_of(two))
        story.work()
        rollout.refresh_from_db()
        assert (rollout.state, off(story)) == ("succeeded", 0)
        with pytest.raises(AlreadyAssigned, match="All should run it"):
            story.assign(two)

    def test_what_others_still_wait_for_is_left_to_them(self) -> None:
        story, _, moved, left = self.left()
        gone = story.join()
        story.settle(gone)
        disconnect(gone)
        three = story.version()
        first = story.assign(three)
        settle_all(story)
        Membership.objects.filter(agent=left.instance_uid).update(
            desired=member_of(left).previous, retry=None
        )
        story.assign(three)
        assert target_of(first, gone).state == "pending_offline"
        assert target_of(first, moved).state == "succeeded"

    def test_who_takes_no_configurations_is_not_counted(self) -> None:
        story, *_, left = self.left()
        agent = member_of(left).agent
        agent.capabilities = 1
        agent.save(update_fields=["capabilities"])
        assert off(story) == 0


def failed() -> tuple[Story, ConfigVersion, AgentSnapshot]:
    """Version two, which the fleet has, failed on one, within the budget; it went back by itself and needs attention."""
    story = Story(count=2)
    bad, good = story.agents
    two = story.version()
    story.assign(two)
    story.claim(bad, good)
    story.answer(bad, FAILED, hash_of(two), "exit code 1")
    story.answer(bad, APPLIED, hash_of(story.one))
    story.answer(good, APPLIED, hash_of(two))
    story.work()
    rollout = Rollout.objects.get()
    Rollout.objects.filter(pk=rollout.pk).update(state="succeeded")
    Fleet.objects.update(stable_version=two)
    assert (wanted(bad), word(bad)) == (two, "rolled_back")
    return story, two, bad


class TestFailedBefore:
    """What comes then is taken back."""

    def test_it_needs_attention_again_once_it_is_back_on_what_it_ran(self) -> None:
        story, two, bad = failed()
        rollout = self.moved(story)
        assert word(bad) == "in_sync"
        act(story, rollout, Action.ROLL_BACK)
        assert story.claim(bad) == {bad.instance_uid: hash_of(story.one)}
        story.answer(bad, APPLIED, hash_of(story.one))
        settle_all(story)
        assert (wanted(bad), word(bad)) == (two, "rolled_back")
        assert not story.claim(bad)
        assert target_of(rollout, bad).state == "reverted"
        rollout.refresh_from_db()
        assert rollout.state == "rolled_back"

    def test_the_same_where_nothing_reached_it(self) -> None:
        story, two, bad = failed()
        rollout = story.assign(story.version())
        act(story, rollout, Action.ROLL_BACK)
        settle_all(story)
        assert (wanted(bad), word(bad)) == (two, "rolled_back")
        assert target_of(rollout, bad).state == "reverted"

    def test_the_same_where_it_is_away_and_returns(self) -> None:
        story, two, bad = failed()
        rollout = self.moved(story)
        disconnect(bad)
        act(story, rollout, Action.ROLL_BACK)
        story.settle(story.agents[1])
        story.work()
        rollout.refresh_from_db()
        assert rollout.state == "rolled_back"
        back = story.come_back(bad)
        assert story.claim(back) == {bad.instance_uid: hash_of(story.one)}
        story.answer(back, APPLIED, hash_of(story.one))
        story.work()
        assert (wanted(bad), word(bad)) == (two, "rolled_back")

    def test_a_next_version_on_its_way_back_returns_it_there_as_well(self) -> None:
        story, two, bad = failed()
        act(story, self.moved(story), Action.ROLL_BACK)
        act(story, self.moved(story), Action.ROLL_BACK)
        story.settle(bad)
        story.work()
        assert (wanted(bad), word(bad)) == (two, "rolled_back")

    def moved(self, story: Story) -> Rollout:
        rollout = story.assign(story.version())
        reach(story)
        return rollout

    def test_where_what_it_ran_fails_now_it_could_not_go_back(self) -> None:
        story, _, bad = failed()
        rollout = self.moved(story)
        act(story, rollout, Action.ROLL_BACK)
        story.claim(bad)
        story.answer(bad, FAILED, hash_of(story.one), "exit code 1")
        story.work()
        assert target_of(rollout, bad).state == "revert_failed"
        assert word(bad) == "failed"

    def test_what_is_taken_back_before_it_was_offered_leaves_it_as_it_was(self) -> None:
        story, two, bad = failed()
        disconnect(bad)
        rollout = story.assign(story.version())
        act(story, rollout, Action.PAUSE)
        assert (wanted(bad), word(bad)) == (two, "rolled_back")


def test_what_failed_in_a_rollout_that_was_cancelled_needs_attention_again_too() -> None:
    story = Story(count=2)
    bad, _ = story.agents
    two = story.version()
    rollout = story.assign(two)
    story.claim(bad)
    story.answer(bad, FAILED, hash_of(two), "exit code 1")
    story.answer(bad, APPLIED, hash_of(story.one))
    act(story, rollout, Action.CANCEL)
    later = story.assign(story.version())
    reach(story)
    act(story, later, Action.ROLL_BACK)
    settle_all(story)
    assert (wanted(bad), word(bad)) == (two, "rolled_back")


class TestForcedWhereTheFleetHasIt:
    """The fleet's own version is tried again where it failed, and that is taken back."""

    def again(self) -> tuple[Story, ConfigVersion, AgentSnapshot, Rollout]:
        story, two, bad = failed()
        story.answer(bad, FAILED, hash_of(two), "exit code 1")
        rollout = story.assign(two, force=True)
        return story, two, bad, rollout

    def test_what_is_taken_back_is_not_offered_again_and_it_counts_as_off(self) -> None:
        story, two, bad, rollout = self.again()
        act(story, rollout, Action.ROLL_BACK)
        settle_all(story)
        assert not story.claim(bad)
        assert (wanted(bad), off(story)) == (story.one, 1)
        rollout.refresh_from_db()
        assert rollout.state == "rolled_back"
        assert fleet_of(story).version == two

    def test_where_it_failed_again_it_needs_attention_as_before(self) -> None:
        story, two, bad, rollout = self.again()
        story.claim(bad)
        story.answer(bad, APPLIED, hash_of(story.one))
        story.claim(bad)
        story.answer(bad, FAILED, hash_of(two), "exit code 1")
        act(story, rollout, Action.ROLL_BACK)
        settle_all(story)
        assert (wanted(bad), word(bad)) == (two, "rolled_back")


class TestFleetsVersion:
    """What a fleet has after a rollout that came to nothing."""

    def test_a_cancel_before_anybody_moved_leaves_the_version_before(self) -> None:
        story = Story(count=2)
        rollout = story.assign(story.version())
        act(story, rollout, Action.CANCEL)
        assert fleet_of(story).version == story.one

    def test_a_cancel_half_way_leaves_it_between_two(self) -> None:
        story = Story(count=2)
        rollout = story.assign(story.version(), strategy=HALVES)
        story.claim(*story.agents)
        act(story, rollout, Action.CANCEL)
        assert fleet_of(story).version == rollout.version
        assert off(story) == 1

    def test_what_is_cancelled_given_again_and_taken_back_is_not_what_the_fleet_has(self) -> None:
        story = Story(count=2)
        two = story.version()
        rollout = story.assign(two, strategy=HALVES)
        [uid] = story.claim(*story.agents)
        act(story, rollout, Action.CANCEL)
        again = story.assign(two)
        assert again.from_version == story.one
        act(story, again, Action.ROLL_BACK)
        [reached] = [one for one in story.agents if one.instance_uid == uid]
        story.answer(reached, APPLIED, hash_of(two))
        settle_all(story)
        assert not story.claim(*story.agents)
        again.refresh_from_db()
        assert again.state == "rolled_back"
        assert (fleet_of(story).version, off(story)) == (story.one, 0)

    def test_the_same_after_one_that_superseded_another(self) -> None:
        story = Story(count=2)
        story.assign(story.version())
        rollout = story.assign(story.version())
        act(story, rollout, Action.ROLL_BACK)
        settle_all(story)
        assert fleet_of(story).version == story.one
        assert off(story) == 0


class TestDryRun:
    """It promises what a start meets."""

    def test_a_version_that_all_have_is_refused(self) -> None:
        story = Story(count=1)
        for force in (False, True):
            with pytest.raises(AlreadyAssigned):
                preflight_of(fleet=story.fleet, version=story.one, force=force)

    def test_a_version_that_is_under_way_is_refused(self) -> None:
        story = Story(count=1)
        rollout = story.assign(story.version())
        with pytest.raises(AlreadyAssigned, match="gives it"):
            preflight_of(fleet=fleet_of(story), version=rollout.version)

    def test_an_archived_fleet_is_refused(self) -> None:
        story = Story(count=1)
        Fleet.objects.update(archived_at=clock.now())
        with pytest.raises(DomainError, match="is archived"):
            preflight_of(fleet=fleet_of(story), version=story.version())


def statements_of_a_rollback(count: int) -> int:
    story = Story(count=count)
    bad, away, *_ = story.agents
    two = story.version()
    story.assign(two)
    story.claim(*story.agents)
    for agent in story.agents[1:]:
        story.answer(agent, APPLIED, hash_of(two))
    story.answer(bad, FAILED, hash_of(two))
    story.answer(bad, APPLIED, hash_of(story.one))
    story.work()
    Rollout.objects.update(state="succeeded")
    Fleet.objects.update(stable_version=two)
    rollout = story.assign(story.version())
    for agent in story.agents:
        story.settle(agent)
    disconnect(away)
    with CaptureQueriesContext(
        connection,
    ) as going:
        engine.act(rollout.pk, Action.ROLL_BACK, why="because", now=clock.now())
    for agent in story.agents:
        story.settle(agent)
    with CaptureQueriesContext(connection) as settling:
        engine.settle_reverting(clock.now())
    assert target_of(rollout, bad).state == "reverted"
    return len(going) + len(settling)


def test_a_rollback_costs_the_same_for_three_and_for_thirty() -> None:
    assert statements_of_a_rollback(3) == statements_of_a_rollback(30)
