"""The version before is assigned again after a cancel, in stages: who runs it still is not moved, and in nobody's way."""

from datetime import timedelta

import pytest

from agents.models import Agent
from configs.models import ConfigVersion
from fleets.models import Rollout
from fleets.rollouts.plan import Action
from fleets.rollouts.strategy import Strategy
from tests.fleets.outcomes import HALVES, act, reach, settle_all, wanted
from tests.fleets.story import APPLIED, Story, disconnect, hash_of, target_of

pytestmark = pytest.mark.django_db


class AllBack:
    """Of five collectors on version two, one of which gets it on its return and which ran version one before, version three reached one and was cancelled."""

    def __init__(self, **knobs: object) -> None:
        self.story = Story(count=4)
        Agent.objects.update(labels={"rack": "r1"})
        self.two: ConfigVersion = self.story.version()
        self.story.assign(self.two)
        away = self.story.join()
        disconnect(away)
        settle_all(self.story)
        three = self.story.assign(self.story.version(), strategy=HALVES)
        [moved] = self.story.claim(*self.story.agents)
        [self.moved] = [one for one in self.story.agents if one.instance_uid == moved]
        self.others = [one for one in self.story.agents if one is not self.moved]
        self.story.answer(self.moved, APPLIED, hash_of(three.version))
        act(self.story, three, Action.CANCEL)
        strategy = Strategy(HALVES.stages, soak=timedelta(), **knobs)  # type: ignore[arg-type]  # a test's
        self.rollout: Rollout = self.story.assign(self.two, strategy=strategy)
        assert target_of(self.rollout, self.moved).stage.index == 0


@pytest.mark.parametrize("action", [Action.PAUSE, Action.CANCEL, Action.ROLL_BACK])
def test_those_that_run_it_keep_it_whatever_becomes_of_the_rollout(action: Action) -> None:
    back = AllBack()
    act(back.story, back.rollout, action)
    for agent in back.others:
        assert wanted(agent) == back.two
    assert back.story.claim(*back.others) == {}


def test_those_that_run_it_are_not_reached_when_it_is_taken_back() -> None:
    back = AllBack()
    act(back.story, back.rollout, Action.ROLL_BACK)
    settle_all(back.story)
    back.rollout.refresh_from_db()
    assert back.rollout.state == "rolled_back"
    assert {target_of(back.rollout, agent).state for agent in back.others} == {"excluded"}


@pytest.mark.parametrize(
    "knobs", [{"max_in_flight": 1}, {"zone_key": "rack", "zone_limit": 1}], ids=str
)
def test_those_that_run_it_or_get_it_on_their_return_are_not_in_flight(
    knobs: dict[str, object],
) -> None:
    back = AllBack(**knobs)
    assert back.story.claim(back.moved) == {back.moved.instance_uid: hash_of(back.two)}
    back.story.answer(back.moved, APPLIED, hash_of(back.two))
    reach(back.story)
    back.story.work()
    back.rollout.refresh_from_db()
    assert back.rollout.state == "succeeded"
