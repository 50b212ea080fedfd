"""/rollouts/{id}/targets/ and what is done to single targets."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from agents.models import Agent
from agents.snapshot import AgentSnapshot
from fleets.models import Attempt, Membership, Quarantine, Rollout, Target
from fleets.rollouts.plan import Action
from fleets.rollouts.services import act_on_rollout
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.api.caller import Answer, caller
from tests.factories import TESTER, make_collector
from tests.fleets.story import APPLIED, FAILED, Story, hash_of, target_of
from tests.fleets.test_stages import Staged
from tests.pages.reading import page

pytestmark = pytest.mark.django_db


WELL = "the one that is well"


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
        assert answer.body["retried_at"] == answer.body["state_since"]
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


class Failed:
    """A paused rollout that failed on three for want of an exporter and on one for want of room, and not on a fifth."""

    def __init__(self) -> None:
        self.story = Story(count=5)
        self.version = self.story.version()
        self.rollout = self.story.assign(self.version)
        self.story.claim(*self.story.agents)
        *missing, full, self.well = self.story.agents
        for agent in (*missing, full):
            words = "disk full" if agent is full else "unknown exporter: nope"
            self.story.answer(agent, FAILED, hash_of(self.version), words)
        self.story.answer(self.well, APPLIED, hash_of(self.version))
        self.story.work()
        self.missing, self.full = missing, full

    def retry(self, **body: Any) -> Answer:
        return caller(Role.OPERATOR)("POST", f"rollouts/{self.rollout.pk}/retry/", body)

    def waiting(self) -> set[UUID | None]:
        """Who is a waiting target again."""
        found = Target.objects.filter(rollout=self.rollout, state="waiting")
        return set(found.values_list("agent_id", flat=True))

    def causes(self) -> dict[str, str]:
        """Their ids, by their words."""
        told = caller()("GET", f"rollouts/{self.rollout.pk}/failures/").body["causes"]
        return {one["error"]: one["id"] for one in told}


class TestRetryMany:
    def test_all_on_which_it_failed_are_tried_again_with_one_entry_in_the_log(self) -> None:
        failed = Failed()
        answer = failed.retry(all=True, reason="the image is mended")
        assert answer.status == 200, answer.text
        assert (answer.body["retried"], answer.body["refused"], answer.body["reasons"]) == (
            *(4, 0),
            [],
        )
        assert failed.waiting() == {one.instance_uid for one in (*failed.missing, failed.full)}
        assert not Quarantine.objects.exists()
        [told] = Activity.objects.filter(action__endswith=".retry")
        assert (told.action, told.reason) == ("rollout.retry", "the image is mended")
        assert told.after is not None
        assert told.after["count"] == len(told.after["collectors"]) == 4

    def test_those_of_one_cause_alone_are(self) -> None:
        failed = Failed()
        answer = failed.retry(cause=failed.causes()["disk full"])
        assert (answer.status, answer.body["retried"]) == (200, 1), answer.text
        assert failed.waiting() == {failed.full.instance_uid}
        assert "disk full" not in failed.causes()

    def test_those_with_an_attribute_alone_are(self) -> None:
        failed = Failed()
        named = [failed.missing[0].instance_uid, failed.well.instance_uid]
        Agent.objects.filter(pk__in=named).update(labels={"image": "v2"})
        assert failed.retry(key="image", value="v2").body["retried"] == 1
        assert failed.waiting() == {failed.missing[0].instance_uid}

    def test_of_those_named_it_is_said_who_is_not_tried_again_and_why(self) -> None:
        failed = Failed()
        stranger = make_collector(name="other")
        uids = [failed.full.instance_uid, failed.well.instance_uid, stranger.pk]
        answer = failed.retry(instance_uids=[str(uid) for uid in uids]).body
        assert (answer["retried"], answer["refused"]) == (1, 2)
        nothing, no_target = answer["reasons"]
        assert nothing.endswith("Nothing failed on this collector, so there is nothing to retry.")
        assert no_target == f"{stranger.pk}: It is no target of {failed.rollout}."
        assert failed.waiting() == {failed.full.instance_uid}

    @pytest.mark.parametrize(
        "body", [{"cause": "nonsense"}, {"key": "image", "value": "v2"}, {"instance_uids": [WELL]}]
    )
    def test_when_nobody_can_be_it_is_a_conflict_that_says_why(self, body: dict[str, Any]) -> None:
        failed = Failed()
        if body.get("instance_uids") == [WELL]:
            body = {"instance_uids": [str(failed.well.instance_uid)]}
        told = failed.retry(**body).problem(409)
        assert told["type"] == "urn:telflo:problem:nobody-retried"
        assert "Nobody was retried. " in told["detail"]
        assert not failed.waiting()
        assert not Activity.objects.filter(action__endswith=".retry").exists()

    @pytest.mark.parametrize("body", [{}, {"all": True, "cause": "x"}, {"value": "v2"}])
    def test_without_a_word_about_whom_nobody_is(self, body: dict[str, Any]) -> None:
        failed = Failed()
        assert "Say whom" in failed.retry(**body).problem(400)["errors"][0]["message"]
        assert not failed.waiting()

    def test_what_another_rollout_brought_is_not_retried_by_this_one(self) -> None:
        failed = Failed()
        failed.story.assign(failed.story.version())
        failed.retry(all=True).problem(409)


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


def test_who_goes_to_the_stable_version_instead_says_so_and_why_it_failed() -> None:
    story = Story(count=0)
    newcomer = story.join()
    # It was left out of the fleet's first rollout: no version was ever meant for it.
    Membership.objects.filter(agent_id=newcomer.instance_uid).update(desired=None)
    two = story.version()
    rollout = story.assign(two)
    story.claim(newcomer)
    story.answer(newcomer, FAILED, hash_of(two), "no such exporter, password=hunter2hunter2")
    act_on_rollout(rollout=rollout, action=Action.ROLL_BACK, actor=TESTER)
    story.work()
    words = f"no version of ours before: the fleet's stable one, {story.one}, takes its place"
    [target] = targets(rollout)
    assert (target["state"], words in target["reason"]) == ("reverting", True), target
    story.settle(newcomer)
    story.work()
    [target] = targets(rollout)
    assert (target["state"], words in target["reason"]) == ("reverted", True), target
    assert target["failure"].startswith("no such exporter")
    assert "hunter2" not in target["failure"]
    assert target["failed_at"] is not None
    assert words in page(f"/rollouts/{rollout.number}/").replace("&#x27;", "'")


def test_one_that_cannot_say_how_it_is_is_marked() -> None:
    staged = Staged()
    [canary] = staged.offered()
    Target.objects.filter(agent_id=canary.instance_uid).update(is_unverified=True)
    marked = {one["instance_uid"]: one["is_unverified"] for one in targets(staged.rollout)}
    assert [uid for uid, is_marked in marked.items() if is_marked] == [str(canary.instance_uid)]
    assert "failure" in targets(staged.rollout)[0]


def targets(rollout: Rollout) -> list[dict[str, Any]]:
    """As the API has them."""
    found: list[dict[str, Any]] = caller()("GET", f"rollouts/{rollout.pk}/targets/").body["results"]
    return found


def test_the_page_says_why_one_failed_that_went_back() -> None:
    staged, _ = failed()
    staged.act(Action.ROLL_BACK)
    html = page(f"/rollouts/{staged.rollout.number}/?state=reverting")
    assert "The version failed there: unknown exporter" in html
    assert "hunter2" not in html


def test_the_page_says_of_a_log_that_is_quoted_what_says_why() -> None:
    staged, canary = failed()
    log = 'It ended.\nCollector log tail:\n{"level":"info","msg":"Starting"}\nError: port taken'
    Attempt.objects.filter(agent=canary.instance_uid).update(error=log)
    Target.objects.filter(agent=canary.instance_uid).update(failure=log)
    paths = [f"/rollouts/{staged.rollout.number}/", f"/collectors/{canary.instance_uid}/"]
    for html in map(page, paths):
        assert "Error: port taken" in html
    assert "Starting" not in page(paths[1])
    assert page(paths[0]).count("Starting") == 1, "under the cause, where all of it is"


def test_the_page_says_where_to_look_when_a_supervisor_cannot_tell_why() -> None:
    staged, canary = failed()
    here = f"/rollouts/{staged.rollout.number}/"
    words = "Agent exited unexpectedly with exit code 1 while applying configuration"
    Target.objects.filter(agent=canary.instance_uid).update(failure=words)
    assert "agent.log, in the supervisor&#x27;s storage directory" in page(here)
    Target.objects.filter(agent=canary.instance_uid).update(failure="unknown exporter")
    assert "agent.log" not in page(here)


def test_the_page_says_of_one_that_cannot_go_back_why_and_what_failed() -> None:
    staged, canary = failed()
    staged.story.fleet.stable_version = None
    staged.story.fleet.save(update_fields=["stable_version"])
    Target.objects.filter(agent_id=canary.instance_uid).update(previous=None)
    staged.act(Action.ROLL_BACK)
    html = page(f"/rollouts/{staged.rollout.number}/?state=revert_failed")
    assert "It had no version of ours before, and the fleet has no stable one" in html
    assert "The version failed there: unknown exporter" in html
