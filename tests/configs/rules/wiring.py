"""Examples of the graph and of the catalog."""

from configs.collector.target import Target
from tests.configs.rules.catalog import CATALOG
from tests.configs.rules.example import Example, pipelines

KNOWN = {"catalog": CATALOG}
ANOTHER = {"version": "0.157.0"}
"""A collector of another version than the catalog is of."""
REPORTED = {
    "target": Target(
        reported=frozenset(
            {("exporters", "own"), ("exporters", "sapm"), ("processors", "k8s_attributes")}
        )
    )
}
"""What a build of one's own says that it has; kinds and present names."""


def exporter(fields: str, name: str = "otlp_grpc") -> str:
    return f"exporters: {{{name}: {{endpoint: 'a:1', {fields}}}}}"


def fault(rule: str, bad: str, good: str, fixed: str | None = None, says: str = "") -> Example:
    """Of a setting of an exporter whose settings are verified."""
    return Example(
        rule, exporter(bad), exporter(good), None if fixed is None else exporter(fixed), says, KNOWN
    )


CIRCLE = pipelines(
    "logs: {receivers: [forward/a], exporters: [forward/b]}\nlogs/b: {receivers: [forward/b], exporters: [forward/a]}",
)

EXAMPLES = [
    Example(
        "N01",
        "receivers: {hostmetrics: }\nservice: {pipelines: {logs: {receivers: [«hostmetrics»]}}}",
        "receivers: {hostmetrics: }\nservice: {pipelines: {metrics: {receivers: [hostmetrics]}}}",
        says="only with metrics",
        given=KNOWN,
        is_error=True,
    ),
    Example(
        "N01",
        "receivers: {hostmetrics: }\nservice: {pipelines: {logs: {receivers: [«hostmetrics»]}}}",
        "receivers: {hostmetrics: }\nservice: {pipelines: {metrics: {receivers: [hostmetrics]}}}",
        given=KNOWN | ANOTHER,
        is_error=False,
    ),
    Example(
        "N02",
        "connectors: {forward: }\nservice: {pipelines: {logs: {exporters: [«forward»]}}}",
        "connectors: {forward: }\nservice: {pipelines: {logs: {exporters: [forward]}, logs/b: {receivers: [forward]}}}",
    ),
    Example(
        "N02",
        "connectors: {span_metrics: }\nservice: {pipelines: {logs: {exporters: [«span_metrics»]}, metrics: {receivers: [span_metrics]}}}",
        "connectors: {span_metrics: }\nservice: {pipelines: {traces: {exporters: [span_metrics]}, metrics: {receivers: [span_metrics]}}}",
        given=KNOWN,
        is_error=True,
    ),
    Example(
        "N02",
        "connectors: {span_metrics: }\nservice: {pipelines: {logs: {exporters: [«span_metrics»]}, metrics: {receivers: [span_metrics]}}}",
        "connectors: {span_metrics: }\nservice: {pipelines: {traces: {exporters: [span_metrics]}, metrics: {receivers: [span_metrics]}}}",
        given=KNOWN | ANOTHER,
        is_error=False,
    ),
    Example(
        "N02",
        "connectors: {span_metrics: }\nservice: {pipelines: {traces: {exporters: [«span_metrics»]}}}",
        "connectors: {span_metrics: }",
        given=KNOWN | ANOTHER,
        is_error=True,
    ),
    Example(
        "N03",
        "connectors: {«forward/a»: , forward/b: }\n" + CIRCLE,
        "connectors: {forward/a: , forward/b: }\n" + CIRCLE.replace("exporters: [forward/a]", "exporters: [debug]"),
        says="pipeline logs",
    ),
    Example(
        "N03",
        "connectors: {«forward»: }\nservice: {pipelines: {logs: {receivers: [forward], exporters: [forward]}}}",
        "connectors: {span_metrics: }\nservice: {pipelines: {traces: {receivers: [span_metrics], exporters: [span_metrics]}}}",
        given=KNOWN,
    ),
    Example(
        "N05",
        "receivers: {«raw»: }\nservice: {pipelines: {logs: {receivers: [raw]}}}",
        "receivers: {otlp: , raw: }\nservice: {pipelines: {logs: {receivers: [otlp]}}}",
        says="in development",
        given=KNOWN,
    ),
    fault("P02", "«endpont»: x", "timeout: 1s", says="endpoint"),
    fault("P02", "tls: {«insecur»: true}", "tls: {insecure: true}", "tls: {insecure: true}"),
    fault("P03", "«Timeout»: 1s", "timeout: 1s", "timeout: 1s"),
    fault("P08", "queue: «'5'»", "queue: '${env:Q}'", "queue: 5"),
    fault("P08", "queue: «-5»", "queue: 5"),
    fault("P08", "queue: «1.5»", "queue: 0x10", says="cut off"),
    fault("P08", "ratio: «x»", "ratio: 1"),
    fault("P08", "pairs: [«a»]", "pairs: [{name: a, value: b}, null, {}]"),
    fault("P08", "pairs: [{name: a, value: «1»}]", "pairs: [{name: a}]", 'pairs: [{name: a, value: "1"}]'),
    fault("P08", "«pairs»: a", "pairs: {a: b}"),
    fault("P08", "«level»: {a: b}", "level: HIGH"),
    fault("P08", "«level»: [a]", "level: 5"),
    fault("P08", "timeout: «30»", "timeout: 30s", "timeout: 30s", "nanoseconds"),
    fault("P08", "timeout: «1d»", "timeout: 1h30m"),
    fault("P08", "tls: {insecure: «yes»}", "tls: {insecure: true}", "tls: {insecure: true}"),
    fault("P08", "tls: {min_version: «1.2»}", "tls: {min_version: '1.2'}", 'tls: {min_version: "1.2"}'),
    fault("P08", "headers: {a: «010»}", "headers: {a: b}", 'headers: {a: "010"}'),
    fault("P08", "«mode»: [fast]", "names: 'a,b'"),
    fault("P08", "tls: «on»", "tls: "),
    fault("P17", "mode: «Fats»", "mode: safe", "mode: fast"),
    fault("P17", "queue: «0»", "queue: 1", says="at least 1"),
    fault("P17", "queue: «101»", "queue: 100", says="at most 100"),
    Example("P18", "exporters: {«otlp_grpc»: {timeout: 1s}}", exporter("timeout: 1s"), given=KNOWN),
    fault("P19", "«old»: 1", "queue: 1", says="Use queue"),
    fault("P19", "«moved»: 1", "queue: 1", says="another place"),
    Example(
        "P10",
        "exporters: {«debugg/a»: }\nservice: {pipelines: {logs: {exporters: [debugg/a]}}}",
        "exporters: {debug/a: }",
        fixed="exporters: {debug/a: }\nservice: {pipelines: {logs: {exporters: [debug/a]}}}",
        says="otelcol-test 0.158.0",
        given=KNOWN,
    ),
    Example(
        "P11",
        "exporters: {«otlp/b»: }\nservice: {pipelines: {logs: {exporters: ['otlp/b', debug]}}}",
        "exporters: {otlp_grpc/b: }\nreceivers: {otlp: }",
        fixed="exporters: {otlp_grpc/b: }\nservice: {pipelines: {logs: {exporters: ['otlp_grpc/b', debug]}}}",
        given=KNOWN,
    ),
    Example(
        "P10",
        "exporters: {«bug/a»: }\nservice: {pipelines: {logs: {exporters: [debug/a]}}}",
        "exporters: {debug/a: }",
        fixed="exporters: {debug/a: }\nservice: {pipelines: {logs: {exporters: [debug/a]}}}",
        says="which a pipeline uses",
        given=KNOWN,
    ),
    Example(
        "G07",
        pipelines("logs: {receivers: [«otlp»], exporters: [debug]}", receivers="{otp: }", exporters="{debug: }"),
        pipelines("logs: {receivers: [otlp], exporters: [debug]}", receivers="{otlp: }", exporters="{debug: }"),
        given=KNOWN,
        says="Define it",
    ),
    Example("P10", "receivers: {«forward»: }", "connectors: {forward: }", given=KNOWN, says="one of the connectors"),
    Example("P10", "exporters: {own: , «owns»: }", "exporters: {own: , own/a: }\nprocessors: {k8sattributes: }", given=KNOWN | REPORTED),
    Example("L22", "exporters: {«logging»: }", "exporters: {debug: }", says="debug"),
    Example("L22", "exporters: {«logging»: }", "exporters: {sapm: }", given=KNOWN | REPORTED),
]  # fmt: skip
