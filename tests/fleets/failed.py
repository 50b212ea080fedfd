"""A collector on which its fleet's version failed."""

from typing import Any
from uuid import UUID

from agents.models import Agent
from fleets.models import Attempt, AttemptState, Quarantine, Rollout, Stage, Target
from telflo.base import clock
from tests.factories import (
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)


def failed_collector(**how: Any) -> Agent:
    """It ran v1 well and failed v2, the version of its fleet."""
    first = make_version(configuration=make_configuration(name="edge"))
    second = make_version(configuration=first.configuration)
    fleet = make_fleet(name="eu", version=second)
    desired, previous = make_rendered(version=second), make_rendered(version=first)
    row = {
        "status": "failed",
        "config_status": "failed",
        "remote_config_status": 3,
        "remote_config_hash": desired.hash,
        **how,
    }
    agent = make_collector(name="web", fleet=fleet, desired=desired, previous=previous, **row)
    attempt = Attempt.objects.create(
        agent=agent,
        rendered=desired,
        hash=desired.hash,
        epoch=1,
        state=AttemptState.FAILED,
        error="unknown exporter: nope, password: hunter2hunter2",
        offered_at=clock.now(),
        deadline=clock.now(),
    )
    Quarantine.objects.create(agent=agent, hash=desired.hash, attempt=attempt, since=clock.now())
    return agent


def fail_in(rollout_id: UUID, agent: Agent) -> None:
    """The rollout is one of the version that failed on this collector, and that is a target of it."""
    desired = agent.membership.desired
    assert desired is not None
    Rollout.objects.filter(pk=rollout_id).update(version=desired.version)
    stage = Stage.objects.get(rollout_id=rollout_id)
    Target.objects.create(
        rollout_id=rollout_id, stage=stage, agent=agent, state="failed", state_since=clock.now()
    )
