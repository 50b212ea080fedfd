"""/rollouts/{id}/targets/ and what is done to single targets."""

from uuid import uuid4

import pytest

from agents.snapshot import AgentSnapshot
from fleets.models import Quarantine
from fleets.rollouts.plan import Action
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.api.caller import Answer, caller
from tests.factories import make_collector
from tests.fleets.story import FAILED, hash_of, target_of
from tests.fleets.test_stages import Staged

pytestmark = pytest.mark.django_db


def failed() -> tuple[Staged, AgentSnapshot]:
    """A rollout that is paused, and the canary on which the version failed."""
    staged = Staged(automatic_rollback=False)
    [canary] = staged.offered()
    staged.story.answer(canary, FAILED, staged.hash, "unknown exporter: password=hunter2hunter2")
    staged.work()
    return staged, canary


def do(staged: Staged, what: str, uid: object, reason: str = "") -> Answer:
    """A call about one target."""
    path = f"rollouts/{staged.rollout.pk}/targets/{uid}/{what}/"
    return caller(Role.OPERATOR)("POST", path, {"reason": reason})


class TestRetry:
    def test_a_target_that_failed_is_tried_again(self) -> None:
        staged, canary = failed()
        answer = do(staged, "retry", canary.instance_uid, "the disk is larger now")
        assert (answer.status, answer.body["state"]) == (200, "waiting"), answer.text
        assert answer.body["instance_uid"] == str(canary.instance_uid)
        assert not Quarantine.objects.exists()
        assert Activity.objects.get(action="agent.retry").reason == "the disk is larger now"

    def test_where_nothing_failed_it_is_a_conflict(self) -> None:
        staged = Staged()
        [canary] = staged.offered()
        told = do(staged, "retry", canary.instance_uid).problem(409)
        assert told["detail"].startswith("Nothing failed on this collector")

    def test_what_another_rollout_brought_is_not_retried_by_this_one(self) -> None:
        staged, canary = failed()
        second = staged.story.version()
        staged.story.assign(second)
        assert canary in staged.offered()
        staged.story.answer(canary, FAILED, hash_of(second), "no")
        quarantined = Quarantine.objects.count()
        told = do(staged, "retry", canary.instance_uid).problem(409)
        assert f"the one of #{staged.rollout.number}" in told["detail"]
        assert Quarantine.objects.count() == quarantined == 2


class TestExclude:
    def test_one_that_waits_is_left_out(self) -> None:
        staged = Staged()
        [canary] = staged.offered()
        other = next(one for one in staged.story.agents if one is not canary)
        answer = do(staged, "exclude", other.instance_uid, "old kernel")
        assert (answer.status, answer.body["state"]) == (200, "excluded"), answer.text
        assert answer.body["reason"] == "old kernel"
        told = Activity.objects.get(action="rollout.exclude")
        assert (told.reason, told.object_label) == (
            "old kernel",
            target_of(staged.rollout, other).agent_label,
        )

    def test_one_that_was_offered_it_stays_and_that_is_a_conflict(self) -> None:
        staged = Staged()
        [canary] = staged.offered()
        told = do(staged, "exclude", canary.instance_uid).problem(409)
        assert "offered" in told["detail"]
        assert target_of(staged.rollout, canary).state == "offered"
        assert not Activity.objects.filter(action="rollout.exclude").exists()

    def test_of_a_rollout_that_is_over_nobody_is_left_out(self) -> None:
        staged = Staged()
        [canary] = staged.offered()
        other = next(one for one in staged.story.agents if one is not canary)
        staged.act(Action.CANCEL)
        assert "over" in do(staged, "exclude", other.instance_uid).problem(409)["detail"]


@pytest.mark.parametrize("what", ["retry", "exclude"])
def test_who_is_no_target_of_it_is_not_found(what: str) -> None:
    staged = Staged()
    stranger = make_collector(name="web")
    for uid in (stranger.pk, uuid4()):
        do(staged, what, uid).problem(404)
    do(staged, what, "nonsense").problem(404)


class TestMany:
    def test_it_is_said_how_many_were_left_out(self) -> None:
        staged = Staged()
        [canary] = staged.offered()
        uids = [str(one.instance_uid) for one in staged.story.agents]
        path = f"rollouts/{staged.rollout.pk}/exclude/"
        answer = caller(Role.OPERATOR)("POST", path, {"instance_uids": uids})
        assert (answer.status, answer.body["left_out"]) == (200, 3), answer.text
        assert answer.body["counts"] == {"excluded": 3, "offered": 1}
        again = caller(Role.OPERATOR)("POST", path, {"instance_uids": uids}).problem(409)
        assert again["type"] == "urn:telflo:problem:nobody-left-out"
        assert target_of(staged.rollout, canary).state == "offered"

    def test_nobody_named_or_nobody_with_the_attribute_is_a_conflict(self) -> None:
        staged = Staged()
        path = f"rollouts/{staged.rollout.pk}/exclude/"
        for body in ({}, {"key": "image", "value": "v2"}):
            caller(Role.OPERATOR)("POST", path, body).problem(409)
