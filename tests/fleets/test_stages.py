"""Rollouts in stages: what is let go when, what is taken back, and what people may do, on the database."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, AgentStatus
from agents.snapshot import AgentSnapshot, Capability
from configs.models import ConfigVersion
from fleets.models import Fleet, Rollout, Target
from fleets.rollouts import engine
from fleets.rollouts.choosing import waiting_with
from fleets.rollouts.counts import Budget
from fleets.rollouts.placing import HAD_IT
from fleets.rollouts.plan import ACTIVE, Action
from fleets.rollouts.selector import parse_selector
from fleets.rollouts.services import (
    act_on_rollout,
    leave_out,
    preflight_of,
    start_rollout,
)
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan, Strategy
from fleets.rollouts.traits import traits_of
from telflo.base import clock
from telflo.base.errors import Conflict
from telflo.base.models import Activity
from tests.factories import TESTER, make_version
from tests.fleets.story import APPLIED, APPLYING, FAILED, Story, disconnect, hash_of, member_of

pytestmark = pytest.mark.django_db

SOAK = timedelta(minutes=1)
BAKE = timedelta(minutes=5)


class Staged:
    """A fleet of which a version is rolled out to one, then to all; the clock goes on by hand."""

    def __init__(
        self, count: int = 4, labels: dict[str, str] | None = None, **knobs: object
    ) -> None:
        self.story = Story(count=count)
        Agent.objects.update(labels=labels or {})
        self.version: ConfigVersion = self.story.version()
        self.hash = hash_of(self.version)
        self.now: datetime = clock.now()
        stages = (
            StagePlan("Canary", Share(count=1), bake=BAKE),
            StagePlan("Everybody", Share(percent=100), budget=Budget(percent=50)),
        )
        strategy = Strategy(**{"stages": stages, "soak": SOAK, **knobs})  # type: ignore[arg-type]  # a test's
        self.rollout: Rollout = start_rollout(
            fleet=self.story.fleet, version=self.version, actor=TESTER, strategy=strategy
        )
        self.work()

    def work(self, after: timedelta = timedelta()) -> None:
        """The worker's sweep, some time later."""
        self.now += after
        engine.expire(self.now)
        engine.judge_soaks(self.now)
        engine.settle_reverting(self.now)
        for rollout_id in Rollout.objects.filter(state__in=ACTIVE).values_list("pk", flat=True):
            engine.advance(rollout_id, now=self.now)
        self.rollout.refresh_from_db()

    def offered(self) -> list[AgentSnapshot]:
        """Those that are offered something now."""
        wanted = self.story.claim(*self.story.agents, now=self.now)
        return [one for one in self.story.agents if one.instance_uid in wanted]

    def apply(self, *agents: AgentSnapshot) -> None:
        """They take it."""
        for agent in agents:
            self.story.answer(agent, APPLYING, self.hash)
            self.story.answer(agent, APPLIED, self.hash)
        self.now = max(self.now, clock.now())  # answers come by the real clock

    def states(self) -> list[str]:
        """Of all targets."""
        return sorted(Target.objects.filter(rollout=self.rollout).values_list("state", flat=True))

    def act(self, action: Action) -> None:
        """A person."""
        act_on_rollout(rollout=self.rollout, action=action, actor=TESTER, reason="because")
        self.work()


def healthy(
    *agents: AgentSnapshot, word: str = "healthy", error: str = "", since: datetime | None = None
) -> None:
    uids = [agent.instance_uid for agent in agents]
    rows = AgentStatus.objects.filter(agent_id__in=uids)
    rows.update(health=word, last_error=error, **({"health_since": since} if since else {}))


