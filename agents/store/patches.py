"""What agents said, written: states with their sequence numbers (I1, I2), fenced (I3); facts appended."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from agents.models import AgentStatus, Health
from agents.snapshot import (
    UNSET,
    AgentPatch,
    ComponentHealth,
    Components,
    ConfigStatus,
    ConnectionReport,
    EffectiveConfig,
    FactKind,
    RemoteConfigReport,
    Transport,
)
from agents.status import says_goodbye, tells_shutdown
from agents.store import identity
from agents.store.bodies import keep_components, keep_effective
from agents.store.dialects import update_rows
from agents.store.events import RESTARTING, NewEvent, add_events, from_facts, without_repeats
from agents.store.loaded import StatusRow
from agents.store.messages import keep_messages
from agents.store.rows import (
    CALM_AFTER_RESTART,
    FENCED_EPOCH,
    Edit,
    hold,
    is_void,
    lock_whole,
    touch,
    write,
)
from telflo.base.ids import LAST

HASH_LENGTH = 128
_NO_REPORT = RemoteConfigReport(ConfigStatus.UNSET, "")
_NO_SETTINGS = ConnectionReport(ConfigStatus.UNSET, "")


class Overtaken(Exception):
    """Over plain HTTP an agent began a newer session before what it said in this one was stored: nothing is."""


class Applied(NamedTuple):
    """What became of patches.

    rows: the status rows of those who said more than that they are there, locked until the transaction ends.
    changed: who looks different in lists now.
    """

    rows: Mapping[UUID, StatusRow]
    changed: frozenset[UUID]


def apply(patches: Sequence[AgentPatch]) -> Applied:
    """Write patches, in one transaction.

    A patch of an older session changes no state (I3), but its facts are history all the same, unless they are another
    agent's (A2), or were posted anew. Patches of agents that were forgotten meanwhile are ignored.

    Raises Overtaken for an older session over plain HTTP: of two requests with one message only one answer is heard.
    """
    merged = _merge(patches)
    with transaction.atomic(savepoint=False):
        beats = [patch for patch in merged if patch.is_heartbeat]
        changes = [patch for patch in merged if not patch.is_heartbeat]
        if beats and changes:
            hold({patch.instance_uid for patch in merged})  # both in one order
        return _store_changes([*changes, *_store_heartbeats(beats)])


def _merge(patches: Iterable[AgentPatch]) -> list[AgentPatch]:
    sessions: dict[tuple[UUID, int], AgentPatch] = {}
    for patch in patches:
        key = (patch.instance_uid, patch.epoch)
        sessions[key] = sessions[key].merge(patch) if key in sessions else patch
    return list(sessions.values())


def _store_heartbeats(beats: Sequence[AgentPatch]) -> list[AgentPatch]:
    """The cheap path: one statement. Answers those of agents that count as disconnected: they are back."""
    stored = update_rows(
        AgentStatus,
        match=("agent_id", "session_epoch", "connected"),
        columns=("last_seen_at", "sequence_num"),
        rows=[
            (beat.instance_uid, beat.epoch, True, beat.seen_at, beat.sequence_num) for beat in beats
        ],
        in_order=True,
    )
    if stored == len(beats):
        return []
    polled = [beat for beat in beats if beat.is_polled]
    silent = Q(agent_id__in=[beat.instance_uid for beat in beats], connected=False)
    found = AgentStatus.objects.filter(
        silent | Q(agent_id__in=[one.instance_uid for one in polled])
    )
    epochs, back = {}, set()
    for uid, epoch, connected in found.values_list("agent_id", "session_epoch", "connected"):
        epochs[uid] = epoch
        if not connected:
            back.add((uid, epoch))
    for beat in polled:
        _check_newest(beat, epochs.get(beat.instance_uid, beat.epoch))
    return [beat for beat in beats if (beat.instance_uid, beat.epoch) in back]


def _check_newest(patch: AgentPatch, epoch: int) -> None:
    """Over plain HTTP; epoch: of the agent's newest session."""
    if patch.epoch not in (FENCED_EPOCH, epoch):
        raise Overtaken


def _store_changes(patches: Sequence[AgentPatch]) -> Applied:
    if not patches:
        return Applied({}, frozenset())
    rows = lock_whole({patch.instance_uid for patch in patches})
    known = [patch for patch in patches if patch.instance_uid in rows]
    for patch in known:
        if patch.is_polled:
            _check_newest(patch, rows[patch.instance_uid].session_epoch)
    current = [patch for patch in known if rows[patch.instance_uid].session_epoch == patch.epoch]
    keep_effective(current)
    keep_messages(current)
    trees = keep_components(current)
    identity.update(current, rows, trees)
    edits = [Edit(rows[patch.instance_uid]) for patch in current]
    noticed = [
        event
        for edit, patch in zip(edits, current, strict=True)
        for event in _edit_row(edit, patch)
    ]
    write(edits, fenced=True)
    told = [
        _calm(event, rows[patch.instance_uid])
        for patch in known
        for event in from_facts(patch)
        if _belongs(event, patch, rows[patch.instance_uid])
    ]
    add_events([*without_repeats(told), *noticed])
    return Applied(rows, touch(edits))


def _belongs(event: NewEvent, patch: AgentPatch, row: StatusRow) -> bool:
    """Whether it happened to this agent. That an older connection ended may be noticed late, and did."""
    if patch.epoch != FENCED_EPOCH and event.kind == FactKind.DISCONNECTED:
        return True
    return not is_void(row, patch, event.at)


