"""PURE. Since when collectors have been heard without a gap: silence that is ours is not theirs."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from telflo.system.findings import LAG_S, is_live
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


def _heard_for(listening: Iterable[Process]) -> Iterable[float]:
    """For how many seconds each has stored what it heard; nothing for those that never stopped, or are gone."""
    for process in listening:
        if not is_live(process):
            if process.silent_s < PATIENCE_S:
                yield 0.0
        elif process.level("opamp_buffer_lag_seconds") > LAG_S:
            yield 0.0
        elif process.has(_BACK):
            yield process.level(_BACK) + process.silent_s
