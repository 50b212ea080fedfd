"""What tests of rollouts ask of a story's collectors and fleet, and how they bring it to its end."""

from datetime import timedelta

from agents.models import AgentStatus
from agents.snapshot import AgentSnapshot
from configs.models import ConfigVersion
from fleets.models import Fleet, Rollout
from fleets.rollouts.plan import Action
from fleets.rollouts.services import act_on_rollout
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan, Strategy
from fleets.rollouts.whom import off_version
from tests.factories import TESTER
from tests.fleets.story import (
    Story,
    member_of,
)

HALVES = Strategy(
    (StagePlan("First", Share(count=1)), StagePlan("All", Share(percent=100))), soak=timedelta()
)


def wanted(agent: AgentSnapshot) -> ConfigVersion | None:
    """The version that it should run."""
    desired = member_of(agent).desired
    return desired.version if desired else None


def word(agent: AgentSnapshot) -> str:
    """Its status."""
    return AgentStatus.objects.get(agent_id=agent.instance_uid).config_status


def reach(story: Story) -> None:
    """All take what they are offered."""
    for agent in story.agents:
        story.settle(agent)


def settle_all(story: Story) -> None:
    """The same, and the worker looks."""
    reach(story)
    story.work()


def act(story: Story, rollout: Rollout, action: Action) -> None:
    act_on_rollout(rollout=rollout, action=action, actor=TESTER)
    story.work()
    rollout.refresh_from_db()


def fleet_of(story: Story) -> Fleet:
    story.fleet.refresh_from_db()
    return story.fleet


def off(story: Story) -> int:
    return off_version(fleet_of(story)).count()