def _calm(event: NewEvent, row: StatusRow) -> NewEvent:
    """Steps of a restart that we asked for are marked as such. A complaint is one, whenever it comes."""
    data = event.data
    is_health = event.kind == FactKind.HEALTH
    if not is_health or data["healthy"] or data["last_error"] or not _restarts(row, event.at):
        return event
    return replace(event, data={**event.data, RESTARTING: True})


def _restarts(row: StatusRow, at: datetime) -> bool:
    """Whether its collector may be stopping and starting because of us."""
    told_at = row.restarted_at
    return told_at is not None and timedelta() <= at - told_at < CALM_AFTER_RESTART


def _edit_row(edit: Edit, patch: AgentPatch) -> list[NewEvent]:
    """Bring one row up to date; answers what was noticed besides the facts."""
    edit.put(
        last_seen_at=patch.seen_at,
        sequence_num=patch.sequence_num,
        doubtful_num=patch.doubtful_num,
    )
    for name, put in _PUTTERS.items():
        if getattr(patch, name) is not UNSET:
            put(edit, patch)
    if _says_unknown(patch):
        edit.put(health=Health.UNKNOWN.value, health_since=patch.seen_at)
    full = [fact.at for fact in patch.facts if fact.kind is FactKind.FULL_STATE]
    if full:
        edit.put(full_state_at=full[-1])
    noticed = _put_connection(edit, patch)
    edit.derive(patch.seen_at)
    return noticed


def _says_unknown(patch: AgentPatch) -> bool:
    """Whether the last news of its health is an empty one: the tree before it is kept, as of then."""
    news = [fact.health for fact in patch.facts if fact.kind is FactKind.HEALTH]
    return bool(news) and (news[-1] is None or news[-1].says_nothing)


def _put_connection(edit: Edit, patch: AgentPatch) -> list[NewEvent]:
    was, row = edit.row.connected, edit.row
    health = patch.health
    if patch.disconnected_at is not None:
        edit.put(connected=False, disconnected_at=patch.disconnected_at)
        return []  # its DISCONNECTED fact tells the reason
    if isinstance(health, ComponentHealth) and says_goodbye(health, Transport(row.transport)):
        edit.put(connected=False, disconnected_at=patch.seen_at)
        data = {"reason": health.last_error}
        event = NewEvent(row.agent_id, patch.seen_at, FactKind.DISCONNECTED, data, LAST)
        return [event] if was else []
    edit.put(connected=True, disconnected_at=None)
    if was:
        return []
    edit.put(connected_at=patch.seen_at)
    data = {"reason": "heard again after a silence"}
    return [NewEvent(row.agent_id, patch.seen_at, FactKind.CONNECTED, data, LAST)]


def _put_health(edit: Edit, patch: AgentPatch) -> None:
    """An empty health, a shutdown and the steps of a restart that we caused say nothing of it: unknown; the last report
    that did is kept, as of then.
    """
    health = patch.health
    if not isinstance(health, ComponentHealth) or _says_nothing(health, edit.row, patch.seen_at):
        word = Health.UNKNOWN
    else:
        word = Health.HEALTHY if health.healthy else Health.UNHEALTHY
        edit.replace("health_report", health.report)
        edit.put(
            health_at=patch.seen_at,
            reported_healthy=health.healthy,
            reported_status=health.status,
            last_error=health.last_error,
        )
    if edit.row.health != word.value:
        edit.put(health=word.value, health_since=patch.seen_at)


def _says_nothing(health: ComponentHealth, row: StatusRow, at: datetime) -> bool:
    return health.says_nothing or tells_shutdown(health) or (health.is_step and _restarts(row, at))


def _put_remote_config(edit: Edit, patch: AgentPatch) -> None:
    said = patch.remote_config
    report = said if isinstance(said, RemoteConfigReport) else _NO_REPORT
    edit.put(
        remote_config_status=int(report.status),
        remote_config_hash=report.hash[:HASH_LENGTH],
        remote_config_error=report.error,
        remote_config_at=patch.seen_at,
    )


def _put_connection_settings(edit: Edit, patch: AgentPatch) -> None:
    said = patch.connection
    report = said if isinstance(said, ConnectionReport) else _NO_SETTINGS
    edit.put(
        connection_status=int(report.status),
        connection_hash=report.hash[:HASH_LENGTH],
        connection_error=report.error,
        connection_at=patch.seen_at,
    )


def _put_effective_config(edit: Edit, patch: AgentPatch) -> None:
    reported = patch.effective_config
    sha256 = reported.sha256 if isinstance(reported, EffectiveConfig) else None
    if sha256 != edit.row.effective_config_id:
        # What was known of the one before holds until they are compared: a collector that restarts prints another.
        edit.put(compare_due=True, runs=edit.row.runs if sha256 else "")
    edit.put(effective_config_id=sha256, effective_config_at=patch.seen_at)


def _put_components(edit: Edit, patch: AgentPatch) -> None:
    named = patch.components
    edit.put(
        components_hash=named.hash[:HASH_LENGTH] if isinstance(named, Components) else "",
    )


_PUTTERS: dict[str, Callable[[Edit, AgentPatch], None]] = {
    "health": _put_health,
    "remote_config": _put_remote_config,
    "effective_config": _put_effective_config,
    "components": _put_components,
    "connection": _put_connection_settings,
}
