"""Receivers of logs: what collectors look at with the text, and what only when they build one that is used."""

import pytest

from configs.collector.findings import Severity
from configs.collector.validate import validate


def severities(rule: str, fields: str, version: str | None = None) -> list[Severity]:
    text = f"receivers: {{file_log: {{include: [a], {fields}}}}}"
    found = validate([("a.yaml", text)], version=version).findings
    return [one.severity for one in found if one.rule == rule]


@pytest.mark.parametrize(
    ("operator", "severity"),
    [
        ("type: time_parser, layout: '%Q', parse_from: body", Severity.ERROR),
        ("type: time_parser, layout: '%Y'", Severity.ERROR),
        ("type: time_parser, layout: '%Y', parse_from: body, location: ../UTC", Severity.ERROR),
        ("type: json_parser, timestamp: {layout: '%Q', parse_from: body}", Severity.ERROR),
        ("type: json_parser, timestamp: {layout: '%Y'}", Severity.ERROR),
        ("type: json_parser, severity: {}", Severity.WARNING),
        ("type: regex_parser, regex: '('", Severity.WARNING),
        ("type: syslog_parser, protocol: rfc3164, location: ../UTC", Severity.WARNING),
    ],
)
def test_times_are_looked_at_also_where_nothing_uses_the_receiver(
    operator: str, severity: Severity
) -> None:
    assert severities("C19", f"operators: [{{{operator}}}]") == [severity]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("type: json_parser, parse_ints: true", "type: json_parser, parse_ints: maybe"),
        ("type: json_parser, if: 'true'", "type: json_parser, if: 5"),
        ("type: json_parser, severity: {mapping: {}}", "type: json_parser, severity: {mapping: a}"),
        ("type: move, from: body, to: attributes.a", "type: move, from: body, to: 5"),
        ("type: router, default: noop", "type: router, default: 5"),
        (
            "type: recombine, force_flush_period: 5s",
            "type: recombine, force_flush_period: 5 parsecs",
        ),
        ("type: json_parser, parse_from: {any: 1}", "type: json_parser, parse_from: [a]"),
        ("type: noop, unknown: [1]", "type: noop, output: {a: 1}"),
        ("type: foreign, id: 5, parse_ints: a, if: '${env:IF}'", "type: noop, id: 5"),
    ],
)
def test_types_in_operators_are_those_of_upstream(good: str, bad: str) -> None:
    def wrong(operator: str) -> list[str]:
        text = f"receivers: {{file_log: {{include: [a], operators: [{{{operator}}}]}}}}"
        found = validate([("a.yaml", text)]).findings
        return [one.message for one in found if "takes" in one.message]

    assert wrong(good) == []
    assert len(wrong(bad)) == 1


def test_a_route_has_an_expression() -> None:
    routes = "operators: [{type: router, routes: [{output: a, %s}]}, {type: noop, id: a}]"
    assert severities("C19", routes % "expr: 'true'") == []
    assert severities("C19", routes % "exp: 'true'") == [Severity.WARNING]


SORT = (
    "ordering_criteria: {regex: a, sort_by: [{sort_type: timestamp, regex_key: a, layout: '%s'}]}"
)


def test_older_collectors_start_with_an_order_by_times_that_they_cannot_read() -> None:
    used = "a]}}\nexporters: {debug: }\nservice: {pipelines: {logs: {receivers: [file_log], exporters: [debug]}}}\n#"
    for version, severity in (
        ("0.149.0", Severity.WARNING),
        ("0.158.0", Severity.ERROR),
        (None, Severity.WARNING),
    ):
        text = f"receivers: {{file_log: {{{SORT % '%Q'}, include: [{used}"
        found = validate([("a.yaml", text)], version=version).findings
        assert [one.severity for one in found if one.rule == "C18"] == [severity]
