"""Agents come in: registered once, and each new session fences out the one before (I3)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.models import Agent, AgentStatus, Health
from agents.naming import display_name
from agents.snapshot import (
    AgentSnapshot,
    ComponentHealth,
    ConfigStatus,
    ConnectionReport,
    FactKind,
    RemoteConfigReport,
    Transport,
)
from agents.status import StatusFacts, derive
from agents.store.dialects import insert_rows
from agents.store.events import NewEvent, add_events
from agents.store.loaded import StatusRow
from agents.store.rows import FENCED_EPOCH, Edit, lock_whole, touch, write
from agents.trails import Trails
from telflo.base.alike import JoinedIds, ids_in


@dataclass(frozen=True, slots=True)
class Arrival:
    """An agent that begins a session, and how it came.

    number: the sequence number of the message that it begins with, over plain HTTP, where it may show a clone (A2) ·
    has_left: whether its connection ended meanwhile, asked while its row is locked.
    """

    instance_uid: UUID
    transport: Transport
    remote_address: str
    number: int | None = None
    has_left: Callable[[], bool] = bool


def register(
    uids: Collection[UUID], *, now: datetime, desired: Mapping[UUID, str] | None = None
) -> None:
    """Make these agents and their status rows, unless they are there. Two statements.

    desired: what is wanted of those that are managed, a hash or "": what set_intent would write is written at once.
    """
    wanted = desired or {}
    insert_rows(
        Agent,
        columns=("instance_uid", "display_name"),
        rows=[(uid, display_name(uid=uid)) for uid in uids],
        others=Agent(first_seen_at=now),
        ignore_conflicts=True,
    )
    words = {one: _words_at_first(one, now) for one in {None, *wanted.values()}}
    insert_rows(
        AgentStatus,
        columns=("agent_id", "is_managed", "desired_hash", "status", "config_status"),
        rows=[(uid, uid in wanted, wanted.get(uid, ""), *words[wanted.get(uid)]) for uid in uids],
        others=AgentStatus(status_since=now),
        ignore_conflicts=True,
    )


def _words_at_first(desired: str | None, now: datetime) -> tuple[str, str]:
    """The words for an agent that has said nothing yet; desired is None for one that is not managed."""
    facts = StatusFacts(
        connected=False,
        last_seen_at=None,
        capabilities=0,
        is_managed=desired is not None,
        desired_hash=desired or "",
        attempt_failed=False,
        remote_config_status=ConfigStatus.UNSET,
        remote_config_hash="",
    )
    derived = derive(facts, now)
    return derived.status.value, derived.config_status.value


def open_sessions(arrivals: Collection[Arrival], *, now: datetime) -> dict[UUID, AgentSnapshot]:
    """Begin a session for each: raise the epochs and answer what is known. A fixed number of statements.

    Each uid comes once; absent from the answer are unknown ones, and those that left while they were let wait: by now
    they may be on another connection, whose session they would fence out. Plain HTTP beside a live WebSocket
    gets FENCED_EPOCH: it is answered, but nothing it says is written as state.
    """
    with transaction.atomic(savepoint=False):
        uids = [arrival.instance_uid for arrival in arrivals]
        rows = lock_whole(uids, "trails")
        opened = [
            _Opening(arrival, rows[arrival.instance_uid], now)
            for arrival in arrivals
            if arrival.instance_uid in rows
            and not _is_too_late(arrival, rows[arrival.instance_uid])
        ]
        edits = [opening.edit for opening in opened]
        write(edits)
        add_events([event for opening in opened for event in opening.events])
        touch([opening.edit for opening in opened if opening.events])
        return {opening.snapshot.instance_uid: opening.snapshot for opening in opened}


def _is_too_late(arrival: Arrival, row: StatusRow) -> bool:
    """A newcomer has no other session; that it came, and went, is to be seen. Over plain HTTP clients may hang up
    behind the last that they say: it is news. What is none was posted anew, and a session of it could only do harm.
    """
    if not row.session_epoch or not arrival.has_left():
        return False
    last = row.sequence_num if row.sequence_num is not None else row.doubtful_num
    return arrival.number is None or (last is not None and arrival.number <= last)


def sessions_of(uids: Collection[UUID] | None = None) -> dict[UUID, tuple[int, bool]]:
    """The newest session of each of these agents, or of all, whichever process has it: its epoch, and whether it is
    connected. Those that say the same are one row.
    """
    rows = AgentStatus.objects.all() if uids is None else AgentStatus.objects.filter(agent__in=uids)
    alike = rows.order_by().values_list("session_epoch", "connected")
    found: dict[UUID, tuple[int, bool]] = {}
    for epoch, connected, joined in alike.annotate(uids=JoinedIds("agent_id")):
        found.update(dict.fromkeys(ids_in(joined), (epoch, connected)))
    return found


class _Opening:
    """One session that begins: what changes in its row, what the timeline gets, what is known of the agent."""

    __slots__ = ("_arrival", "_now", "edit", "events", "snapshot")

    def __init__(self, arrival: Arrival, row: StatusRow, now: datetime) -> None:
        self._arrival, self._now = arrival, now
        self.edit = Edit(row)
        self.events: list[NewEvent] = []
        is_poll = arrival.transport is Transport.HTTP
        is_beside = is_poll and _has_open_websocket(row)
        is_clone = self._follow_trail(row, is_beside=is_beside)
        known = self._fence(row) if is_beside else self._open(row)
        self.snapshot = replace(known, is_clone=True) if is_clone else known

    def _fence(self, row: StatusRow) -> AgentSnapshot:
        return _snapshot(row, Transport.HTTP, FENCED_EPOCH, is_new=False, seen_at=None)

    def _open(self, row: StatusRow) -> AgentSnapshot:
        seen_at, transport = row.last_seen_at, self._arrival.transport
        is_beside_another = transport is Transport.WEBSOCKET and _has_open_websocket(row)
        self._begin(is_news=transport is Transport.WEBSOCKET or not row.connected)
        is_new = seen_at is None
        known = _snapshot(row, transport, row.session_epoch, is_new=is_new, seen_at=seen_at)
        # Its process may be slow: what was said of its health there may be stored later. So it is news here.
        return replace(known, health=None) if is_beside_another else known

    def _begin(self, *, is_news: bool) -> None:
        transport, address = self._arrival.transport.value, self._arrival.remote_address[:64]
        self.edit.put(
            session_epoch=self.edit.row.session_epoch + 1,
            connected=True,
            transport=transport,
            remote_address=address,
            disconnected_at=None,
            last_seen_at=self._now,
        )
        if is_news:
            data = {"transport": transport, "address": address}
            uid = self._arrival.instance_uid
            self.events = [NewEvent(uid, self._now, FactKind.CONNECTED, data)]
            self.edit.put(connected_at=self._now)
        self.edit.derive(self._now)

    def _follow_trail(self, row: StatusRow, *, is_beside: bool) -> bool:
        """Whether the trails now show several agents, of which this one gets a new uid."""
        number, trails = self._arrival.number, Trails()
        if is_beside:
            trails = Trails.from_json(row.trails).beside(row.last_seen_at, self._now)
        elif number is not None:
            address = self._arrival.remote_address[:64]
            trails = Trails.from_json(row.trails).follow(number, address, self._now)
        is_clone = trails.are_several_agents
        self.edit.put(trails=(trails.without_the_last() if is_clone else trails).as_json())
        return is_clone


def _has_open_websocket(row: StatusRow) -> bool:
    return row.connected and row.transport == Transport.WEBSOCKET


def _snapshot(
    row: StatusRow, transport: Transport, epoch: int, *, is_new: bool, seen_at: datetime | None
) -> AgentSnapshot:
    status = ConfigStatus(row.remote_config_status)
    has_report = bool(status or row.remote_config_hash)
    return AgentSnapshot(
        instance_uid=row.agent_id,
        epoch=epoch,
        sequence_num=row.sequence_num,
        doubtful_num=row.doubtful_num,
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
        health=_health(row),
        is_health_past=row.health == Health.UNKNOWN,
        transport=transport,
        full_state_at=row.full_state_at,
        seen_at=seen_at,
        custom_capabilities=tuple(row.agent.custom_capabilities),
    )


def _health(row: StatusRow) -> ComponentHealth | None:
    """What the last report that said something said of the whole."""
    if row.reported_healthy is None:
        return None
    return ComponentHealth(row.reported_healthy, row.reported_status, row.last_error)


def _connection(row: StatusRow) -> ConnectionReport | None:
    if not (row.connection_status or row.connection_hash):
        return None
    status = ConfigStatus(row.connection_status)
    return ConnectionReport(status, row.connection_hash, row.connection_error)
