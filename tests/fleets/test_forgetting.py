"""Ghosts go after a while, with a word in the activity log; whoever may come back stays."""

from datetime import timedelta
from typing import Any

import pytest

from agents.models import Agent
from fleets.forgetting import BRIDGE, forget_ghosts
from fleets.models import Target
from telflo.base import clock
from telflo.base.models import Activity, ActorKind
from tests.factories import make_collector
from tests.fleets.story import Story

pytestmark = pytest.mark.django_db

DESCRIBED = {"identifying": {"service.name": "otelcol"}, "collector_name": "otelcol"}


def ghost(days: float, *, connected: bool = False, **agent: Any) -> Agent:
    heard = clock.now() - timedelta(days=days)
    return make_collector(connected=connected, last_seen_at=heard, agent={**DESCRIBED, **agent})


def left() -> set[str]:
    return {str(agent) for agent in Agent.objects.all()}


def test_who_was_not_heard_for_90_days_is_forgotten_and_the_log_says_so() -> None:
    gone, stays = ghost(91), ghost(89)
    ghost(91, connected=True)
    assert forget_ghosts(clock.now()) == 1
    assert not Agent.objects.filter(pk=gone.pk).exists()
    assert Agent.objects.filter(pk=stays.pk).exists()
    entry = Activity.objects.get(action="agent.forget")
    assert (entry.actor_kind, entry.object_label) == (ActorKind.WORKER, str(gone))
    assert entry.reason.startswith("Not heard since 20")


@pytest.mark.parametrize(
    "passing", [{"identifying": {}, "collector_name": ""}, {"collector_name": BRIDGE}]
)
def test_those_that_never_return_go_after_a_week(passing: dict[str, Any]) -> None:
    ghost(6, **passing)
    ghost(8, **passing)
    ghost(8)
    assert forget_ghosts(clock.now()) == 1


def test_with_0_days_nobody_is_ever_forgotten(settings: Any) -> None:
    settings.FORGET_AFTER = timedelta()
    ghost(4000)
    assert forget_ghosts(clock.now()) == 0


def test_a_shorter_setting_holds_for_everybody(settings: Any) -> None:
    settings.FORGET_AFTER = timedelta(days=2)
    ghost(3)
    ghost(3, collector_name=BRIDGE)
    ghost(1)
    assert forget_ghosts(clock.now()) == 2


def test_only_so_many_go_at_a_time() -> None:
    for _ in range(5):
        ghost(100)
    assert [forget_ghosts(clock.now(), most=3) for _ in range(3)] == [3, 2, 0]


def test_a_rollout_keeps_the_name_of_its_target() -> None:
    story = Story()
    [agent] = story.agents
    story.assign(story.version())
    row = Agent.objects.get(pk=agent.instance_uid)
    row.status.connected = False
    row.status.last_seen_at = clock.now() - timedelta(days=100)
    row.status.save()
    assert forget_ghosts(clock.now()) == 1
    target = Target.objects.get()
    assert (target.agent_id, target.agent_label) == (None, str(row))
