"""Agents come in: registered once, and each new session fences out the one before (I3)."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.errors import AgentUnknown
from agents.models import Agent, AgentStatus
from agents.naming import display_name
from agents.snapshot import AgentSnapshot, ConfigStatus, FactKind, RemoteConfigReport, Transport
from agents.store.events import NewEvent, add_events
from agents.store.rows import FENCED_EPOCH, Edit, touch, write
from agents.store.values import health_from_json
from agents.trails import Trails


def register(*, instance_uid: UUID, now: datetime) -> None:
    """Make the agent and its status row, unless they are there."""
    agent = Agent(
        instance_uid=instance_uid, display_name=display_name(uid=instance_uid), first_seen_at=now
    )
    Agent.objects.bulk_create([agent], ignore_conflicts=True)
    status = AgentStatus(agent_id=instance_uid, status_since=now)
    AgentStatus.objects.bulk_create([status], ignore_conflicts=True)


def open_session(
    *,
    instance_uid: UUID,
    transport: Transport,
    remote_address: str,
    now: datetime,
    number: int | None = None,
) -> AgentSnapshot:
    """Begin a session: raise the epoch and answer what is known. Raises AgentUnknown.

    Plain HTTP beside a live WebSocket gets FENCED_EPOCH: it is answered, but nothing it says is written as state.
    number: the sequence number of the message that it begins with, over plain HTTP, where it may show a clone (A2).
    """
    with transaction.atomic():
        row = _lock_whole(instance_uid)
        is_beside = (
            transport is Transport.HTTP and row.connected and row.transport == Transport.WEBSOCKET
        )
        trails = Trails()
        if is_beside:
            trails = Trails.from_json(row.trails).beside(row.last_seen_at, now)
        elif number is not None:
            trails = Trails.from_json(row.trails).follow(number, remote_address[:64], now)
        is_clone = trails.are_several_agents
        edit = Edit(row)
        edit.put(trails=(trails.without_the_last() if is_clone else trails).as_json())
        if is_beside:
            write([edit])
            known = _snapshot(row, transport, epoch=FENCED_EPOCH, is_new=False)
            return replace(known, is_clone=is_clone)
        seen_at = row.last_seen_at
        _open(edit, transport, remote_address, now)
        known = _snapshot(row, transport, epoch=row.session_epoch, is_new=seen_at is None)
        return replace(known, seen_at=seen_at, is_clone=is_clone)


def sessions_of(uids: Collection[UUID]) -> dict[UUID, tuple[int, bool]]:
    """The newest session of each of these agents, whichever process has it: its epoch, and whether it is connected."""
    rows = AgentStatus.objects.filter(agent_id__in=uids)
    return {
        uid: (epoch, connected)
        for uid, epoch, connected in rows.values_list("agent_id", "session_epoch", "connected")
    }


def _lock_whole(instance_uid: UUID) -> AgentStatus:
    rows = AgentStatus.objects.select_for_update(of=("self",), no_key=True).select_related("agent")
    row = rows.filter(agent_id=instance_uid).first()
    if row is None:
        raise AgentUnknown(instance_uid)
    return row


def _open(edit: Edit, transport: Transport, remote_address: str, now: datetime) -> None:
    row = edit.row
    was_away = not row.connected
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
        effective_sha256=row.effective_config_id or "",
        components_hash=row.components_hash,
        lacks_components=bool(row.components_hash)
        and row.agent.components_id != row.components_hash,
        health=health_from_json(row.health_tree) if row.health_tree else None,
        transport=transport,
        full_state_at=row.full_state_at,
        custom_capabilities=tuple(row.agent.custom_capabilities),
    )
