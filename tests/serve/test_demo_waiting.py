"""The demo's waits: time leaps only to a stored deadline and while nobody owes an answer, and a wait says what it saw."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

import pytest

from fleets.models import Rollout
from fleets.rollouts.counts import Budget
from fleets.rollouts.services import start_rollout
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan, Strategy
from telflo.base import clock
from telflo.demo import waiting
from telflo.demo.habits import has_new_image
from telflo.demo.hosts import FEWEST, FLEETS, hosts_of
from telflo.demo.past import past
from telflo.demo.plans import SITE_BY_SITE
from tests.factories import TESTER
from tests.fleets.story import APPLIED, APPLYING, Story, hash_of

STRATEGY = Strategy(
    (
        StagePlan("First", Share(count=1), bake=timedelta(minutes=30)),
        StagePlan("Everybody", Share(percent=100), bake=timedelta(hours=12)),
    )
)


class Clock:
    """Remembers where it was told to leap."""

    def __init__(self) -> None:
        self.leaps: list[datetime] = []

    def leap_to(self, moment: datetime) -> None:
        self.leaps.append(moment)


class Begun:
    """A rollout in stages whose first target was let go."""

    def __init__(self) -> None:
        self.story = Story(count=3)
        version = self.story.version()
        self.hash = hash_of(version)
        self.rollout: Rollout = start_rollout(
            fleet=self.story.fleet, version=version, actor=TESTER, strategy=STRATEGY
        )
        self.story.work()

    def leaps(self, *, over: int = 2) -> list[datetime]:
        """Where a look leads."""
        told = Clock()
        waiting.leap(self.rollout, told, over=over)  # type: ignore[arg-type]  # a fake
        return told.leaps

    def take(self, *, applied: bool = True) -> None:
        """Who is offered it takes it."""
        uids = self.story.claim(*self.story.agents)
        for agent in self.story.agents:
            if agent.instance_uid in uids:
                self.story.answer(agent, APPLYING, self.hash)
                if applied:
                    self.story.answer(agent, APPLIED, self.hash)


@pytest.fixture
def begun(db: None) -> Begun:
    return Begun()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LOOK_S", 0)


def test_no_time_passes_before_who_was_let_go_is_offered_it(begun: Begun) -> None:
    assert begun.leaps() == []


def test_no_time_passes_while_an_answer_is_owed(begun: Begun) -> None:
    begun.take(applied=False)
    assert begun.leaps() == []


def test_a_soak_passes_to_its_end(begun: Begun) -> None:
    begun.take()
    soaking = begun.rollout.targets.exclude(soak_until=None).get()
    assert begun.leaps() == [soaking.soak_until]


def test_a_bake_passes_to_its_end_unless_the_story_stays_in_it(begun: Begun) -> None:
    begun.take()
    begun.rollout.targets.exclude(soak_until=None).update(state="succeeded")
    begun.story.work()
    assert begun.leaps(over=1) == [begun.rollout.stages.get(index=0).bake_until]
    assert begun.leaps(over=0) == []


def test_where_a_rollout_stands_is_one_line(begun: Begun) -> None:
    line = waiting.state_of(begun.rollout)
    assert line.startswith("running since ")
    assert "stage 1 running (1 waiting); stage 2 waiting (2 waiting)" in line
    begun.take(applied=False)
    assert "stage 1 running (1 applying)" in waiting.state_of(begun.rollout)
    assert waiting.state_of(begun.rollout).endswith("owed: 1 applying")


def test_a_wait_in_vain_says_what_it_saw() -> None:
    with pytest.raises(TimeoutError, match=r"in vain for rain.*it saw: a clear sky"):
        waiting.until(lambda: False, "rain", saw=lambda: "a clear sky", looks=3)


def test_a_wait_goes_on_for_as_long_as_anything_changes() -> None:
    seen = count()
    waiting.until(lambda: next(seen) > 50, "much", saw=lambda: str(next(seen)), looks=3)


def test_time_leaps_to_a_moment_but_not_back_and_not_into_the_future() -> None:
    with past(days=3) as there:
        two_days_ago = clock.now() + timedelta(days=1)
        there.leap_to(two_days_ago)
        assert timedelta() <= clock.now() - two_days_ago < timedelta(hours=1)
        there.leap_to(two_days_ago - timedelta(days=5))
        assert clock.now() >= two_days_ago
        there.leap_to(two_days_ago + timedelta(days=9))
        now_there = clock.now()
    assert now_there <= clock.now()


def sizes() -> Iterator[int]:
    """Of the edge fleet, from the smallest demo on."""
    return iter(range(round(FEWEST * FLEETS[0].share), 200))


def test_hosts_that_fail_are_within_the_budget_of_the_second_stage_in_any_size() -> None:
    europe = SITE_BY_SITE.stages[1]
    assert europe.budget == Budget(percent=25)
    for size in sizes():
        hosts = list(hosts_of(FLEETS[0], size, random.Random(7)))
        pilot, second = (stage.share.selector for stage in SITE_BY_SITE.stages[:2])
        assert pilot
        assert second
        picked = [
            one
            for one in hosts
            if second.selects(one.attributes) and not pilot.selects(one.attributes)
        ]
        failing = [one for one in picked if has_new_image(one)]
        assert failing, size
        assert not europe.budget.is_spent(len(failing), len(picked)), size
        assert not any(has_new_image(one) for one in hosts if pilot.selects(one.attributes))
