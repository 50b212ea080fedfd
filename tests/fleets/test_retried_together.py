"""Those that are tried again together are held to the limits of the rollout as well: a pair never restarts at once."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from agents.snapshot import AgentSnapshot
from fleets.models import Rollout
from fleets.rollouts import engine
from fleets.rollouts.counts import Budget
from fleets.rollouts.plan import Action
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan
from fleets.rollouts.windows import DAYS
from tests.fleets.story import APPLIED, APPLYING, FAILED, disconnect, hash_of, member_of
from tests.fleets.test_stages import SOAK, Staged, healthy

pytestmark = pytest.mark.django_db

STAGES = (
    StagePlan("Pair", Share(count=2), bake=timedelta(days=1), budget=Budget(percent=100)),
    StagePlan("Others", Share(percent=100)),
)
PAIR: Mapping[str, object] = {"zone_key": "rack", "zone_limit": 1}
ONE: Mapping[str, object] = {"max_in_flight": 1}
LIMITS = pytest.mark.parametrize("limit", [PAIR, ONE], ids=["zone", "in flight"])


class Together(Staged):
    """Two of one rack on which the version failed, one after the other; both are well again, on what they had."""

    def __init__(self, limit: Mapping[str, object], *, went_back: bool = True) -> None:
        super().__init__(2, {"rack": "r1"}, stages=STAGES, **limit)
        self.before = hash_of(self.story.one)
        healthy(*self.story.agents)
        for _ in self.story.agents:
            [agent] = self.offered()
            self.story.answer(agent, APPLYING, self.hash)
            self.story.answer(agent, FAILED, self.hash, "no such exporter")
            if went_back:
                self.story.answer(agent, APPLIED, self.before)
            healthy(agent, since=self.now)
            self.work(SOAK + timedelta(minutes=1))
        assert self.states() == ["failed", "failed"]
        assert self.rollout.state == "baking"

    def retry(self) -> None:
        """A person, both of them."""
        uids = [agent.instance_uid for agent in self.story.agents]
        assert not engine.retry_many(uids, now=self.now, of=self.rollout).refused
        self.work()

    def take(self, digest: str) -> AgentSnapshot:
        """Who is offered it, alone, takes it; the other waits meanwhile."""
        [agent] = self.offered()
        assert member_of(agent).desired.hash == digest  # type: ignore[union-attr]  # it is offered it
        assert self.offered() == []
        self.story.answer(agent, APPLYING, digest)
        assert self.offered() == []
        self.story.answer(agent, APPLIED, digest)
        return agent


@LIMITS
def test_who_went_back_by_itself_is_offered_it_once_the_other_is_judged(
    limit: Mapping[str, object],
) -> None:
    both = Together(limit)
    both.retry()
    first = both.take(both.hash)
    assert both.offered() == []
    both.work(SOAK + timedelta(minutes=1))
    assert both.states() == ["succeeded", "waiting"]
    assert both.take(both.hash) is not first


@LIMITS
def test_the_way_by_the_version_before_is_held_to_them_too(limit: Mapping[str, object]) -> None:
    both = Together(limit, went_back=False)
    both.retry()
    first = both.take(both.before)
    assert both.take(both.hash) is first
    assert both.offered() == []
    both.work(SOAK + timedelta(minutes=1))
    assert both.states() == ["succeeded", "waiting"]
    assert both.take(both.before) is not first


@LIMITS
@pytest.mark.parametrize("ends", [Action.SKIP_BAKE, Action.CANCEL])
def test_also_once_the_rollout_is_over(limit: Mapping[str, object], ends: Action) -> None:
    both = Together(limit)
    both.act(ends)
    assert both.rollout.state in ("succeeded", "cancelled")
    both.retry()
    both.take(both.hash)
    assert both.offered() == []


@LIMITS
def test_also_those_that_were_offline_then(limit: Mapping[str, object]) -> None:
    both = Together(limit)
    for agent in both.story.agents:
        disconnect(agent)
    both.retry()
    assert both.states() == ["pending_offline", "pending_offline"]
    both.story.agents = [both.story.come_back(one) for one in both.story.agents]
    both.take(both.hash)
    assert both.offered() == []


def test_what_a_person_wants_now_does_not_wait_for_the_change_window() -> None:
    both = Together(PAIR)
    tomorrow = DAYS[(both.now.weekday() + 1) % 7]
    window = {"window_days": tomorrow, "window_hours": "12:00-13:00", "window_zone": "UTC"}
    Rollout.objects.filter(pk=both.rollout.pk).update(**window)
    both.retry()
    both.take(both.hash)


def test_who_is_down_goes_first_and_the_other_stays_up_meanwhile() -> None:
    both = Together(PAIR, went_back=False)
    down = both.story.agents[1]
    healthy(down, word="unhealthy")
    both.retry()
    assert both.take(both.before) is down
    assert both.take(both.hash) is down
    assert both.offered() == []


def test_one_that_is_down_holds_the_other_and_the_rollout_says_so() -> None:
    both = Together(PAIR)
    well, down = both.story.agents
    healthy(down, word="unhealthy")
    engine.retry(well.instance_uid, now=both.now)
    both.work()
    assert both.offered() == []
    [hold] = engine.zone_holds(both.rollout, both.now)
    assert (set(hold.broken), set(hold.waiting)) == ({down.instance_uid}, {well.instance_uid})
    assert "wait for a collector of their zone" in both.rollout.state_reason
    healthy(down, since=both.now)
    both.work(SOAK)
    assert both.offered() == [well]
