"""Examples of advice."""

from configs.collector.names import Kind
from configs.collector.target import Target
from tests.configs.rules.catalog import CATALOG
from tests.configs.rules.example import Example, pipelines


def line(processors: str) -> str:
    return f"service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}]}}}}}}"


def given(**values: object) -> dict[str, object]:
    return {"target": Target(**values)}  # type: ignore[arg-type]


DEBUG = pipelines(
    "logs: {receivers: [a], exporters: [debug]}", exporters="{debug: {verbosity: %s}}"
)
SENDING = pipelines("logs: {receivers: [a], exporters: [otlp_grpc]}", exporters="{otlp_grpc: {%s}}")
STORED = "sending_queue: {storage: file_storage}"
SAMPLING = pipelines("traces: {processors: [tail_sampling], exporters: [a]}", processors="{%s: }")
LIMIT = "processors: {memory_limiter: {limit_mib: %s}}"
BATCHED = pipelines(
    "logs: {processors: [«batch»], exporters: [otlp_grpc]}",
    exporters="{otlp_grpc: {sending_queue: {batch: , enabled: %s}}}",
)

EXAMPLES = [
    Example("L01", pipelines("logs: {receivers: [a], exporters: [b]}", receivers="{a: , «c»: }"), pipelines("logs: {receivers: [a, '${env:R}'], exporters: [b]}", receivers="{a: , c: }")),
    Example("L02", "extensions: {«pprof»: }\nservice: {extensions: [zpages]}", "extensions: {pprof: }\nservice: {extensions: [pprof]}"),
    Example("L03", "connectors: {forward: }\nservice: {pipelines: {«logs»: {receivers: [forward]}}}", "connectors: {forward: }\nservice: {pipelines: {logs: {receivers: [forward]}, logs/b: {exporters: [forward]}}}"),
    Example("L04", "service: {pipelines: {«traces»: {receivers: [otlp]}}}", line("memory_limiter/a, batch")),
    Example("L04", line("batch, «memory_limiter», a"), line("memory_limiter, '${env:P}'"), fixed=line("memory_limiter, batch, a")),
    Example("L04", "service: {pipelines: {«traces»: {receivers: [otlp]}}}", "connectors: {forward: }\nservice: {pipelines: {traces: {receivers: [forward]}}}"),
    Example("L05", line("batch, «k8s_attributes»"), line("k8s_attributes, batch")),
    Example("L05", line("«batch», filter, a"), line("filter, a, batch"), fixed=line("filter, a, batch")),
    Example("L06", BATCHED % "true", BATCHED.replace("«", "").replace("»", "") % "false"),
    Example("L10", DEBUG % "«detailed»", "exporters: {debug: {verbosity: detailed}}", fixed=DEBUG % "basic"),
    Example("L10", (DEBUG % "basic").replace("{debug:", "{«debug»:"), "exporters: {debug: }", given=given(is_production=True)),
    Example("L12", "service: {telemetry: {metrics: {«address»: 'a:1'}}}", "service: {telemetry: {metrics: {level: none}}}"),
    Example("L13", SENDING % ("retry_on_failure: {enabled: «false»}, " + STORED), SENDING % STORED),
    Example("L13", SENDING % "sending_queue: {enabled: «false»}", SENDING % STORED),
    Example("L13", (SENDING % "").replace("{otlp_grpc:", "{«otlp_grpc»:"), SENDING % STORED, says="restart"),
    Example("L16", SAMPLING % "«tail_sampling»", (SAMPLING % "tail_sampling") + "exporters: {load_balancing: }", given=given(replicas=3)),
    Example("L17", "connectors: {spanmetrics: {dimensions: [{name: a}, {name: «user.id»}]}}", "connectors: {spanmetrics: {dimensions: [{name: http.method}]}}"),
    Example("L18", LIMIT % "«512»", LIMIT % "400", given=given(memory_mib=512)),
    Example("L19", "service: {«extensions»: [pprof]}", "service: {extensions: [opamp/a]}", given=given(required_extensions=frozenset({"opamp"}))),
    Example("L20", (DEBUG % "basic").replace("{debug:", "{«debug»:"), SENDING % "", given=given(components={Kind.EXPORTER: ["otlp_grpc"]})),
    Example("L20", SENDING.replace("{otlp_grpc:", "{«otlp_grpc»:") % STORED, DEBUG % "basic", given=given(components={Kind.EXPORTER: ["debug"], Kind.EXTENSION: ["a"]}) | {"version": "0.158.0"}),
    Example("L20", (DEBUG % "basic").replace("{debug:", "{«debug»:"), SENDING % STORED, given=given(components={Kind.EXTENSION: ["a"]}) | {"version": "0.149.0"}),
    Example("L21", "service: {pipelines: {«profiles»: }}", "service: {pipelines: {logs: }}"),
    Example("L21", "receivers: {«raw»: }", "receivers: {otlp: }", given={"catalog": CATALOG}, says="raw.enabled"),
    Example("L24", "exporters: {«otlp»: }", "receivers: {otlp: }", given=given(denied=frozenset({(Kind.EXPORTER, "otlp_grpc")}))),
    Example("X06", "receivers: {a: {b: «'${file:x}'»}}", "receivers: {a: {b: '${env:X}'}}", given=given(denied_schemes=frozenset({"file"})), says="not allowed"),
]  # fmt: skip
