"""PURE. Since when collectors have been heard without a gap: silence that is ours is not theirs."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from telflo.system.findings import LAG_S, SILENT_S, is_live
from telflo.system.values import Process

PATIENCE_S: Final = 300.0
"""So long a part that does not write may be cut off from the database, with collectors on it; then it was killed."""
_LISTENS: Final = frozenset({"web", "gateway"})
_BACK: Final = "process_back_seconds"


def listening_since(processes: Sequence[Process], now: datetime) -> datetime | None:
    """The moment from which on silence counts, None for always. `now` where something may not be stored yet.

    Heartbeats wait in the process that has the connection while it cannot reach the database, and polls are put off.
    A worker that was cut off alone changes nothing: those that listen went on storing.
    """
    listening = [process for process in processes if process.kind in _LISTENS]
    if not listening:
        return None
    if not any(is_live(process) for process in listening):
        return now
    deaf_s = min(_heard_for(listening), default=None)
    return None if deaf_s is None else now - timedelta(seconds=deaf_s)


def _heard_for(listening: Sequence[Process]) -> Iterator[float]:
    """For how many seconds each has stored what it heard; nothing for those that never stopped, or are gone."""
    taken = list(_places_taken(listening))
    for process in listening:
        if not is_live(process):
            is_gone = any(process is gone for gone, _ in taken)
            if process.silent_s < PATIENCE_S and not is_gone:
                yield 0.0
        elif process.level("opamp_buffer_lag_seconds") > LAG_S:
            yield 0.0
        elif process.has(_BACK):
            yield process.level(_BACK) + process.silent_s
    for gone, newer in taken:
        gap_s = (_began(newer) - gone.seen_at).total_seconds()
        if is_live(newer) and gap_s > SILENT_S:
            yield (newer.seen_at - _began(newer)).total_seconds() + newer.silent_s


def _places_taken(processes: Sequence[Process]) -> Iterator[tuple[Process, Process]]:
    """Those that ended, each with the one that was started in its place: of the same kind, on the same machine, later.

    Each takes one place, that of the last to end. So one that dies again and again is not waited for each time, and
    one that hangs while another is started anew still is.
    """
    for _, group in groupby(sorted(processes, key=_seat), _seat):
        seated = sorted(group, key=_began)
        gone = [process for process in seated if not is_live(process)]
        for newer in seated:
            began = _began(newer)
            before = [one for one in gone if one is not newer and one.seen_at <= began]
            if before:
                last = max(before, key=lambda process: process.seen_at)
                gone = [process for process in gone if process is not last]
                yield last, newer


def _seat(process: Process) -> tuple[str, str]:
    return process.kind, process.host


def _began(process: Process) -> datetime:
    """By the database's clock, as seen_at."""
    return process.started_at - timedelta(seconds=process.clock_s)
