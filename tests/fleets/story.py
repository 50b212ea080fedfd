"""A fleet with collectors that answer, for tests of rollouts: what gateways and supervisors do, in a few words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from agents import store
from agents.snapshot import AgentSnapshot, ConfigStatus, FactKind
from configs.models import ConfigVersion
from fleets import offers, reports
from fleets.models import Attempt, Fleet, Membership, Rollout, Target
from fleets.offer import Claim
from fleets.rendering import render_version
from fleets.rollouts.services import start_rollout
from fleets.tasks import sweep_rollouts
from telflo.base import clock
from tests.factories import (
    TESTER,
    enrol,
    hashes,
    make_answer,
    make_fleet,
    make_patch,
    make_token,
    make_version,
)

APPLYING, APPLIED, FAILED = ConfigStatus.APPLYING, ConfigStatus.APPLIED, ConfigStatus.FAILED


class Story:
    """One fleet on version one, with `count` collectors that run it well."""

    def __init__(self, count: int = 1) -> None:
        self.one = make_version()
        self.fleet: Fleet = make_fleet(version=self.one)
        self.token = make_token(fleet=self.fleet)
        self.agents = [self.join() for _ in range(count)]
        for agent in self.agents:
            self.settle(agent)

    def join(self) -> AgentSnapshot:
        """A newcomer, which has been offered nothing yet."""
        return enrol(token=self.token)

    def settle(self, agent: AgentSnapshot) -> None:
        """It takes what it is offered and runs it well."""
        offered = self.claim(agent)
        if agent.instance_uid in offered:
            self.answer(agent, APPLYING, offered[agent.instance_uid])
            self.answer(agent, APPLIED, offered[agent.instance_uid])

    def version(self) -> ConfigVersion:
        """Another published version."""
        return make_version()

    def assign(self, version: ConfigVersion, **how: Any) -> Rollout:
        """Give it to the fleet, and let the worker run. how: as start_rollout takes it."""
        rollout = start_rollout(fleet=self.fleet, version=version, actor=TESTER, **how)
        self.work()
        return rollout

    def work(self) -> None:
        """What the periodic sweep does; it finds whatever a hint would have told."""
        sweep_rollouts()

    def claim(self, *agents: AgentSnapshot, now: datetime | None = None) -> Mapping[UUID, str]:
        """What these agents are offered now."""
        epochs = {agent.instance_uid: agent.epoch for agent in agents}
        return hashes(offers.claim_offers(epochs, now=now or clock.now()))

    def give_back(self, agent: AgentSnapshot, claimed: Mapping[UUID, str]) -> None:
        """What this session of the agent claimed was not sent."""
        claims = {uid: Claim(agent.epoch, digest) for uid, digest in claimed.items()}
        offers.give_back_offers(claims, now=clock.now())

    def answer(
        self,
        agent: AgentSnapshot,
        status: ConfigStatus,
        digest: str,
        error: str = "",
        kind: FactKind = FactKind.REMOTE_CONFIG,
    ) -> None:
        """It acknowledges a hash."""
        reports.record_patches([make_answer(agent, (status, digest, error), kind=kind)])

    def tell_all(self, agent: AgentSnapshot, status: ConfigStatus, digest: str) -> None:
        """It sends its full state."""
        self.answer(agent, status, digest, kind=FactKind.FULL_STATE)

    def come_back(self, agent: AgentSnapshot, *, after: timedelta = timedelta()) -> AgentSnapshot:
        """Its next session."""
        return enrol(token=self.token, uid=agent.instance_uid, now=clock.now() + after)


def hash_of(version: ConfigVersion) -> str:
    """The hash under which a version is offered."""
    return render_version(version, now=clock.now()).hash


def target_of(rollout: Rollout, agent: AgentSnapshot) -> Target:
    """This agent in this rollout."""
    return Target.objects.get(rollout=rollout, agent_id=agent.instance_uid)


def member_of(agent: AgentSnapshot) -> Membership:
    """The membership as it is stored now."""
    members = Membership.objects.select_related("desired", "previous", "retry", "fleet")
    return members.get(agent_id=agent.instance_uid)


def attempts_of(agent: AgentSnapshot) -> list[str]:
    """The states of all attempts, oldest first."""
    found = Attempt.objects.filter(agent_id=agent.instance_uid).order_by("id")
    return list(found.values_list("state", flat=True))


def disconnect(agent: AgentSnapshot) -> None:
    """Its connection is over."""
    now = clock.now()
    store.apply([make_patch(agent, now=now, disconnected_at=now)])