def test_a_good_version_goes_from_one_to_all() -> None:
    staged = Staged()
    [canary] = staged.offered()
    assert staged.states() == ["offered", "waiting", "waiting", "waiting"]
    staged.apply(canary)
    healthy(*staged.story.agents)
    staged.work(SOAK - timedelta(seconds=1))
    assert staged.states() == ["soaking", "waiting", "waiting", "waiting"]
    staged.work(timedelta(seconds=2))
    assert staged.rollout.state == "baking"
    staged.work(BAKE - timedelta(seconds=1))
    assert staged.offered() == []
    staged.work(timedelta(seconds=1))
    others = staged.offered()
    assert len(others) == 3
    staged.apply(*others)
    staged.work(SOAK + timedelta(minutes=1))
    assert (staged.rollout.state, staged.states()) == ("succeeded", ["succeeded"] * 4)
    assert Fleet.objects.get().stable_version == staged.version


def test_a_canary_that_fails_takes_it_back_and_nobody_else_is_touched() -> None:
    staged = Staged()
    [canary] = staged.offered()
    staged.story.answer(canary, APPLYING, staged.hash)
    staged.story.answer(canary, FAILED, staged.hash, "no such exporter")
    staged.work()
    assert staged.rollout.state == "rolling_back"
    assert staged.rollout.state_reason == "1 of 1 failed; the budget is 0 %."
    one = hash_of(staged.story.one)
    assert staged.story.claim(canary, now=staged.now) == {canary.instance_uid: one}
    assert [one for one in staged.offered() if one is not canary] == []
    staged.story.answer(canary, APPLIED, one)
    staged.work()
    assert staged.rollout.state == "rolled_back"
    assert staged.rollout.state_reason == "1 of 1 failed; the budget is 0 %."
    assert staged.states() == ["excluded", "excluded", "excluded", "reverted"]
    fleet = Fleet.objects.get()
    assert fleet.version == fleet.stable_version == staged.story.one


@pytest.mark.parametrize(
    ("word", "after", "why"),
    [
        ("unhealthy", timedelta(seconds=5), "became unhealthy: exit code 1"),
        ("unknown", SOAK + timedelta(hours=1), "did not say how it is"),
    ],
)
def test_one_that_dies_or_falls_silent_in_its_soak_has_failed(
    word: str, after: timedelta, why: str
) -> None:
    staged = Staged()
    [canary] = staged.offered()
    staged.apply(canary)
    healthy(canary, word=word, error="exit code 1")
    staged.work(after)
    staged.work()
    assert staged.rollout.state in {"rolling_back", "rolled_back"}
    assert why in Target.objects.get(agent_id=canary.instance_uid).failure
    back = member_of(canary).desired
    assert back is not None
    assert back.version == staged.story.one


def test_offline_ones_go_back_when_they_return() -> None:
    staged = Staged(count=2)
    [canary] = staged.offered()
    staged.apply(canary)
    disconnect(canary)
    staged.act(Action.ROLL_BACK)
    assert staged.rollout.state == "rolled_back"
    assert staged.rollout.state_reason == (
        "test took it back: because. 1 was offline when it ended."
    )
    assert "reverting" in staged.states()
    again = staged.story.come_back(canary)
    one = hash_of(staged.story.one)
    assert staged.story.claim(again, now=staged.now) == {canary.instance_uid: one}
    staged.story.answer(again, APPLIED, one)
    staged.work()
    assert staged.states() == ["excluded", "reverted"]


def test_a_way_back_that_fails_is_shown_and_stops_there() -> None:
    staged = Staged(count=1)
    [canary] = staged.offered()
    staged.apply(canary)
    staged.act(Action.ROLL_BACK)
    one = hash_of(staged.story.one)
    assert staged.story.claim(canary, now=staged.now) == {canary.instance_uid: one}
    staged.story.answer(canary, FAILED, one, "it does not start any more")
    staged.work()
    assert (staged.rollout.state, staged.states()) == ("rolled_back", ["revert_failed"])
    assert staged.offered() == []


