"""A collector whose offer never arrives, in two ways: it was not sent, or not received."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from agents.models import Agent
from fleets.models import Rollout
from fleets.rollouts import engine
from fleets.rollouts.plan import Action
from fleets.rollouts.selector import parse_selector
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan, Strategy
from telflo.base import clock
from tests.fleets.outcomes import act
from tests.fleets.story import (
    APPLIED,
    Story,
    disconnect,
    hash_of,
    target_of,
)

OTHER_FIRST = Strategy(
    (
        StagePlan("First", Share(selector=parse_selector("goes=first"))),
        StagePlan("All", Share(percent=100)),
    ),
    soak=timedelta(),
)


Lose = Callable[["Lost"], None]


class Lost:
    """Version two goes to two collectors at once; the first was offered it and has not answered."""

    def __init__(self) -> None:
        self.story = Story(count=2)
        self.agent, self.other = self.story.agents
        Agent.objects.filter(pk=self.other.instance_uid).update(labels={"goes": "first"})
        self.rollout = self.story.assign(self.story.version())
        assert self.is_offered(self.rollout)

    def is_offered(self, rollout: Rollout) -> bool:
        """Whether it is offered this rollout's version now."""
        uid = self.agent.instance_uid
        return self.story.claim(self.agent).get(uid) == hash_of(rollout.version)

    def is_offered_nothing(self) -> bool:
        """Whatever it is asked for, and whatever the worker looks at."""
        before = self.story.claim(self.agent)
        self.story.work()
        return not before and not self.story.claim(self.agent)

    def not_sent(self) -> None:
        """The process that claimed it gives it back."""
        uid = self.agent.instance_uid
        self.story.give_back(self.agent, {uid: hash_of(self.rollout.version)})

    def not_received(self) -> None:
        """The agent comes back and names another configuration."""
        self.return_()
        self.story.tell_all(self.agent, APPLIED, hash_of(self.story.one))

    def return_(self) -> None:
        """Its next session."""
        self.agent = self.story.come_back(self.agent)
        self.story.agents[0] = self.agent

    def leave(self) -> None:
        """It goes behind the offer, for longer than the apply timeout."""
        disconnect(self.agent)
        engine.expire(clock.now() + timedelta(hours=1))
        self.story.work()
        assert self.target == "failed"

    @property
    def target(self) -> str:
        """Where it stands in the rollout whose offer was lost."""
        return target_of(self.rollout, self.agent).state

    def act(self, action: Action) -> None:
        act(self.story, self.rollout, action)


either_way = pytest.mark.parametrize("lose", [Lost.not_sent, Lost.not_received])
