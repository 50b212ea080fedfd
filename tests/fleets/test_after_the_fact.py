"""What happens to collectors beside the plan's way: in the bake, after a cancel, left out, moved, on their return."""

from datetime import timedelta

import pytest

from agents.models import Agent, AgentStatus
from agents.snapshot import AgentSnapshot
from fleets.many import move_agents
from fleets.models import Rollout, Target
from fleets.rollouts.counts import Budget
from fleets.rollouts.plan import Action
from fleets.rollouts.services import leave_out
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan, Strategy
from fleets.rollouts.windows import DAYS, parse_window
from telflo.base.errors import Conflict
from telflo.base.models import Activity
from tests.factories import TESTER, make_fleet
from tests.fleets.story import APPLIED, FAILED, disconnect, hash_of, member_of, target_of
from tests.fleets.test_stages import BAKE, SOAK, Staged, healthy

pytestmark = pytest.mark.django_db

ALL = (StagePlan("All", Share(percent=100)),)


def soaked(staged: Staged) -> AgentSnapshot:
    """The canary, which was well through its soak."""
    [canary] = staged.offered()
    staged.apply(canary)
    healthy(*staged.story.agents)
    staged.work(SOAK + timedelta(minutes=1))
    assert staged.rollout.state == "baking"
    return canary


def next_rollout(staged: Staged, **knobs: object) -> None:
    """To another version, all in one stage; the worker has not looked yet."""
    strategy = Strategy(**{"stages": ALL, "soak": SOAK, **knobs})  # type: ignore[arg-type]  # a test's
    staged.version = staged.story.version()
    staged.hash = hash_of(staged.version)
    staged.rollout = staged.story.assign(staged.version, strategy=strategy)


def fail(staged: Staged, agent: AgentSnapshot) -> None:
    staged.story.answer(agent, FAILED, staged.hash, "no such exporter")
    staged.work()


class TestBake:
    def test_one_that_becomes_unhealthy_in_the_bake_has_failed(self) -> None:
        staged = Staged()
        canary = soaked(staged)
        healthy(canary, word="unhealthy", error="out of memory")
        staged.work(BAKE - timedelta(seconds=5))
        assert staged.rollout.state == "rolling_back"
        assert "became unhealthy: out of memory" in target_of(staged.rollout, canary).failure
        assert member_of(canary).desired.version == staged.story.one  # type: ignore[union-attr]  # it has one

    def test_what_happens_after_the_bake_is_no_failure_of_the_rollout(self) -> None:
        staged = Staged()
        canary = soaked(staged)
        staged.work(BAKE)
        healthy(canary, word="unhealthy")
        staged.work(timedelta(seconds=5))
        assert staged.rollout.state == "running"
        assert target_of(staged.rollout, canary).state == "succeeded"

    def ill_between_two_looks(self, staged: Staged, canary: AgentSnapshot) -> None:
        healthy(canary, since=staged.now + timedelta(seconds=3))
        staged.work(timedelta(seconds=5))

    def test_one_that_was_ill_between_two_looks_soaks_once_more_and_the_stage_waits(self) -> None:
        staged = Staged()
        canary = soaked(staged)
        staged.work(BAKE - timedelta(seconds=10))
        self.ill_between_two_looks(staged, canary)
        target = target_of(staged.rollout, canary)
        assert target.state == "soaking"
        assert "soaks once more" in target.reason
        staged.work(SOAK - timedelta(seconds=3))
        assert (staged.rollout.state, staged.offered()) == ("baking", [])
        staged.work(timedelta(seconds=2))
        assert target_of(staged.rollout, canary).state == "succeeded"
        assert len(staged.offered()) == 3

    def test_one_that_is_ill_again_and_again_in_the_bake_has_failed(self) -> None:
        staged = Staged()
        canary = soaked(staged)
        self.ill_between_two_looks(staged, canary)
        staged.work(SOAK)
        assert target_of(staged.rollout, canary).state == "succeeded"
        self.ill_between_two_looks(staged, canary)
        assert staged.rollout.state == "rolling_back"
        assert "while its stage baked" in target_of(staged.rollout, canary).failure

    def test_one_that_is_gone_in_the_bake_has_not_failed(self) -> None:
        staged = Staged()
        canary = soaked(staged)
        AgentStatus.objects.filter(agent_id=canary.instance_uid).update(health="unhealthy")
        disconnect(canary)
        staged.work(timedelta(seconds=5))
        assert staged.rollout.state == "baking"


