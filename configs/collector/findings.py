"""PURE. What a validator says: findings with exact places, and edits that mend them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from configs.collector.nodes import Span
from configs.collector.values import Path


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The collector refuses it, or cannot start with it."""
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]


_RANKS: Final = {one: rank for rank, one in enumerate(Severity)}
NOWHERE: Final = Span(0, 0, 0, 0, 0, 0)
"""The place of what has none: lines count from 1."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` where the characters start to end (excluded) of a file are."""

    file: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A quick fix. title: what it does, as on a button · edits: none overlaps another."""

    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or could be better. component: `exporters/otlp_grpc` · pipeline: its id; "" for none."""

    rule: str
    severity: Severity
    message: str
    file: str
    span: Span
    path: Path = ()
    component: str = ""
    pipeline: str = ""
    doc_url: str = ""
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in the order of the files and the text. left_off: how many more there were."""

    findings: tuple[Finding, ...] = ()
    left_off: int = 0

    @property
    def is_valid(self) -> bool:
        """Whether a collector takes it, as far as is known."""
        return all(one.severity is not Severity.ERROR for one in self.findings)


def applied(texts: Mapping[str, str], fix: Fix) -> dict[str, str]:
    """The texts, by file name, with the edits made; all else of them as it was."""
    changed = dict(texts)
    for edit in sorted(fix.edits, key=lambda one: one.start, reverse=True):
        text = changed[edit.file]
        changed[edit.file] = text[: edit.start] + edit.text + text[edit.end :]
    return changed


def as_json(finding: Finding) -> dict[str, Any]:
    """A finding as programs get it: lines and columns from 1, the end column excluded; offsets count characters."""
    span = finding.span
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "file": finding.file,
        "path": list(finding.path),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "component": finding.component,
        "pipeline": finding.pipeline,
        "doc_url": finding.doc_url,
        "fixes": [_fix_as_json(finding.fix)] if finding.fix else [],
    }


def sorted_findings(findings: Sequence[Finding], order: Mapping[str, int]) -> list[Finding]:
    """In the order of the text, each once. order: file name -> its number."""

    def place(one: Finding) -> tuple[int, int, int, str]:
        return order.get(one.file, -1), one.span.start, one.severity.rank, one.rule

    once = {(one.rule, one.file, one.span, one.message): one for one in findings}
    return sorted(once.values(), key=place)


def _fix_as_json(fix: Fix) -> dict[str, Any]:
    edits = [
        {"file": one.file, "start": one.start, "end": one.end, "text": one.text}
        for one in fix.edits
    ]
    return {"title": fix.title, "edits": edits}
