"""A zone of which one is broken by the version lets no other of it go: both gateways of a pair are never down."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from fleets.errors import NobodyLeftOut
from fleets.models import ArrivalMode, Membership, Rollout
from fleets.models import Target as StoredTarget
from fleets.rollouts import engine
from fleets.rollouts.counts import Budget
from fleets.rollouts.engine import releasing
from fleets.rollouts.judging import Health
from fleets.rollouts.placing import next_to_go
from fleets.rollouts.services import leave_out
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan
from fleets.rollouts.zones import FailedFacts, broken_zones
from fleets.services import forget_agent, move_agent, set_mode
from tests.factories import TESTER, at, make_fleet
from tests.fleets.plan_world import Stage, Target, World
from tests.fleets.story import FAILED, disconnect, member_of
from tests.fleets.test_stages import SOAK, Staged, healthy

RACK = {"rack": "r1"}
CALM = timedelta(seconds=60)
PAIR = (StagePlan("All", Share(percent=100), budget=Budget(percent=100)),)


def failed(**changed: object) -> FailedFacts:
    """It failed at second 0, and has been well since before."""
    facts: dict[str, object] = {
        "zone": "a",
        "is_connected": True,
        "health": Health.HEALTHY,
        "reports_health": True,
        "runs_another": False,
        "lacks_it": False,
        "failed_at": at(0),
        "healthy_since": at(-100),
        "calm": CALM,
    }
    return FailedFacts(**{**facts, **changed})  # type: ignore[arg-type]  # a test's


@pytest.mark.parametrize(
    ("change", "second", "is_broken"),
    [
        ({}, 59, True),
        ({}, 60, False),
        ({"calm": timedelta()}, 29, True),
        ({"calm": timedelta()}, 30, False),
        ({"healthy_since": at(50)}, 109, True),
        ({"healthy_since": at(50)}, 110, False),
        ({"healthy_since": None}, 60, False),
        ({"health": Health.UNHEALTHY}, 900, True),
        ({"health": Health.UNKNOWN}, 900, True),
        ({"is_connected": False}, 900, True),
        ({"lacks_it": True}, 900, True),
        ({"reports_health": False}, 900, True),
        ({"reports_health": False, "runs_another": True}, 900, False),
    ],
)
def test_one_that_failed_holds_its_zone_until_it_is_well_for_a_while(
    change: dict[str, object], second: int, is_broken: bool
) -> None:
    assert broken_zones([failed(**change)], at(second)) == ({"a": 1} if is_broken else {})


def test_the_plan_waits_with_the_other_of_a_pair() -> None:
    world = World(
        [Stage(timedelta(), Budget(percent=100))],
        [Target(0, "a"), Target(0, "a")],
        zone_limit=1,
    )
    world.work()
    first, second = world.targets
    first.state = "failed"
    world.work()
    assert not second.is_let_go
    first.well_since = world.now
    world.now += CALM
    world.work()
    assert second.is_let_go


class Pair(Staged):
    """Two of one rack, of which one is broken by the version, within the budget."""

    def __init__(self) -> None:
        super().__init__(2, RACK, stages=PAIR, zone_key="rack", zone_limit=1)
        healthy(*self.story.agents)
        [self.broken] = self.offered()
        [self.other] = [one for one in self.story.agents if one is not self.broken]
        self.story.answer(self.broken, FAILED, self.hash, "no such exporter")
        healthy(self.broken, word="unhealthy", since=self.now)
        failed = StoredTarget.objects.get(rollout=self.rollout, state="failed")
        self.now = failed.state_since
        self.work()


class Ended(Pair):
    """The same, and the other goes offline until the rollout has succeeded without it."""

    def __init__(self) -> None:
        super().__init__()
        disconnect(self.other)
        self.work()
        assert self.states() == ["failed", "pending_offline"]
        assert self.rollout.state == "succeeded"
        self.other = self.story.come_back(self.other)
        self.story.agents = [self.broken, self.other]


@pytest.mark.django_db
class TestPair:
    def test_the_other_waits_while_the_one_is_broken_and_the_rollout_says_so(self) -> None:
        pair = Pair()
        for _ in range(3):
            pair.work(timedelta(hours=1))
            assert pair.offered() == []
        assert pair.rollout.state == "running"
        assert "wait for a collector of their zone" in pair.rollout.state_reason

    def test_the_other_goes_once_the_one_went_back_and_is_well(self) -> None:
        pair = Pair()
        healthy(pair.broken, since=pair.now)
        pair.work(SOAK - timedelta(seconds=1))
        assert pair.offered() == []
        pair.work(timedelta(seconds=1))
        assert pair.offered() == [pair.other]
        assert pair.rollout.state_reason == ""

    def test_it_is_not_back_while_it_is_away(self) -> None:
        pair = Pair()
        healthy(pair.broken, since=pair.now)
        disconnect(pair.broken)
        pair.work(timedelta(hours=1))
        assert pair.offered() == []

    def test_the_other_goes_once_a_person_leaves_the_one_out(self) -> None:
        pair = Pair()
        leave_out(rollout=pair.rollout, uids=[pair.broken.instance_uid], actor=TESTER)
        pair.work()
        assert pair.offered() == [pair.other]

    def test_an_other_that_returns_from_offline_waits_too(self) -> None:
        pair = Pair()
        disconnect(pair.other)
        target = StoredTarget.objects.filter(rollout=pair.rollout, agent_id=pair.other.instance_uid)
        target.update(state="pending_offline")
        desired = Membership.objects.get(agent_id=pair.broken.instance_uid).desired
        Membership.objects.filter(agent_id=pair.other.instance_uid).update(desired=desired)
        pair.story.agents = [pair.broken, pair.story.come_back(pair.other)]
        pair.work(timedelta(hours=1))
        assert pair.offered() == []
        healthy(pair.broken, since=pair.now)
        pair.work(SOAK)
        assert pair.offered() == pair.story.agents[1:]

    @pytest.mark.parametrize("goes", ["moved", "forgotten", "observed"])
    def test_after_the_end_one_that_went_away_holds_nobody(self, goes: str) -> None:
        pair = Ended()
        agent = Agent.objects.get(pk=pair.broken.instance_uid)
        if goes == "moved":
            move_agent(agent=agent, fleet=make_fleet(name="Other"), actor=TESTER)
        elif goes == "forgotten":
            forget_agent(agent=agent, actor=TESTER)
        else:
            set_mode(agent=agent, mode=ArrivalMode.OBSERVED, actor=TESTER)
        assert pair.offered() == [pair.other]

    def test_after_the_end_one_that_is_broken_holds_the_other_until_it_is_left_out(self) -> None:
        pair = Ended()
        assert pair.offered() == []
        left = leave_out(rollout=pair.rollout, uids=[pair.broken.instance_uid], actor=TESTER)
        assert (left, pair.offered()) == (1, [pair.other])

    def test_after_the_end_the_one_that_waits_can_be_left_out_and_keeps_what_it_runs(self) -> None:
        pair = Ended()
        assert leave_out(rollout=pair.rollout, uids=[pair.other.instance_uid], actor=TESTER) == 1
        healthy(pair.broken, since=pair.now)
        pair.work(SOAK)
        assert pair.offered() == []
        member = member_of(pair.other)
        assert member.desired is not None
        assert member.desired.version == pair.story.one

    def test_after_the_end_one_that_holds_nobody_is_not_left_out(self) -> None:
        """It stays a failure: nothing would change but the numbers."""
        pair = Ended()
        Rollout.objects.update(zone_limit=0)
        with pytest.raises(NobodyLeftOut, match="for which others of their zone wait"):
            leave_out(rollout=pair.rollout, uids=[pair.broken.instance_uid], actor=TESTER)

    def test_it_is_known_who_waits_for_whom(self) -> None:
        running, ended = Pair(), Ended()
        for pair in (running, ended):
            [hold] = engine.zone_holds(pair.rollout, pair.now)
            assert (hold.zone, set(hold.broken)) == ("r1", {pair.broken.instance_uid})
            assert hold.waiting == {pair.other.instance_uid}
            healthy(pair.broken, since=pair.now)
            assert not engine.zone_holds(pair.rollout, pair.now + SOAK)

    def test_a_look_costs_as_many_statements_with_many_as_with_few(self) -> None:
        costs = []
        for count in (2, 12):
            staged = Staged(count, RACK, stages=PAIR, zone_key="rack", zone_limit=1)
            StoredTarget.objects.filter(state="waiting").exclude(
                pk__in=StoredTarget.objects.filter(state="waiting").order_by("-pk").values("pk")[:1]
            ).update(state="failed")
            with CaptureQueriesContext(connection) as queries:
                engine.advance(staged.rollout.pk, now=staged.now)
            costs.append(len(queries))
        assert costs[0] == costs[1]

    @pytest.mark.parametrize(("knobs", "most"), [({}, 2), ({"max_in_flight": 1}, 1)])
    def test_a_look_reads_no_more_of_those_that_wait_than_may_go_or_are_held_up(
        self, knobs: dict[str, int], most: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[int] = []

        def counted(waiting: Iterable[tuple[UUID, str]], *args: Any, **kwargs: Any) -> list[UUID]:
            known = list(waiting)
            read.append(len(known))
            return next_to_go(known, *args, **kwargs)

        monkeypatch.setattr(releasing, "next_to_go", counted)
        staged = Staged(12, RACK, stages=PAIR, zone_key="rack", zone_limit=2, **knobs)
        assert len(staged.offered()) == most
        staged.work()
        assert staged.offered() == []
        assert set(read) <= {1, 2}

    def test_who_has_no_zone_goes_with_the_first_of_those_that_have(self) -> None:
        staged = Staged(6, RACK, stages=PAIR, zone_key="rack", zone_limit=2, max_in_flight=4)
        first = staged.offered()
        assert len(first) == 2
        StoredTarget.objects.filter(rollout=staged.rollout, state="waiting").exclude(
            pk__in=StoredTarget.objects.filter(state="waiting").order_by("pk").values("pk")[:2]
        ).update(zone="")
        staged.work()
        names = StoredTarget.objects.filter(state="waiting").exclude(zone="")
        assert len(staged.offered()) == 2
        assert names.count() == 2
