"""Findings as pages show them: the worst first, each with its place and the line it is about."""

from dataclasses import dataclass
from typing import Any, Final

from configs.checking import broken_rules
from configs.collector.findings import Finding, Report, Severity
from telflo.ui.numbers import counted

_TONES: Final = {Severity.ERROR: "fail", Severity.WARNING: "warn", Severity.INFO: "idle"}
_ICONS: Final = {
    Severity.ERROR: "octagon-x",
    Severity.WARNING: "triangle-alert",
    Severity.INFO: "info",
}
_WORDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "hint"}


@dataclass(frozen=True, slots=True)
class Row:
    """One finding."""

    tone: str
    icon: str
    severity: str
    rule: str
    message: str
    line: int
    column: int
    doc_url: str


def findings_context(report: Report) -> dict[str, Any]:
    """What the panel of findings and the lamp in a page head need."""
    ordered = sorted(report.findings, key=lambda one: one.severity.rank)
    errors = sum(one.severity is Severity.ERROR for one in ordered)
    warnings = sum(one.severity is Severity.WARNING for one in ordered)
    return {
        "findings": [_row(one) for one in ordered],
        "left_off": report.left_off,
        "errors": errors,
        "warnings": warnings,
        "findings_tone": "fail" if errors else "warn" if warnings else "ok",
        "findings_words": ", ".join(
            counted(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n
        ),
    }


def _row(one: Finding) -> Row:
    return Row(
        tone=_TONES[one.severity],
        icon=_ICONS[one.severity],
        severity=_WORDS[one.severity],
        rule=one.rule,
        message=one.message,
        line=one.span.line,
        column=one.span.column,
        doc_url=one.doc_url,
    )


def publishing_context(report: Report, accepted: list[str]) -> dict[str, Any]:
    """What the question before publishing needs: what blocks it, and what has to be ticked."""
    return {
        "blocking": broken_rules(report, Severity.ERROR),
        "to_accept": broken_rules(report, Severity.WARNING),
        "accepted": accepted,
    }
