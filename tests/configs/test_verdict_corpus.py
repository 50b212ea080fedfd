"""The configurations that real collectors are asked about (`make e2e`): what is in them, how verdicts compare."""

from configs.collector.findings import Severity
from configs.collector.model import model_of
from configs.collector.parse import parse
from configs.collector.rules.registry import RULES
from configs.starting import TEMPLATES
from tests.e2e.verdicts.asking import Verdict
from tests.e2e.verdicts.broken import BROKEN, BY_TEXT
from tests.e2e.verdicts.comparing import Outcome, ours_of, outcome_of
from tests.e2e.verdicts.corpus import ONLY, VERSIONS, bases, templates

OF_SETTINGS = {"P17", "P18"}
"""Broken by changes that are made by code."""
NOT_BUILT = {"C12"}
"""Of components that the collectors of the tests do not have."""
OF_HOSTS = {"L19"}
"""Depend on what is known about hosts."""


def test_every_rule_that_makes_a_text_invalid_is_broken() -> None:
    errors = {rule.id for rule in RULES if rule.severity is Severity.ERROR}
    broken = {row[0] for row in (*BROKEN, *BY_TEXT)}
    assert errors - broken <= OF_SETTINGS | NOT_BUILT | OF_HOSTS


def test_no_base_is_called_invalid() -> None:
    for name, text in bases().items():
        for version in ONLY.get(name, VERSIONS):
            report = ours_of(text, version)
            assert report.is_valid, [one for one in report.findings if one.severity == "error"]


def test_each_template_is_asked_about_with_a_pipeline_that_is_whole() -> None:
    cases = list(templates())
    assert {one.name.removeprefix("template ") for one in cases} == {one.slug for one in TEMPLATES}
    for case in cases:
        for version in case.versions:
            report = ours_of(case.text, version)
            assert report.is_valid, [one for one in report.findings if one.severity == "error"]
        for pipeline in model_of(parse(case.text)).pipelines.values():
            assert all(pipeline.members.values()), case.name


def test_verdicts_are_compared_by_what_they_name() -> None:
    text = bases()["small"].replace("exporters: [nop]", "exporters: [nope]")
    ours = ours_of(text, VERSIONS[0])
    words = 'service::pipelines::traces: references exporter "nope" which is not configured'
    other = "receivers::nop: it is ill"

    def outcome(code: int, said: str, *, starts: bool = True) -> Outcome:
        return outcome_of(text, Verdict(code, said), ours, lambda: starts)

    assert outcome(1, words) is Outcome.BOTH_REFUSE_IT
    assert outcome(1, other) is Outcome.ELSEWHERE
    assert (
        outcome(1, 'failed to build pipelines: undefined function "set"') is Outcome.BOTH_REFUSE_IT
    )
    assert outcome(0, "") is Outcome.FALSE_ALARM
    assert outcome(0, "", starts=False) is Outcome.CANNOT_START
