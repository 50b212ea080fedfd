"""What the validator says of texts that are kept here: no secret of theirs."""

import pytest

from configs.catalog.shelf import nearest
from configs.checking import broken_rules, checked, open_warnings
from configs.collector.findings import Severity, as_json
from configs.collector.validate import validate
from telflo.base.redaction import MASK, redact_text, secrets_in
from tests.configs.rules.example import Example
from tests.configs.rules.test_rules import parametrized

SECRET = "hunter2hunter2"


def said(text: str) -> str:
    return str([as_json(one) for one in checked(text).findings])


@pytest.mark.parametrize(
    "text",
    [
        # As another setting, as an action, escaped in quotes, so long that it is cut, as a name.
        f"exporters:\n  otlp_http: {{headers: {{api-key: {SECRET}}}, compression: {SECRET}}}\n",
        f"processors:\n  attributes: {{actions: [{{key: token, value: {SECRET}, action: {SECRET}}}]}}\n",
        f'exporters:\n  x: {{password: "hunter2\\u0068unter2"}}\n  otlp_http: {{compression: {SECRET}}}\n',
        f"exporters:\n  x: {{token: {SECRET * 6}}}\n  otlp_http: {{compression: {SECRET * 6}}}\n",
        # In a path, and in what a quick fix would write.
        f"exporters: {{{SECRET}x: , x: {{password: {SECRET}}}}}\nservice: {{pipelines: {{logs: {{exporters: [{SECRET}]}}}}}}\n",
    ],
)
def test_no_finding_says_a_secret(text: str) -> None:
    as_they_are = str([as_json(one) for one in validate([("", text)]).findings])
    assert "hunter2" in as_they_are
    assert "hunter2" not in said(text)
    assert MASK in said(text)


@parametrized
def test_messages_without_secrets_stay_as_they_are(example: Example) -> None:
    """The mask is for secrets alone: no rule's own words look like one."""
    report = validate([("", example.text)], catalog=nearest())
    said_before = [one.message for one in report.findings]
    assert [one.message for one in checked(example.text).findings] == said_before


def test_what_a_rule_advises_for_a_secret_is_no_secret() -> None:
    text = "exporters:\n  x: {headers: {authorization: 'Bearer ${env:BACKEND_TOKEN}'}}\n"
    advice = next(one for one in checked(text).findings if one.rule == "L23")
    assert "${env:BACKEND_TOKEN:-…}" in advice.message


def test_what_is_masked_is_what_may_not_be_said() -> None:
    text = (
        "a: {password: one-secret, token: 'it''s', api_key: \"q\\\"uote\"}\n"
        'b: {authorization: Bearer two-secret, password: "${env:PASSWORD:-three-secret}"}\n'
    )
    found = secrets_in(text)
    assert {"one-secret", "it's", 'q"uote', "two-secret", "three-secret"} <= found
    assert not any("PASSWORD" in one or "Bearer" in one for one in found)
    assert not any(one in redact_text(text) for one in found)


def test_findings_are_told_by_rules_and_warnings_accepted_by_rule() -> None:
    report = checked(
        "receivers: {otlp: {protocols: {grpc: }}, nop: }\nexporters: {debug: }\n"
        "service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]},"
        " logs: {receivers: [otlp], exporters: [debug]}}}\n"
    )
    (limiter,) = [one for one in broken_rules(report, Severity.WARNING) if one.rule == "L04"]
    assert (limiter.title, len(limiter.findings)) == ("Memory limiter", 2)
    assert "L04" not in [one.rule for one in open_warnings(report, ["L04"])]
    assert not broken_rules(report, Severity.ERROR)
    assert [one.rule for one in broken_rules(checked("a: ["), Severity.ERROR)] == ["P01"]


def test_words_that_a_setting_takes_are_told_without_the_empty_one() -> None:
    text = "exporters: {otlp_http: {endpoint: 'https://a', compression: zsdt}}"
    [told] = [one for one in checked(text, "0.158.0").findings if one.rule == "P17"]
    assert told.message.endswith("lz4, none.")
