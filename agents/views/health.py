"""The health tree as the page draws it: healthy branches folded, unhealthy ones open with their words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.models import AgentStatus, Health
from agents.snapshot import ComponentHealth
from opamp.protocol.health import read_tree
from telflo.base.redaction import redact_text
from telflo.ui.times import span

_WORDS: Mapping[str, str] = {
    "StatusOK": "OK",
    "StatusStarting": "starting",
    "StatusRecoverableError": "recoverable error",
    "StatusPermanentError": "permanent error",
    "StatusFatalError": "fatal error",
    "StatusStopping": "stopping",
    "StatusStopped": "stopped",
}
"""Component statuses of the Collector as people read them."""


@dataclass(frozen=True, slots=True)
class HealthNode:
    """One line of the tree. healthy None: the report no longer counts."""

    name: str
    healthy: bool | None
    text: str
    kind: str = ""
    why: str = ""
    children: Sequence["HealthNode"] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class HealthPanel:
    """The tree and one sentence about it."""

    tree: HealthNode | None
    summary: str
    unhealthy: int


def health_panel(status: AgentStatus, *, name: str, now: datetime) -> HealthPanel:
    """What the health panel shows; the kept tree is grey when it no longer counts."""
    if status.health_report is None:
        return HealthPanel(None, "", 0)
    report = read_tree(status.health_report)
    counts = status.health_now != Health.UNKNOWN
    tree = _node(name, report, now, counts=counts, kind="collector")
    total, unhealthy = _count(report)
    if not counts:
        why = "it has not reported since" if status.connected else "it cannot report now"
        return HealthPanel(tree, f"last known, {why}", 0)
    summary = (
        f"{unhealthy} of {total} components unhealthy" if unhealthy else f"{total} components OK"
    )
    return HealthPanel(tree, summary if total else "", unhealthy)


def _node(
    name: str, report: ComponentHealth, now: datetime, *, counts: bool, kind: str = ""
) -> HealthNode:
    children = [
        _node(child, health, now, counts=counts)
        for child, health in sorted(report.components.items(), key=lambda item: item[1].healthy)
    ]
    total, unhealthy = _count(report)
    is_well = report.healthy and not unhealthy
    is_folded = bool(children) and is_well and not kind
    return HealthNode(
        name=name,
        healthy=report.healthy if counts else None,
        text=f"{total} of {total} OK" if is_folded else _state(report, now),
        kind=kind,
        why="" if report.healthy else redact_text(report.last_error),
        children=children,
        folded=is_folded,
    )


def _state(report: ComponentHealth, now: datetime) -> str:
    word = _WORDS.get(report.status, report.status) or ("OK" if report.healthy else "unhealthy")
    if report.status_at is None:
        return word
    return f"{word}, {span((now - report.status_at).total_seconds())}"


def _count(report: ComponentHealth) -> tuple[int, int]:
    """How many leaves are below, and how many of them are unhealthy."""
    total = unhealthy = 0
    for child in report.components.values():
        below, sick = _count(child) if child.components else (1, int(not child.healthy))
        total += below
        unhealthy += sick
    return total, unhealthy
