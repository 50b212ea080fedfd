"""Offers that never arrived: where their rollout stands meanwhile decides what becomes of their targets."""

from collections.abc import Collection
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import store
from agents.snapshot import AgentSnapshot
from fleets.many import move_agents
from fleets.models import Fleet, Rollout, RolloutState
from fleets.offer import Claim
from fleets.rollouts import engine
from fleets.rollouts.plan import Action
from fleets.rollouts.services import leave_out
from fleets.rollouts.windows import DAYS
from telflo.base import clock
from tests.factories import TESTER, make_fleet
from tests.fleets.losing import OTHER_FIRST, Lose, Lost, either_way
from tests.fleets.outcomes import act, off, settle_all, wanted, word
from tests.fleets.story import (
    APPLIED,
    APPLYING,
    FAILED,
    Story,
    attempts_of,
    disconnect,
    hash_of,
    target_of,
)

pytestmark = pytest.mark.django_db


@either_way
class TestWhileItGoesOn:
    def test_it_is_offered_again(self, lose: Lose) -> None:
        lost = Lost()
        lose(lost)
        assert lost.target == "waiting"
        settle_all(lost.story)
        assert attempts_of(lost.agent)[-2:] == ["lost", "applied"]
        assert lost.target == "succeeded"

    def test_who_left_behind_it_has_not_failed_after_all(self, lose: Lose) -> None:
        lost = Lost()
        lost.leave()
        lose(lost)
        target = target_of(lost.rollout, lost.agent)
        assert (target.state, target.failure, target.failed_at) == ("waiting", "", None)


@either_way
class TestCancelled:
    def test_it_is_not_reached_and_keeps_what_it_has(self, lose: Lose) -> None:
        lost = Lost()
        lost.act(Action.CANCEL)
        lose(lost)
        target = target_of(lost.rollout, lost.agent)
        assert (target.state, target.reason) == ("excluded", "The rollout was cancelled before.")
        assert lost.is_offered_nothing()
        assert wanted(lost.agent) == lost.story.one
        lost.story.work()
        assert off(lost.story) == 0  # the fleet has it too, as if nothing had been assigned
        assert Fleet.objects.get(pk=lost.rollout.fleet_id).version == lost.story.one

    def test_a_version_that_was_assigned_since_stays_the_fleets(self, lose: Lose) -> None:
        lost = Lost()
        lost.act(Action.CANCEL)
        three = lost.story.version()
        lost.story.assign(three)
        lose(lost)
        lost.story.work()
        assert Fleet.objects.get(pk=lost.rollout.fleet_id).version == three

    def test_who_left_behind_the_offer_has_not_failed_after_all(self, lose: Lose) -> None:
        lost = Lost()
        lost.leave()
        lost.act(Action.CANCEL)
        lose(lost)
        target = target_of(lost.rollout, lost.agent)
        assert (target.state, target.failure) == ("excluded", "")
        assert wanted(lost.agent) == lost.story.one

    def test_given_again_it_is_offered_it_by_the_next_rollout(self, lose: Lose) -> None:
        lost = Lost()
        lost.act(Action.CANCEL)
        again = lost.story.assign(lost.rollout.version)
        lose(lost)
        assert lost.target == "excluded"
        settle_all(lost.story)
        assert target_of(again, lost.agent).state == "succeeded"

    def test_given_again_while_it_is_away_it_gets_it_on_its_return(self, lose: Lose) -> None:
        lost = Lost()
        lost.act(Action.CANCEL)
        disconnect(lost.agent)
        again = lost.story.assign(lost.rollout.version)
        lost.story.settle(lost.other)
        lost.story.work()
        again.refresh_from_db()
        assert (again.state, target_of(again, lost.agent).state) == ("succeeded", "pending_offline")
        lose(lost)
        lost.return_()
        settle_all(lost.story)
        assert (lost.target, target_of(again, lost.agent).state) == ("excluded", "succeeded")


@either_way
class TestSuperseded:
    def test_it_waits_for_the_stage_of_the_next_version(self, lose: Lose) -> None:
        lost = Lost()
        later = lost.story.assign(lost.story.version(), strategy=OTHER_FIRST)
        lose(lost)
        assert lost.is_offered_nothing()
        settle_all(lost.story)
        settle_all(lost.story)
        assert (lost.target, target_of(later, lost.agent).state) == ("excluded", "succeeded")

    def test_it_is_offered_the_next_version_where_that_goes_to_all(self, lose: Lose) -> None:
        lost = Lost()
        later = lost.story.assign(lost.story.version())
        lose(lost)
        assert lost.is_offered(later)
        assert (lost.target, wanted(lost.agent)) == ("excluded", later.version)

    def test_what_it_had_is_what_it_goes_back_to(self, lose: Lose) -> None:
        lost = Lost()
        later = lost.story.assign(lost.story.version(), strategy=OTHER_FIRST)
        lose(lost)
        settle_all(lost.story)
        act(lost.story, later, Action.ROLL_BACK)
        settle_all(lost.story)
        assert wanted(lost.agent) == lost.story.one


