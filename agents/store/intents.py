"""What fleets want of agents, handed down: the layer above says it, the status word depends on it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents.store.loaded import StatusRow
from agents.store.rows import Edit, lock, touch, write


@dataclass(frozen=True, slots=True)
class IntentChange:
    """What is wanted of one agent now. attempt_failed: the desired hash failed here and is quarantined."""

    instance_uid: UUID
    is_managed: bool
    desired_hash: str
    attempt_failed: bool


def set_intent(
    changes: Sequence[IntentChange],
    *,
    now: datetime,
    rows: Mapping[UUID, StatusRow] | None = None,
) -> None:
    """Store the intents and derive the words. Agents that are gone are passed over.

    rows: where the caller's transaction has locked and loaded them already.
    """
    if not changes:
        return
    with transaction.atomic(savepoint=False):
        if rows is None:
            rows = lock({change.instance_uid for change in changes})
        edits = []
        for change in changes:
            if change.instance_uid not in rows:
                continue
            edit = Edit(rows[change.instance_uid])
            edit.put(
                is_managed=change.is_managed,
                desired_hash=change.desired_hash,
                attempt_failed=change.attempt_failed,
            )
            edit.derive(now)
            edits.append(edit)
        write(edits)
        touch([edit for edit in edits if edit.columns])


def note_restarts(uids: Collection[UUID], *, now: datetime) -> None:
    """What these agents are told makes them restart their collectors: until they are up that is no illness."""
    if not uids:
        return
    with transaction.atomic():
        edits = [Edit(row) for row in lock(uids).values()]
        for edit in edits:
            edit.replace("restarted_at", now)
        write(edits)


def set_intervals(intervals: Mapping[UUID, int], *, now: datetime) -> None:
    """How many seconds pass between an agent's heartbeats or polls from now on: silence is judged by it (D2)."""
    if not intervals:
        return
    with transaction.atomic():
        edits = [Edit(row) for row in lock(set(intervals)).values()]
        for edit in edits:
            edit.put(interval_s=intervals[edit.row.agent_id])
            edit.replace("interval_since", now)
        write(edits)