def test_who_accepts_no_configurations_any_more_does_not_hold_up_the_way_back_of_others() -> None:
    staged = Staged(2, stages=(StagePlan("All", Share(percent=100)),))
    stubborn, other = staged.offered()
    staged.apply(stubborn, other)
    bits = F("capabilities").bitxor(Capability.ACCEPTS_REMOTE_CONFIG.value)
    Agent.objects.filter(pk=stubborn.instance_uid).update(capabilities=bits)
    staged.act(Action.ROLL_BACK)
    assert staged.states() == ["revert_failed", "reverting"]
    assert staged.offered() == [other]
    staged.story.answer(other, APPLIED, hash_of(staged.story.one))
    staged.work()
    assert (staged.rollout.state, staged.states()) == ("rolled_back", ["revert_failed", "reverted"])
    assert "does not accept" in Target.objects.get(state="revert_failed").reason


def test_paused_it_lets_nobody_go_until_a_person_resumes_it() -> None:
    staged = Staged()
    staged.act(Action.PAUSE)
    assert (staged.rollout.state, staged.offered()) == ("paused", [])
    staged.work(timedelta(hours=1))
    assert staged.rollout.state == "paused"
    assert staged.rollout.state_reason == "test paused it: because."
    staged.act(Action.RESUME)
    assert len(staged.offered()) == 1
    with pytest.raises(Conflict, match="It is running"):
        staged.act(Action.RESUME)


def test_cancelled_those_that_moved_stay() -> None:
    staged = Staged()
    [canary] = staged.offered()
    staged.apply(canary)
    staged.act(Action.CANCEL)
    assert staged.rollout.state == "cancelled"
    assert staged.states() == ["excluded", "excluded", "excluded", "soaking"]
    assert staged.offered() == []
    assert member_of(canary).desired.version == staged.version  # type: ignore[union-attr]  # it has one


def test_cancelled_those_that_were_let_go_are_not_offered_it_any_more_be_they_away_or_there() -> (
    None
):
    staged = Staged(count=2, stages=(StagePlan("All", Share(percent=100)),))
    there, away = staged.story.agents
    disconnect(away)
    staged.work()
    assert staged.states() == ["pending_offline", "waiting"]
    assert {member_of(one).desired.version for one in (there, away)} == {staged.version}  # type: ignore[union-attr]  # they have one
    staged.act(Action.CANCEL)
    assert staged.states() == ["excluded", "excluded"]
    again = staged.story.come_back(away)
    assert staged.story.claim(there, again, now=staged.now) == {}
    assert {member_of(one).desired.version for one in (there, again)} == {staged.story.one}  # type: ignore[union-attr]  # the same


def test_no_more_than_may_are_in_flight() -> None:
    stages = (StagePlan("All", Share(percent=100)),)
    staged = Staged(count=5, stages=stages, max_in_flight=2, soak=timedelta())
    first = staged.offered()
    assert len(first) == 2
    staged.work()
    assert staged.offered() == []
    staged.apply(first[0])
    staged.work()
    assert len(staged.offered()) == 1


def test_a_step_costs_as_many_statements_with_many_targets_as_with_few() -> None:
    costs = []
    for count in (3, 30):
        staged = Staged(count=count, stages=(StagePlan("All", Share(percent=100)),))
        staged.apply(*staged.offered())
        healthy(*staged.story.agents)
        with CaptureQueriesContext(connection) as queries:
            staged.work(SOAK + timedelta(minutes=1))
        assert staged.rollout.state == "succeeded"
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_those_that_wait_are_left_out_by_what_they_share() -> None:
    staged = Staged(count=5)
    [canary] = staged.offered()
    others = [one.instance_uid for one in staged.story.agents if one is not canary]
    Agent.objects.filter(pk__in=others[:2]).update(labels={"image": "v2"})
    uids = waiting_with(staged.rollout, "image", "v2")
    assert set(uids) == set(others[:2])
    asked = [*uids, canary.instance_uid]
    assert leave_out(rollout=staged.rollout, uids=asked, actor=TESTER, reason="old image") == 2
    assert staged.states() == ["excluded", "excluded", "offered", "waiting", "waiting"]
    assert Activity.objects.latest("id").after == {"count": 2}


