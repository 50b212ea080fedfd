"""What names an extension that nobody starts is refused only where a collector looks for it when it starts."""

import pytest

from configs.collector.findings import Severity
from configs.collector.validate import validate

SERVICE = (
    "service: {pipelines: {logs: {receivers: [kafka], exporters: [otlp_grpc, load_balancing]}}}\n"
)
STORED = "sending_queue: {storage: file_storage%s}"


def severities(receiver: str = "", exporter: str = "", balanced: str = "") -> list[Severity]:
    text = (
        f"receivers: {{kafka: {{{receiver}}}, unused: {{middlewares: [{{id: x}}]}}}}\n"
        f"exporters: {{otlp_grpc: {{endpoint: 'a:1', {exporter}}}, load_balancing: {{{balanced}}}}}\n{SERVICE}"
    )
    found = validate([("a.yaml", text)]).findings
    return [x.severity for x in found if x.rule == "S01" and x.component != "receivers/unused"]


def test_what_no_pipeline_uses_is_not_built() -> None:
    found = validate([("a.yaml", "receivers: {otlp: {middlewares: [{id: x}]}}")]).findings
    assert [x.severity for x in found if x.rule == "S01"] == [Severity.WARNING]


@pytest.mark.parametrize(
    ("named", "severity"),
    [
        ({"exporter": STORED % ""}, Severity.ERROR),
        ({"exporter": STORED % ", enabled: false"}, Severity.WARNING),
        ({"exporter": "middlewares: [{id: limits}]"}, Severity.ERROR),
        ({"receiver": "logs: {encoding: otlp_encoding/a}"}, Severity.ERROR),
        ({"receiver": "traces: {encoding: otlp_encoding/a}"}, Severity.WARNING),
        ({"balanced": STORED % ""}, Severity.ERROR),
        ({"balanced": "protocol: {otlp: {middlewares: [{id: limits}]}}"}, Severity.WARNING),
    ],
)
def test_what_is_off_unused_or_started_later_does_no_harm(
    named: dict[str, str], severity: Severity
) -> None:
    assert severities(**named) == [severity]