@either_way
class TestPaused:
    def test_it_waits_as_the_others_until_it_goes_on(self, lose: Lose) -> None:
        lost = Lost()
        lost.act(Action.PAUSE)
        lose(lost)
        assert lost.is_offered_nothing()
        assert (lost.target, wanted(lost.agent)) == ("waiting", lost.story.one)
        assert word(lost.agent) == "in_sync"
        lost.act(Action.RESUME)
        settle_all(lost.story)
        assert lost.target == "succeeded"

    def test_the_same_where_the_budget_is_spent(self, lose: Lose) -> None:
        lost = Lost()
        lost.story.claim(lost.other)
        lost.story.answer(lost.other, FAILED, hash_of(lost.rollout.version), "no such exporter")
        lost.story.work()
        lose(lost)
        assert lost.is_offered_nothing()
        assert (lost.target, wanted(lost.agent)) == ("waiting", lost.story.one)
        leave_out(rollout=lost.rollout, uids=[lost.other.instance_uid], actor=TESTER)
        lost.story.work()
        settle_all(lost.story)
        assert lost.target == "succeeded"

    def test_cancelled_then_it_is_not_reached(self, lose: Lose) -> None:
        lost = Lost()
        lost.act(Action.PAUSE)
        lose(lost)
        lost.act(Action.CANCEL)
        assert lost.is_offered_nothing()
        assert lost.target == "excluded"


@either_way
class TestTakenBack:
    def test_it_is_back_already(self, lose: Lose) -> None:
        lost = Lost()
        lost.act(Action.ROLL_BACK)
        assert lost.target == "reverting"
        lose(lost)
        assert lost.is_offered_nothing()
        lost.rollout.refresh_from_db()
        assert (lost.target, lost.rollout.state) == ("reverted", "rolled_back")

    def test_the_same_when_the_rollout_was_over_before_its_return(self, lose: Lose) -> None:
        lost = Lost()
        disconnect(lost.agent)
        lost.act(Action.ROLL_BACK)
        assert (lost.target, lost.rollout.state) == ("reverting", "rolled_back")
        lose(lost)
        assert lost.is_offered_nothing()
        assert (lost.target, wanted(lost.agent)) == ("reverted", lost.story.one)


@either_way
class TestNoTarget:
    """Who left behind the offer, and is no target any more when it turns out to be lost."""

    def test_whom_a_person_left_out_is_not_offered_it_again(self, lose: Lose) -> None:
        lost = Lost()
        lost.leave()
        leave_out(rollout=lost.rollout, uids=[lost.agent.instance_uid], actor=TESTER)
        lose(lost)
        assert lost.is_offered_nothing()
        assert (lost.target, wanted(lost.agent)) == ("excluded", lost.story.one)

    def test_who_was_moved_is_offered_what_its_fleet_has(self, lose: Lose) -> None:
        lost = Lost()
        lost.leave()
        fleet = make_fleet(name="Other", version=lost.rollout.version)
        move_agents(uids=[lost.agent.instance_uid], fleet=fleet, actor=TESTER)
        lose(lost)
        lost.return_()
        assert lost.is_offered(lost.rollout)
        assert lost.target == "excluded"


