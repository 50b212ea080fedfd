"""Commands to agents: claimed once by the process that delivers them, or never delivered."""

import base64
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from agents.commands import Command, Message, Restart
from agents.models import AgentCommand, CommandKind
from agents.store.events import NewEvent, add_events
from agents.store.loaded import StatusRow
from agents.store.rows import Edit, lock_whole, touch, write


def claim_commands(agents: Mapping[UUID, int], *, now: datetime) -> dict[UUID, Command]:
    """What each of these agents (uid to session epoch) is to be told next. One query when there is nothing.

    What is answered counts as sent: it is delivered once, or lost with its connection. What an agent does not take, or
    what belongs to a newer session, waits until it expires.
    """
    waiting = _pending(now).values_list("pk", "agent_id")
    mine = {pk: uid for pk, uid in waiting if uid in agents}
    if not mine:
        return {}
    with transaction.atomic():
        rows = lock_whole(set(mine.values()))
        due: dict[UUID, AgentCommand] = {}
        for command in _pending(now).filter(pk__in=mine):
            uid = command.agent_id
            if uid not in due and _may_go(command, rows.get(uid), agents[uid]):
                due[uid] = command
        _mark_sent(due.values(), rows, now)
    return {uid: value_of(command) for uid, command in due.items()}


def expire_commands(now: datetime) -> int:
    """End what was not delivered in time; the timelines say so. Answers how many."""
    late = AgentCommand.objects.filter(sent_at=None, expired_at=None, expires_at__lte=now)
    if not late.exists():
        return 0
    with transaction.atomic():
        ended = list(late.select_for_update(skip_locked=True).defer("body")[:1_000])
        ids = [command.pk for command in ended]
        AgentCommand.objects.filter(pk__in=ids).update(expired_at=now)
        _tell("expired", ended, now)
    return len(ended)


def value_of(command: AgentCommand) -> Command:
    """The row as a value."""
    if command.kind == CommandKind.RESTART:
        return Restart()
    return Message(command.capability, command.type, base64.b64decode(command.body))


def _pending(now: datetime) -> QuerySet[AgentCommand]:
    waiting = AgentCommand.objects.filter(sent_at=None, expired_at=None, expires_at__gt=now)
    return waiting.order_by("id")


def _may_go(command: AgentCommand, row: StatusRow | None, epoch: int) -> bool:
    if row is None or row.session_epoch != epoch:
        return False
    agent = row.agent
    return value_of(command).is_accepted(agent.capabilities, agent.custom_capabilities)


def _mark_sent(
    due: Collection[AgentCommand], rows: Mapping[UUID, StatusRow], now: datetime
) -> None:
    for command in due:
        command.sent_at, command.epoch = now, rows[command.agent_id].session_epoch
    AgentCommand.objects.bulk_update(due, ["sent_at", "epoch"])
    edits = [Edit(rows[one.agent_id]) for one in due if one.kind == CommandKind.RESTART]
    for edit in edits:
        edit.put(restarted_at=now)
    write(edits)
    touch(edits)
    _tell("sent", due, now)


def _tell(what: str, commands: Iterable[AgentCommand], now: datetime) -> None:
    add_events(
        NewEvent(
            command.agent_id,
            now,
            f"{command.kind}_{what}",
            {"capability": command.capability, "type": command.type} if command.capability else {},
        )
        for command in commands
    )
