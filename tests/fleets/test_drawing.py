"""Between the start of a rollout and a stage there may be hours: who is away then changes places with one who is there."""

import pytest

from agents.models import Agent
from fleets.models import Rollout, Target
from fleets.rollouts.selector import parse_selector
from fleets.rollouts.services import start_rollout
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan, Strategy
from tests.factories import TESTER
from tests.fleets.story import APPLIED, Story, disconnect, hash_of, target_of

pytestmark = pytest.mark.django_db

CANARY = StagePlan("Canary", Share(count=1))
OWN = StagePlan("Own", Share(selector=parse_selector("env=own")))
ALL = StagePlan("All", Share(percent=100))


class Away:
    """Of four collectors the first has the version already, the others are `own`; who is drawn first leaves."""

    def __init__(self, *stages: StagePlan, waits_for_offline: bool = False) -> None:
        self.story = story = Story(count=4)
        version = story.version()
        self.done, *self.others = story.agents
        story.answer(self.done, APPLIED, hash_of(version))
        Agent.objects.exclude(pk=self.done.instance_uid).update(labels={"env": "own"})
        strategy = Strategy(stages, waits_for_offline=waits_for_offline)
        self.rollout: Rollout = start_rollout(
            fleet=story.fleet, version=version, actor=TESTER, strategy=strategy
        )
        [self.drawn] = Target.objects.filter(rollout=self.rollout, stage__index=0)
        [away] = [one for one in self.others if one.instance_uid == self.drawn.agent_id]
        disconnect(away)
        story.work()
        self.drawn.refresh_from_db()

    def canary(self) -> Target:
        """Who is in the first stage now."""
        return Target.objects.get(rollout=self.rollout, stage__index=0)


def test_one_that_is_there_and_lacks_it_is_the_canary_in_its_place() -> None:
    away = Away(CANARY, ALL)
    assert (away.drawn.stage.index, away.drawn.state) == (1, "waiting")
    assert target_of(away.rollout, away.done).stage.index == 1
    assert list(away.story.claim(*away.others)) == [away.canary().agent_id]


def test_where_offline_ones_hold_up_their_stage_it_waits_for_them() -> None:
    away = Away(CANARY, ALL, waits_for_offline=True)
    assert away.canary() == away.drawn
    assert away.drawn.state == "pending_offline"


def test_a_stage_that_a_selector_fills_keeps_its_own() -> None:
    away = Away(CANARY, OWN, ALL)
    assert away.canary() == away.drawn
