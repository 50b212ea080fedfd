"""PURE. Findings as people and programs read them: text, JSON lines, SARIF 2.1.0, GitHub's annotations."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from configs.collector.findings import Finding, Report, Severity, as_json
from configs.collector.rules.registry import BY_ID

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_ESCAPED: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_ESCAPED_PROPERTY: Final = {**_ESCAPED, ":": "%3A", ",": "%2C"}


@dataclass(frozen=True, slots=True)
class Checked:
    """One configuration that was looked at. name: of its file, or of its files."""

    name: str
    report: Report


def as_text(checked: Sequence[Checked]) -> Iterator[str]:
    """A line for each finding, as compilers write them, and one with the sum."""
    found = [one for each in checked for one in each.report.findings]
    for one in found:
        yield f"{_place(one)}: {one.severity}: {one.message} [{one.rule}]"
    left_off = sum(each.report.left_off for each in checked)
    if left_off:
        yield f"… and at least {left_off} more."
    counts = (
        _counted(sum(one.severity is level for one in found), word) for level, word in _SUMMED
    )
    yield f"{_counted(len(checked), 'configuration')}: {', '.join(counts)}."


def as_lines_of_json(checked: Sequence[Checked]) -> Iterator[str]:
    """One object a line for each configuration."""
    for each in checked:
        findings = [as_json(one) for one in each.report.findings]
        valid, left_off = each.report.is_valid, each.report.left_off
        yield json.dumps(
            {"file": each.name, "valid": valid, "findings": findings, "left_off": left_off}
        )


def as_sarif(checked: Sequence[Checked]) -> Iterator[str]:
    """One SARIF log with one run."""
    found = [one for each in checked for one in each.report.findings]
    driver = {
        "name": "telflo",
        "informationUri": "https://opentelemetry.io/docs/collector/configuration/",
        "rules": list(_sarif_rules(found)),
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(one) for one in found],
    }
    yield json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def as_github(checked: Sequence[Checked]) -> Iterator[str]:
    """Workflow commands, which GitHub shows beside the lines of a change."""
    for each in checked:
        for one in each.report.findings:
            place: dict[str, str | int] = {"file": one.file, "title": one.rule}
            if one.span.line:
                end = {"endLine": one.span.end_line, "endColumn": one.span.end_column}
                place |= {"line": one.span.line, "col": one.span.column, **end}
            properties = ",".join(
                f"{key}={_escaped(str(value), _ESCAPED_PROPERTY)}" for key, value in place.items()
            )
            yield f"::{_COMMANDS[one.severity]} {properties}::{_escaped(one.message, _ESCAPED)}"


FORMATS: Final[Mapping[str, Callable[[Sequence[Checked]], Iterable[str]]]] = {
    "text": as_text,
    "json": as_lines_of_json,
    "sarif": as_sarif,
    "github": as_github,
}
_SUMMED: Final = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "hint"))


def _place(one: Finding) -> str:
    return f"{one.file}:{one.span.line}:{one.span.column}" if one.span.line else one.file


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _sarif_rules(found: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    links = {one.rule: one.doc_url for one in found}
    for rule_id, link in sorted(links.items()):
        known = BY_ID.get(rule_id)
        title = known.title if known else "Text that cannot be read"
        url = known.doc_url if known else link
        yield {"id": rule_id, "shortDescription": {"text": title}, "helpUri": url}


def _sarif_result(one: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(one.file)}}
    if one.span.line:
        location["region"] = {
            "startLine": one.span.line,
            "startColumn": one.span.column,
            "endLine": one.span.end_line,
            "endColumn": one.span.end_column,
        }
    return {
        "ruleId": one.rule,
        "level": _LEVELS[one.severity],
        "message": {"text": one.message},
        "locations": [{"physicalLocation": location}],
    }


def _escaped(text: str, signs: Mapping[str, str]) -> str:
    return "".join(signs.get(character, character) for character in text)
