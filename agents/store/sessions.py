"""Agents come in: registered once, and each new session fences out the one before (I3)."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from agents.errors import AgentUnknown
from agents.models import Agent, AgentStatus
from agents.naming import display_name
from agents.snapshot import (
    AgentSnapshot,
    ConfigStatus,
    ConnectionReport,
    FactKind,
    RemoteConfigReport,
    Transport,
)
from agents.store.events import NewEvent, add_events
from agents.store.rows import Edit, touch
from agents.store.values import health_from_json

FENCED_EPOCH: Final = -1
"""The epoch of a session that may not write: plain HTTP beside a live WebSocket of the same uid."""


def register(*, instance_uid: UUID, now: datetime) -> None:
    """Make the agent and its status row, unless they are there."""
    agent = Agent(
        instance_uid=instance_uid, display_name=display_name(uid=instance_uid), first_seen_at=now
    )
    Agent.objects.bulk_create([agent], ignore_conflicts=True)
    status = AgentStatus(agent_id=instance_uid, status_since=now)
    AgentStatus.objects.bulk_create([status], ignore_conflicts=True)


def open_session(
    *, instance_uid: UUID, transport: Transport, remote_address: str, now: datetime
) -> AgentSnapshot:
    """Begin a session: raise the epoch and answer what is known. Raises AgentUnknown.

    Plain HTTP beside a live WebSocket gets FENCED_EPOCH: it is answered, but nothing it says is written as state.
    """
    with transaction.atomic():
        row = _lock_whole(instance_uid)
        if transport is Transport.HTTP and row.connected and row.transport == Transport.WEBSOCKET:
            return _snapshot(row, transport, epoch=FENCED_EPOCH, is_new=False)
        seen_at = row.last_seen_at
        _open(row, transport, remote_address, now)
        known = _snapshot(row, transport, epoch=row.session_epoch, is_new=seen_at is None)
        return replace(known, seen_at=seen_at)


def _lock_whole(instance_uid: UUID) -> AgentStatus:
    rows = AgentStatus.objects.select_for_update(of=("self",), no_key=True).select_related("agent")
    row = rows.filter(agent_id=instance_uid).first()
    if row is None:
        raise AgentUnknown(instance_uid)
    return row


def _open(row: AgentStatus, transport: Transport, remote_address: str, now: datetime) -> None:
    was_away = not row.connected
    edit = Edit(row)
    edit.put(
        session_epoch=row.session_epoch + 1,
        connected=True,
        transport=transport.value,
        remote_address=remote_address[:64],
        disconnected_at=None,
    )
    if was_away or transport is Transport.WEBSOCKET:
        data = {"transport": transport.value, "address": remote_address[:64]}
        add_events([NewEvent(row.agent_id, now, FactKind.CONNECTED, data)])
        edit.put(connected_at=now)
    edit.put(last_seen_at=now)
    edit.derive(now)
    row.save(update_fields=sorted(name.removesuffix("_id") for name in edit.columns))
    if was_away or transport is Transport.WEBSOCKET:
        touch([edit])


def _snapshot(row: AgentStatus, transport: Transport, *, epoch: int, is_new: bool) -> AgentSnapshot:
    status = ConfigStatus(row.remote_config_status)
    has_report = bool(status or row.remote_config_hash)
    return AgentSnapshot(
        instance_uid=row.agent_id,
        epoch=epoch,
        sequence_num=row.sequence_num,
        capabilities=row.agent.capabilities,
        is_new=is_new,
        remote_config=RemoteConfigReport(status, row.remote_config_hash, row.remote_config_error)
        if has_report
        else None,
        connection=_connection(row),
        effective_sha256=row.effective_config_id or "",
        components_hash=row.components_hash,
        lacks_components=bool(row.components_hash)
        and row.agent.components_id != row.components_hash,
        health=health_from_json(row.health_tree) if row.health_tree else None,
        transport=transport,
        full_state_at=row.full_state_at,
    )


def _connection(row: AgentStatus) -> ConnectionReport | None:
    if not (row.connection_status or row.connection_hash):
        return None
    status = ConfigStatus(row.connection_status)
    return ConnectionReport(status, row.connection_hash, row.connection_error)