@either_way
class TestSucceeded:
    def away(self) -> Lost:
        """It was offered the version on its return, when the rollout had succeeded."""
        lost = Lost()
        disconnect(lost.agent)
        lost.not_received()
        disconnect(lost.agent)
        lost.story.settle(lost.other)
        lost.story.work()
        lost.rollout.refresh_from_db()
        assert (lost.rollout.state, lost.target) == ("succeeded", "pending_offline")
        lost.return_()
        assert lost.is_offered(lost.rollout)
        return lost

    def test_it_gets_it_on_its_next_return(self, lose: Lose) -> None:
        lost = self.away()
        lose(lost)
        assert lost.target == "pending_offline"
        settle_all(lost.story)
        assert (lost.target, wanted(lost.agent)) == ("succeeded", lost.rollout.version)

    def test_once_another_rollout_has_it_the_first_is_over_for_it(self, lose: Lose) -> None:
        lost = self.away()
        later = lost.story.assign(lost.story.version(), strategy=OTHER_FIRST)
        lose(lost)
        assert (lost.target, wanted(lost.agent)) == ("excluded", lost.rollout.version)
        settle_all(lost.story)
        settle_all(lost.story)
        assert (lost.target, target_of(later, lost.agent).state) == ("excluded", "succeeded")

    def test_the_same_once_it_should_run_another_version(self, lose: Lose) -> None:
        lost = self.away()
        later = lost.story.assign(lost.story.version())
        Rollout.objects.filter(pk=later.pk).update(state=RolloutState.SUCCEEDED)
        lose(lost)
        assert lost.is_offered(later)
        assert lost.target == "excluded"

    def test_outside_the_window_it_is_not_offered_again(self, lose: Lose) -> None:
        lost = self.away()
        closed = {"window_days": DAYS[(clock.now().weekday() + 3) % 7]}
        window = {"window_hours": "00:00-24:00", "window_zone": "UTC"}
        Rollout.objects.update(**closed, **window)
        lose(lost)
        assert lost.is_offered_nothing()
        Rollout.objects.update(window_days="mon-sun")
        assert lost.is_offered(lost.rollout)

    def test_who_left_behind_it_gets_it_on_its_next_return_too(self, lose: Lose) -> None:
        lost = self.away()
        lost.leave()
        lose(lost)
        assert lost.target == "pending_offline"
        lost.return_()
        settle_all(lost.story)
        assert lost.target == "succeeded"


@pytest.mark.parametrize(
    ("action", "state"), [(Action.PAUSE, "waiting"), (Action.CANCEL, "excluded")]
)
def test_what_is_lost_while_a_person_waits_for_the_rows_is_taken_back_too(
    action: Action, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Lost()
    lock = store.lock

    def lock_late(uids: Collection[UUID]) -> dict[UUID, store.StatusRow]:
        """The offer is given back before the lock is granted, by who does not see yet that the rollout stops."""
        monkeypatch.setattr(store, "lock", lock)
        this = Rollout.objects.filter(pk=lost.rollout.pk)
        [entered] = this.values_list("state", flat=True)
        this.update(state=RolloutState.RUNNING)
        lost.not_sent()
        this.update(state=entered)
        return lock(uids)

    monkeypatch.setattr(store, "lock", lock_late)
    lost.act(action)
    assert attempts_of(lost.agent)[-1] == "lost"
    assert lost.is_offered_nothing()
    assert lost.target == state


def statements_of_a_loss(count: int) -> int:
    story = Story(count=count)
    rollout = story.assign(story.version())
    claimed = story.claim(*story.agents)
    act(story, rollout, Action.PAUSE)
    claims = {one.instance_uid: Claim(one.epoch, claimed[one.instance_uid]) for one in story.agents}
    with CaptureQueriesContext(connection) as queries:
        engine.give_back(claims, now=clock.now())
    assert not story.claim(*story.agents)
    return len(queries)


def test_a_loss_of_many_costs_as_many_statements_as_that_of_few() -> None:
    assert statements_of_a_loss(3) == statements_of_a_loss(30)


class TestNotOffered:
    """Who was let go and not offered anything yet."""

    def test_a_version_that_was_superseded_is_not_offered_any_more(self) -> None:
        lost = Lost()
        lost.not_sent()
        lost.story.assign(lost.story.version(), strategy=OTHER_FIRST)
        assert lost.is_offered_nothing()
        assert (wanted(lost.agent), word(lost.agent)) == (lost.story.one, "in_sync")

    def tried_again(self) -> tuple[Story, Rollout, AgentSnapshot]:
        """The fleet's own version failed on one, which went back by itself, and is forced there."""
        story = Story(count=2)
        bad, good = story.agents
        two = story.version()
        story.assign(two)
        story.claim(*story.agents)
        story.answer(good, APPLIED, hash_of(two))
        story.answer(bad, APPLYING, hash_of(two))
        story.answer(bad, APPLIED, hash_of(story.one))
        Rollout.objects.update(state=RolloutState.SUCCEEDED)
        Fleet.objects.update(stable_version=two)
        return story, story.assign(two, force=True), bad

    @pytest.mark.parametrize("action", [Action.PAUSE, Action.CANCEL])
    def test_what_is_tried_again_is_not_either(self, action: Action) -> None:
        story, rollout, bad = self.tried_again()
        act(story, rollout, action)
        assert story.claim(bad) == {}
        assert wanted(bad) == story.one

    def test_what_is_tried_again_is_offered_once_it_is_resumed(self) -> None:
        story, rollout, bad = self.tried_again()
        act(story, rollout, Action.PAUSE)
        act(story, rollout, Action.RESUME)
        assert story.claim(bad) == {bad.instance_uid: hash_of(rollout.version)}
