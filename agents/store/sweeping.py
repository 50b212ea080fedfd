"""What only time changes: silence ends a connection, a long absence makes stale (decision 17)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from agents.models import AgentStatus, Status
from agents.snapshot import FactKind, Transport
from agents.status import silence_allowed
from agents.store.events import NewEvent, add_events
from agents.store.rows import Edit, lock_found, touch, write


def sweep(now: datetime, *, listening_since: datetime | None = None) -> int:
    """Mark the silent as disconnected and the long absent as stale; answers how many rows changed.

    listening_since: silence before it does not count, since what agents said may not be stored; None for always.
    A fixed number of statements, whatever the number of agents.
    """
    with transaction.atomic():
        silent = AgentStatus.objects.filter(_is_silent(now, listening_since) | _is_long_absent(now))
        edits, events = [], []
        for row in lock_found(silent).values():
            edit = Edit(row)
            if row.connected:
                edit.put(connected=False, disconnected_at=now)
                data = {"reason": "nothing heard for three intervals"}
                events.append(NewEvent(row.agent_id, now, FactKind.DISCONNECTED, data))
            edit.derive(now)
            edits.append(edit)
        write(edits)
        add_events(events)
        touch(edits)
        return len(edits)


def _is_silent(now: datetime, listening_since: datetime | None) -> Q:
    silent = Q(pk__in=[])
    intervals = AgentStatus.objects.filter(connected=True).values_list("interval_s", flat=True)
    for interval_s in intervals.order_by("interval_s").distinct():
        for transport in Transport:
            allowed = silence_allowed(
                transport,
                timedelta(seconds=interval_s),
                flush_lag=timedelta(seconds=settings.OPAMP_HEARTBEAT_FLUSH_S),
            )
            if listening_since is None or listening_since < now - allowed:
                silent |= Q(
                    _unheard_since(now - allowed),
                    interval_s=interval_s,
                    transport=transport.value,
                )
    return Q(connected=True) & silent


def _unheard_since(moment: datetime) -> Q:
    """An agent keeps to an interval from when it was told it: before that a longer silence was right."""
    is_told = Q(interval_since=None) | Q(interval_since__lt=moment)
    return Q(last_seen_at__lt=moment) & is_told


def _is_long_absent(now: datetime) -> Q:
    seen_before = Q(last_seen_at__lte=now - settings.STALE_AFTER)
    return Q(status=Status.DISCONNECTED) & seen_before
