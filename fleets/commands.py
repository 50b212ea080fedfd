"""What people tell collectors: restart, or a custom message. Access is checked by the caller."""

import base64
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction

from agents import notify, store
from agents.commands import Command, Message, Restart
from agents.models import Agent, AgentCommand, CommandKind
from agents.services import Outcome
from agents.store import NewEvent
from fleets.models import Membership
from telflo.base import activity, clock
from telflo.base.activity import Actor
from telflo.base.errors import Conflict, DomainError
from telflo.base.hints import touch_on_commit

DELIVER_WITHIN: Final = timedelta(minutes=5)
"""A command that did not go out by then is dropped: nobody wants a restart hours later."""
LONGEST_TYPE: Final = 200
MOST_BYTES: Final = 64 * 1024


def restart_agent(*, agent: Agent, actor: Actor, reason: str = "") -> AgentCommand:
    """Have the collector stopped and started. Raises Conflict where that cannot be delivered, or waits already."""
    _check_possible(
        agent,
        Restart(),
        f"{agent} does not accept restarts. Its supervisor needs accepts_restart_command: true.",
    )
    with transaction.atomic():
        store.lock([agent.pk])
        now = clock.now()
        waiting = AgentCommand.objects.filter(
            agent=agent, kind=CommandKind.RESTART, sent_at=None, expires_at__gt=now
        )
        if waiting.exists():
            raise Conflict(f"A restart of {agent} waits for its delivery already.")
        command = AgentCommand(agent=agent, kind=CommandKind.RESTART)
        fleet_id = _keep(command, actor)
        activity.record(
            actor=actor, action="agent.restart", obj=agent, fleet_id=fleet_id, reason=reason
        )
    return command


def restart_agents(*, uids: Collection[UUID], actor: Actor, reason: str = "") -> Outcome:
    """The same for several; those that cannot be told are left out."""
    refused = []
    agents = Agent.objects.filter(pk__in=uids).select_related("status")
    for agent in agents.defer("status__health_report"):
        try:
            restart_agent(agent=agent, actor=actor, reason=reason)
        except DomainError as error:
            refused.append(error.message)
    return Outcome(len(uids) - len(refused), refused)


def send_message(
    *, agent: Agent, capability: str, kind: str, data: bytes, actor: Actor
) -> AgentCommand:
    """Send a custom message for a capability that the collector announced. Raises DomainError."""
    if len(kind) > LONGEST_TYPE:
        raise DomainError(f"A type has at most {LONGEST_TYPE} characters.", field="type")
    if len(data) > MOST_BYTES:
        raise DomainError(f"A message has at most {MOST_BYTES} bytes.", field="data")
    _check_possible(
        agent,
        Message(capability, kind, data),
        f"{agent} did not announce the custom capability {capability[:100]!r}.",
    )
    command = AgentCommand(
        agent=agent,
        kind=CommandKind.MESSAGE,
        capability=capability,
        type=kind,
        body=base64.b64encode(data).decode(),
    )
    with transaction.atomic():
        fleet_id = _keep(command, actor)
        activity.record(
            actor=actor,
            action="agent.message",
            obj=agent,
            fleet_id=fleet_id,
            after={"capability": capability, "type": kind},
        )
    return command


def _check_possible(agent: Agent, command: Command, not_accepted: str) -> None:
    if not command.is_accepted(agent.capabilities, agent.custom_capabilities):
        raise Conflict(not_accepted, code="not_accepted")
    if not agent.status.connected:
        raise Conflict(
            f"{agent} is not connected. It can be told when it is back.", code="not_connected"
        )


def _keep(command: AgentCommand, actor: Actor) -> UUID | None:
    """Keep the command for whichever process has the agent, and tell them all to look. Answers the agent's fleet."""
    agent, now = command.agent, clock.now()
    command.requested_by = actor.label[:200]
    command.requested_at, command.expires_at = now, now + DELIVER_WITHIN
    command.save(force_insert=True)
    about = {"capability": command.capability, "type": command.type} if command.capability else {}
    event = NewEvent(agent.pk, now, f"{command.kind}_asked", {"by": actor.label, **about})
    store.add_events([event])
    transaction.on_commit(partial(notify.poke, [agent.pk]), robust=True)
    touch_on_commit([f"agent:{agent.pk}"])
    return Membership.objects.filter(agent=agent).values_list("fleet_id", flat=True).first()
