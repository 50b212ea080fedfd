"""What routes are chosen by: read when the connector is built, but for requests, which are read with the text."""

import pytest

from configs.collector.findings import Severity
from configs.collector.validate import validate


@pytest.mark.parametrize(
    ("route", "severity"),
    [
        ("condition: 'attributes['", Severity.WARNING),
        ("context: request, condition: x", Severity.ERROR),
    ],
)
def test_a_connector_that_no_pipeline_uses(route: str, severity: Severity) -> None:
    text = f"connectors: {{routing: {{table: [{{{route}, pipelines: [traces]}}]}}}}"
    found = validate([("a.yaml", text)]).findings
    assert [x.severity for x in found if x.rule == "C25"] == [severity]


@pytest.mark.parametrize("version", ["0.156.0", "0.165.0", None])
def test_contexts_are_taken_from_the_paths_where_collectors_do_so_or_may(
    version: str | None,
) -> None:
    for condition in (
        'span.name == "a"',
        'log.body == "a"',
        'datapoint.attributes["a"] == "b"',
        'otelcol.grpc.metadata["a"][0] == "b"',
        'attributes["a"] == "b"',
    ):
        text = f"connectors: {{routing: {{table: [{{condition: '{condition}', pipelines: [traces]}}]}}}}"
        assert "C25" not in [x.rule for x in validate([("a.yaml", text)], version=version).findings]
