"""The collector that a page is about, with what every tab of it shows."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest

from agents.commands import Restart
from agents.models import Agent, Health, Status
from agents.snapshot import may_take_config
from agents.views.rows import build_name, tags_of
from agents.views.versions import AgentVersions, membership_of, versions_of
from agents.wording import TRANSPORTS, Situation, explain
from fleets.models import ArrivalMode, Membership
from fleets.rollouts.engine import holders_of
from telflo.base import clock
from telflo.base.access import Action, may


@dataclass(frozen=True, slots=True)
class Subject:
    """One collector, its membership and versions, and what the reader may do to it."""

    agent: Agent
    membership: Membership | None
    versions: AgentVersions
    may_operate: bool
    may_read_raw: bool

    @property
    def why(self) -> str:
        """Its status in words."""
        return explain(situation_of(self.agent, self.membership, self.versions))

    def context(self) -> dict[str, Any]:
        """What the page head and the dialogs need."""
        agent, status = self.agent, self.agent.status
        return {
            "agent": agent,
            "status": status,
            "membership": self.membership,
            "fleet": self.membership.fleet if self.membership else None,
            "versions": self.versions,
            "why": self.why,
            "build": build_name(agent.collector_name, agent.collector_version),
            "transport": TRANSPORTS.get(status.transport, ""),
            "tags": tags_of(agent.labels),
            "is_observed": self.membership is not None
            and self.membership.mode == ArrivalMode.OBSERVED,
            "accepts_restart": status.connected
            and Restart().is_accepted(agent.capabilities, agent.custom_capabilities),
            "is_unhealthy": status.health_now == Health.UNHEALTHY,
            "config_is_shown": status.config_status != status.status
            and status.config_status not in {"in_sync", "unmanaged"},
            "may_operate": self.may_operate,
            "may_read_raw": self.may_read_raw,
        }


def subject_of(request: HttpRequest, uid: UUID) -> Subject:
    """The collector with this uid, in two queries. Raises Http404."""
    agent = (
        Agent.objects.select_related(
            "status", "components", "connection", "membership__fleet", "membership__token"
        )
        .defer("status__health_report", "components__tree")
        .filter(pk=uid)
        .first()
    )
    if agent is None:
        raise Http404(f"No collector has the id {uid}. It may have been forgotten.")
    return Subject(
        agent=agent,
        membership=membership_of(agent),
        versions=versions_of([agent])[agent.pk],
        may_operate=may(request.user, Action.OPERATE),
        may_read_raw=may(request.user, Action.READ_RAW),
    )


def _holders(agent: Agent) -> list[str]:
    """Asked for those alone that could be offered something now."""
    is_due = agent.status.status == agent.status.config_status == Status.PENDING
    return list(holders_of(agent.pk, clock.now()).values()) if is_due else []


def situation_of(agent: Agent, membership: Membership | None, versions: AgentVersions) -> Situation:
    """What the status sentence depends on."""
    status = agent.status
    return Situation(
        status=status.status,
        config_status=status.config_status,
        fleet=membership.fleet.name if membership else "",
        is_observed=membership is not None and membership.mode == ArrivalMode.OBSERVED,
        accepts_config=may_take_config(agent.capabilities),
        desired=str(versions.desired or "The intended version"),
        applied=str(versions.applied or ""),
        transport=status.transport,
        interval_s=status.interval_s,
        waits_for=_holders(agent),
    )