def test_one_that_soaks_when_its_rollout_is_cancelled_is_judged_all_the_same() -> None:
    staged = Staged()
    [canary] = staged.offered()
    staged.apply(canary)
    staged.act(Action.CANCEL)
    healthy(canary, word="unhealthy", error="exit code 1")
    staged.work(timedelta(seconds=5))
    assert target_of(staged.rollout, canary).state == "failed"
    assert staged.offered() == []


@pytest.mark.parametrize("is_left_out", [False, True])
def test_a_version_that_nobody_runs_is_not_what_newcomers_get(*, is_left_out: bool) -> None:
    """It failed on all within the budget, or the others were left out when it had failed on the first."""
    budget = Budget(percent=0 if is_left_out else 100)
    stages = (StagePlan("All", Share(percent=100), budget=budget),)
    staged = Staged(2, stages=stages, automatic_rollback=False, max_in_flight=1)
    [first] = staged.offered()
    fail(staged, first)
    if is_left_out:
        uids = [agent.instance_uid for agent in staged.story.agents]
        assert leave_out(rollout=staged.rollout, uids=uids, actor=TESTER) == 2
    else:
        [other] = staged.offered()
        fail(staged, other)
    staged.work()
    assert staged.rollout.state == "cancelled"
    assert "failed wherever it was tried" in staged.rollout.state_reason
    assert "failed wherever it was tried" in Activity.objects.get(action="rollout.cancel").reason
    newcomer = staged.story.join()
    assert staged.story.claim(newcomer) == {newcomer.instance_uid: hash_of(staged.story.one)}


def test_an_offer_that_a_later_one_overtook_leaves_no_open_target() -> None:
    staged = Staged(count=1)
    [agent] = staged.offered()
    first = staged.rollout
    next_rollout(staged)
    assert staged.offered() == [agent]
    staged.story.answer(agent, APPLIED, staged.hash)
    assert (target_of(first, agent).state, target_of(staged.rollout, agent).state) == (
        "excluded",
        "soaking",
    )


class TestLeftOut:
    def test_one_on_which_it_failed_goes_back_with_the_others(self) -> None:
        staged = Staged(automatic_rollback=False)
        [canary] = staged.offered()
        fail(staged, canary)
        leave_out(rollout=staged.rollout, uids=[canary.instance_uid], actor=TESTER)
        staged.work()
        staged.act(Action.ROLL_BACK)
        assert target_of(staged.rollout, canary).state == "reverting"
        assert member_of(canary).desired.version == staged.story.one  # type: ignore[union-attr]  # it has one

    def test_where_all_were_left_out_they_go_back_all_the_same(self) -> None:
        staged = Staged(count=2, automatic_rollback=False, stages=ALL)
        for agent in staged.offered():
            fail(staged, agent)
        uids = [agent.instance_uid for agent in staged.story.agents]
        leave_out(rollout=staged.rollout, uids=uids, actor=TESTER)
        staged.act(Action.ROLL_BACK)
        for agent in staged.story.agents:
            assert member_of(agent).desired.version == staged.story.one  # type: ignore[union-attr]  # it has one
            assert target_of(staged.rollout, agent).state == "reverting"

    def test_one_on_which_it_failed_before_is_not_left_on_it(self) -> None:
        staged = Staged(count=2)
        [canary] = staged.offered()
        fail(staged, canary)
        assert staged.offered() == [canary]
        staged.story.answer(canary, APPLIED, hash_of(staged.story.one))
        staged.work()
        [other] = [one for one in staged.story.agents if one is not canary]
        staged.rollout = staged.story.assign(staged.version, strategy=Strategy(ALL))
        assert target_of(staged.rollout, canary).state == "excluded"
        staged.offered()
        fail(staged, other)
        assert staged.rollout.state == "rolling_back"
        assert target_of(staged.rollout, canary).state == "excluded"
        assert member_of(canary).desired.version == staged.story.one  # type: ignore[union-attr]  # it has one


