"""What people tell collectors: restart, or a custom message. Access is checked by the caller."""

import base64
from collections.abc import Collection, Sequence
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
from fleets.many import only_one
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
    with transaction.atomic():
        store.lock([agent.pk])
        _check_restart(agent, _waiting([agent.pk]))
        command = AgentCommand(agent=agent, kind=CommandKind.RESTART)
        _keep([command], actor)
        activity.record(
            actor=actor,
            action="agent.restart",
            obj=agent,
            fleet_id=_fleets([agent.pk]).get(agent.pk),
            reason=reason,
        )
    return command


def restart_agents(*, uids: Collection[UUID], actor: Actor, reason: str = "") -> Outcome:
    """The same for several, in a fixed number of statements; those that cannot be told are left out."""
    with transaction.atomic():
        store.lock(list(uids))
        waiting, told, refused = _waiting(uids), [], []
        agents = Agent.objects.filter(pk__in=uids).select_related("status")
        for agent in agents.defer("status__health_report"):
            try:
                _check_restart(agent, waiting)
            except DomainError as error:
                refused.append(error.message)
            else:
                told.append(agent)
        if told:
            _keep([AgentCommand(agent=one, kind=CommandKind.RESTART) for one in told], actor)
            labels = {one.pk: str(one) for one in told}
            activity.record_many(
                actor=actor,
                action="agent.restart",
                kind="agent",
                labels=labels,
                noun="collector",
                fleet_id=only_one(set(_fleets(labels).values())),
                reason=reason,
            )
    return Outcome(len(told), refused)


def _check_restart(agent: Agent, waiting: Collection[UUID]) -> None:
    """Raises Conflict. waiting: for whom one waits already."""
    _check_possible(
        agent,
        Restart(),
        f"{agent} does not accept restarts. Its supervisor needs accepts_restart_command: true.",
    )
    if agent.pk in waiting:
        raise Conflict(f"A restart of {agent} waits for its delivery already.")


def _waiting(uids: Collection[UUID]) -> set[UUID]:
    """Those of these for whom a restart waits for its delivery. Their status rows are locked."""
    commands = AgentCommand.objects.filter(
        agent_id__in=uids, kind=CommandKind.RESTART, sent_at=None, expires_at__gt=clock.now()
    )
    return set(commands.values_list("agent_id", flat=True))


def _fleets(uids: Collection[UUID]) -> dict[UUID, UUID]:
    members = Membership.objects.filter(agent_id__in=uids)
    return dict(members.values_list("agent_id", "fleet_id"))


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
        _keep([command], actor)
        activity.record(
            actor=actor,
            action="agent.message",
            obj=agent,
            fleet_id=_fleets([agent.pk]).get(agent.pk),
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


def _keep(commands: Sequence[AgentCommand], actor: Actor) -> None:
    """Keep the commands for whichever processes have the agents, and tell them all to look."""
    now = clock.now()
    for command in commands:
        command.requested_by = actor.label[:200]
        command.requested_at, command.expires_at = now, now + DELIVER_WITHIN
    AgentCommand.objects.bulk_create(commands, batch_size=1_000)
    store.add_events(
        NewEvent(one.agent_id, now, f"{one.kind}_asked", {"by": actor.label, **_about(one)})
        for one in commands
    )
    uids = [command.agent_id for command in commands]
    transaction.on_commit(partial(notify.poke, uids), robust=True)
    touch_on_commit([f"agent:{uid}" for uid in uids])


def _about(command: AgentCommand) -> dict[str, str]:
    if not command.capability:
        return {}
    return {"capability": command.capability, "type": command.type}
