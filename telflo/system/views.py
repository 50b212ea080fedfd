"""The System page under Settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat

from telflo.base.access import Action
from telflo.base.guard import requires
from telflo.system.findings import Finding, findings_of, is_live
from telflo.system.limits_met import limits_in_force
from telflo.system.models import ProcessKind
from telflo.system.state import processes_now, read_state
from telflo.system.values import Process, State
from telflo.ui.numbers import counted, grouped


@dataclass(frozen=True, slots=True)
class Row:
    """One process in the table. `told` are the numbers that its kind has."""

    process: Process
    kind: str
    state: str
    told: str

    @property
    def key(self) -> str:
        """Names the row in the page."""
        return f"process-{self.process.kind}-{self.process.host}-{self.process.pid}"


@requires(Action.VIEW)
def system(request: HttpRequest) -> HttpResponse:
    """Processes, database, Redis, disk: what is wrong first."""
    state = read_state()
    found = findings_of(state)
    context = {
        "headline": headline(found, state),
        "findings": found,
        "rows": [_row(process) for process in state.processes],
        "beside": _beside(state),
    }
    return render(request, "settings/system.html", context)


@requires(Action.VIEW)
def limits(request: HttpRequest) -> HttpResponse:
    """What this server is limited to, and how often somebody met a limit."""
    context = {"groups": limits_in_force(processes_now())}
    return render(request, "settings/limits.html", context)


def headline(found: Sequence[Finding], state: State) -> str:
    """The page in one sentence."""
    if found:
        return f"{counted(len(found), 'thing needs', 'things need')} attention"
    live = sum(is_live(process) for process in state.processes)
    return (
        f"All well: {counted(live, 'part')} of the installation run"
        if live
        else "No process reports here"
    )


def _row(process: Process) -> Row:
    state = "running" if is_live(process) else "silent"
    return Row(process, ProcessKind(process.kind).label, state, _told(process))


def _told(process: Process) -> str:
    if process.has("opamp_connections"):
        waiting = process.level("opamp_buffer_rows")
        lag_s = process.level("opamp_buffer_lag_seconds")
        parts = [
            counted(int(process.level("opamp_connections")), "connection"),
            f"{grouped(int(waiting))} to write" + (f", {lag_s:.0f} s late" if lag_s >= 1 else ""),
        ]
        if process.has("opamp_reconcile_lag_seconds"):
            parts.append(f"compared {process.level('opamp_reconcile_lag_seconds'):.0f} s ago")
        return " · ".join(parts)
    if process.kind == ProcessKind.WORKER:
        return counted(int(process.level("tasks")), "task") + " done"
    return counted(int(process.level("beat_sent")), "task") + " sent"


def _beside(state: State) -> Sequence[tuple[str, str, Any]]:
    """Name, value, and a second line of what is beside the processes."""
    database, broker = state.database, state.broker
    return (
        ("Database", database.name, _answers(database.answer_s)),
        (
            "Its size",
            _bytes(database.size_bytes) if database.answer_s is not None else "unknown",
            "",
        ),
        ("Tasks", broker.name, _answers(broker.answer_s)),
        (
            "Waiting",
            counted(broker.waiting, "task") if broker.answer_s is not None else "unknown",
            "",
        ),
        ("Disk", f"{_bytes(state.disk.free_bytes)} free", f"of {_bytes(state.disk.total_bytes)}"),
        ("Versions", f"Telflo {settings.TELFLO_VERSION}", f"Django {django.get_version()}"),
    )


def _answers(seconds: float | None) -> str:
    if seconds is None:
        return "does not answer"
    return "answers within 1 ms" if seconds < 0.001 else f"answers in {seconds * 1000:.0f} ms"


def _bytes(count: int) -> str:
    return str(filesizeformat(count)).replace("\xa0", " ")