def test_what_is_no_text_is_written_as_the_lists_filters_write_it() -> None:
    staged = Staged(count=2)
    [canary] = staged.offered()
    [other] = [one for one in staged.story.agents if one is not canary]
    Agent.objects.filter(pk=other.instance_uid).update(identifying={"canary": True, "rack": 7})
    said = traits_of([other.instance_uid])[other.instance_uid]
    for key, value in said.items():
        assert waiting_with(staged.rollout, key, value) == [other.instance_uid]
    assert said["canary"] == "true"


def test_one_that_failed_stops_counting_once_it_is_left_out() -> None:
    staged = Staged(automatic_rollback=False)
    [canary] = staged.offered()
    staged.story.answer(canary, FAILED, staged.hash, "no")
    staged.work()
    assert staged.rollout.state == "paused"
    leave_out(rollout=staged.rollout, uids=[canary.instance_uid], actor=TESTER)
    staged.work()
    assert staged.rollout.state == "running"


def test_one_that_is_let_go_and_offline_gets_back_what_it_had_when_it_is_left_out() -> None:
    stages = (StagePlan("All", Share(percent=100)),)
    staged = Staged(count=2, stages=stages, waits_for_offline=True)
    for agent in staged.story.agents:
        disconnect(agent)
    staged.work()
    assert staged.states() == ["pending_offline", "pending_offline"]
    away = staged.story.agents[0]
    assert leave_out(rollout=staged.rollout, uids=[away.instance_uid], actor=TESTER) == 1
    again = staged.story.come_back(away)
    assert staged.story.claim(again, now=staged.now) == {}
    assert member_of(away).desired.version == staged.story.one  # type: ignore[union-attr]  # it has one


def test_a_preview_draws_the_canary_that_the_rollout_will_take() -> None:
    story = Story(count=6)
    version = story.version()
    strategy = Strategy(
        stages=(StagePlan("Canary", Share(count=1)), StagePlan("All", Share(percent=100)))
    )

    for number, agent in enumerate(story.agents):
        Agent.objects.filter(pk=agent.instance_uid).update(labels={"n": str(number)})

    def is_left_after_the_canary(number: int) -> bool:
        selects = StagePlan("One", Share(selector=parse_selector(f"n={number}")))
        stages = (strategy.stages[0], selects, strategy.stages[1])
        plan = replace(strategy, stages=stages)
        found = preflight_of(fleet=story.fleet, version=version, strategy=plan)
        return found.stages[1].reached == 1

    [previewed] = [
        one for number, one in enumerate(story.agents) if not is_left_after_the_canary(number)
    ]
    rollout = start_rollout(fleet=story.fleet, version=version, actor=TESTER, strategy=strategy)
    assert rollout.targets.get(stage__index=0).agent_id == previewed.instance_uid


def test_those_that_run_it_already_do_not_water_down_the_budget() -> None:
    """Of four that are in the stage one gets it, and fails: that is all of them."""
    stages = (StagePlan("All", Share(percent=100), budget=Budget(percent=50)),)
    staged = Staged(stages=stages)
    taker, *others = staged.story.agents
    staged.story.claim(*staged.story.agents)
    staged.apply(*others)
    healthy(*others)
    staged.story.answer(taker, FAILED, staged.hash, "no")
    staged.work(SOAK)
    again = start_rollout(
        fleet=staged.story.fleet,
        version=make_version(yaml=staged.version.yaml),
        actor=TESTER,
        strategy=Strategy(stages=stages, automatic_rollback=False),
        force=True,
    )
    engine.advance(again.pk, now=staged.now)
    assert again.targets.filter(reason=HAD_IT, state="succeeded").count() == 3
    Target.objects.filter(rollout=again, agent_id=taker.instance_uid).update(state="failed")
    engine.advance(again.pk, now=staged.now)
    again.refresh_from_db()
    assert again.state == "paused"
    assert again.state_reason == "1 of 1 failed; the budget is 50 %."
