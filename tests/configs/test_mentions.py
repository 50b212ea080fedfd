"""Which line a collector's words are about."""

import pytest

from configs.collector.mentions import line_named
from configs.collector.parse import parse

TEXT = """\
receivers:
  otlp:
    protocols: {grpc: {}}
exporters:
  debug:
  otlp/backend:
    endpoint: backend:4317
    tls:
      insecure: true
      insecur_skip_verify: true
  nosuch:
processors:
  batch:
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [nosuch, otlp/backend]
"""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ('\'exporters\' unknown type: "nosuch" for id: "nosuch" (valid values: [debug otlp])', 11),
        ("exporters::otlp/backend: requires a non-empty endpoint", 6),
        ("exporters::otlp_grpc/backend::tls: no such file", 8),
        ('service::pipelines::traces: references exporter "gone" which is not configured', 16),
        ("error reading \"otlp/backend\": 'tls' has invalid keys: insecur_skip_verify", 10),
        ('cannot start pipelines: failed to start "otlp" receiver: listen tcp :4317', 2),
        ('{"msg":"failed to start \\"batch\\" processor"}', 13),
        ("Agent exited unexpectedly with exit code 1", None),
        ("exporters: something is wrong", None),
        ("exporters::kafka: no brokers", None),
    ],
)
def test_the_line_is_the_one_that_the_words_name(words: str, line: int | None) -> None:
    assert line_named(parse(TEXT), words) == line
