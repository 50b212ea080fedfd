"""The templates of the gallery."""

from pathlib import Path

import pytest

from configs.checking import checked
from configs.collector.findings import Severity
from configs.collector.model import environment_names, model_of
from configs.collector.parse import parse
from configs.starting import TEMPLATES, WRITTEN_FOR, Template, template_named
from telflo.base.redaction import MASK, redact_text

SCRIPTS = Path(__file__).parents[2] / "fleets/quickdeploy/scripts"
of_each = pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.slug)


@of_each
def test_a_template_is_right_and_no_rule_warns_of_it(template: Template) -> None:
    found = checked(template.text, WRITTEN_FOR).findings
    bad = [(one.rule, one.message) for one in found if one.severity is not Severity.INFO]
    assert not bad


@of_each
def test_every_pipeline_begins_with_the_memory_limiter_and_sends_batches(
    template: Template,
) -> None:
    for pipeline in model_of(parse(template.text)).pipelines.values():
        assert pipeline.processors[0] == "memory_limiter"
        assert pipeline.processors[-1] == "batch"


@of_each
def test_it_says_which_variables_it_needs_and_holds_no_secret(template: Template) -> None:
    comments = "".join(line for line in template.text.splitlines() if line.startswith("#"))
    names = [one.name for one in environment_names(model_of(parse(template.text)))]
    assert names
    assert not [name for name in names if name not in comments]
    assert MASK not in redact_text(template.text)


def test_what_is_kept_on_disk_is_kept_where_a_unit_lets_its_collector_write() -> None:
    """The unit of quick deploy leaves nothing writable but its StateDirectory."""
    on_hosts = [one for one in TEMPLATES if one.slug != "kubernetes-logs"]
    assert len(on_hosts) == 5
    for one in on_hosts:
        assert "directory: ${env:STATE_DIRECTORY:-/var/lib/otelcol}/" in one.text, one.slug
    assert "StateDirectory=$service\n" in (SCRIPTS / "telflo-collector.service").read_text()


def test_each_has_an_address_of_its_own() -> None:
    assert len({one.slug for one in TEMPLATES}) == len(TEMPLATES) == 6
    assert template_named("nginx-logs") is not None
    assert template_named("../settings") is None