class TestMoved:
    def test_who_moved_on_is_not_taken_back(self) -> None:
        staged = Staged()
        canary = soaked(staged)
        other = make_fleet(name="Other", version=staged.version)
        move_agents(uids=[canary.instance_uid], fleet=other, actor=TESTER)
        staged.act(Action.ROLL_BACK)
        assert target_of(staged.rollout, canary).state == "excluded"
        assert member_of(canary).desired.version == staged.version  # type: ignore[union-attr]  # it has one

    def test_a_failure_of_a_rollout_that_is_over_stays_on_its_page(self) -> None:
        staged = Staged(automatic_rollback=False)
        [canary] = staged.offered()
        fail(staged, canary)
        Rollout.objects.filter(pk=staged.rollout.pk).update(state="succeeded")
        move_agents(uids=[canary.instance_uid], fleet=make_fleet(name="Other"), actor=TESTER)
        assert target_of(staged.rollout, canary).state == "failed"

    def test_for_who_comes_back_it_begins_anew_with_its_zone(self) -> None:
        staged = Staged(automatic_rollback=False, zone_key="rack", zone_limit=1)
        [canary] = staged.offered()
        fail(staged, canary)
        Agent.objects.filter(pk=canary.instance_uid).update(labels={"rack": "r1"})
        move_agents(uids=[canary.instance_uid], fleet=make_fleet(name="Other"), actor=TESTER)
        move_agents(uids=[canary.instance_uid], fleet=staged.story.fleet, actor=TESTER)
        target = target_of(staged.rollout, canary)
        assert (target.state, target.failure, target.zone) == ("waiting", "", "r1")


class TestReturn:
    def away(self, **knobs: object) -> Staged:
        """All three went before the rollout began; none holds up its stage."""
        staged = Staged(count=3)
        Agent.objects.update(labels={"rack": "r1"})
        for agent in staged.story.agents:
            disconnect(agent)
        next_rollout(staged, **knobs)
        assert staged.states() == ["pending_offline"] * 3
        staged.rollout.refresh_from_db()
        assert staged.rollout.state == "succeeded"
        staged.story.agents = [staged.story.come_back(one) for one in staged.story.agents]
        return staged

    @pytest.mark.parametrize(
        "knobs", [{"zone_key": "rack", "zone_limit": 1}, {"max_in_flight": 1}], ids=str
    )
    def test_those_that_return_together_go_one_by_one_where_that_is_the_limit(
        self, knobs: dict[str, object]
    ) -> None:
        staged = self.away(**knobs)
        for done in range(3):
            [agent] = staged.offered()
            assert staged.offered() == []
            staged.apply(agent)
            healthy(agent)
            assert staged.offered() == []
            staged.work(SOAK + timedelta(minutes=1))
            assert staged.states().count("succeeded") == done + 1

    def test_outside_the_window_nobody_who_returns_gets_it(self) -> None:
        staged = self.away(window=parse_window("mon-sun", "00:00-24:00", "UTC"))
        days = Rollout.objects.filter(pk=staged.rollout.pk)
        days.update(window_days=DAYS[(staged.now.weekday() + 3) % 7])
        assert staged.offered() == []
        days.update(window_days="mon-sun")
        assert len(staged.offered()) == 3


def test_a_spent_budget_is_not_resumed_but_said_what_to_do() -> None:
    staged = Staged(automatic_rollback=False)
    [canary] = staged.offered()
    fail(staged, canary)
    with pytest.raises(Conflict, match=r"1 of 1 failed.*leave them out, or roll it back"):
        staged.act(Action.RESUME)
    assert (
        Target.objects.get(rollout=staged.rollout, state="failed").agent_id == canary.instance_uid
    )


def test_what_it_did_of_itself_is_in_the_activity_log_once() -> None:
    staged = Staged()
    [canary] = staged.offered()
    fail(staged, canary)
    staged.work()
    [entry] = Activity.objects.filter(object_id=str(staged.rollout.pk))
    assert (entry.action, entry.actor_label) == ("rollout.roll_back", "rollouts")
    assert entry.reason == "1 of 1 failed; the budget is 0 %."


def test_what_a_person_did_is_there_as_theirs_alone() -> None:
    staged = Staged()
    staged.act(Action.PAUSE)
    staged.act(Action.RESUME)
    deeds = Activity.objects.filter(object_id=str(staged.rollout.pk)).order_by("id")
    assert list(deeds.values_list("action", "actor_label")) == [
        ("rollout.pause", TESTER.label),
        ("rollout.resume", TESTER.label),
    ]
