"""How often each limit was met, of what the processes counted since they started."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from telflo.system.limits import GROUPS, Limit
from telflo.system.values import Process

COUNTER: Final = "telflo_opamp_limits_hit"


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit and how often it was met since each process started; None: nobody counts.

    by_process: those that met it, by host and process id, most first.
    """

    limit: Limit
    met: int | None
    by_process: Sequence[tuple[str, int]]


def limits_in_force(processes: Iterable[Process]) -> list[tuple[str, list[LimitRow]]]:
    """All limits by the titles of their groups, with what these processes counted. Counters that are not known here, as
    of a process of another version, stand in the last group.
    """
    counts = {process.name: _counts(process) for process in processes}
    known = {name for group in GROUPS for limit in group.limits for name in limit.counters}
    strange = sorted({name for found in counts.values() for name in found} - known)
    found = [(group.title, [_row(limit, counts) for limit in group.limits]) for group in GROUPS]
    found[-1][1].extend(_row(Limit(name, counters=(name,)), counts) for name in strange)
    return found


def _counts(process: Process) -> Mapping[str, int]:
    return {labels["limit"]: int(count) for labels, count in process.numbers.get(COUNTER, ())}


def _row(limit: Limit, counts: Mapping[str, Mapping[str, int]]) -> LimitRow:
    if not limit.counters:
        return LimitRow(limit, None, ())
    by_process = {
        who: sum(found.get(name, 0) for name in limit.counters) for who, found in counts.items()
    }
    met = sorted(((who, n) for who, n in by_process.items() if n), key=lambda one: (-one[1], one))
    return LimitRow(limit, sum(by_process.values()), met)
