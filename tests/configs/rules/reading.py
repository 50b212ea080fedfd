"""Examples of P, X, G, M rules."""

from tests.configs.rules.example import Example, pipelines

ONE = pipelines(
    "traces: {receivers: [otlp], exporters: [debug]}", receivers="{otlp: }", exporters="{debug: }"
)


def field(text: str) -> str:
    """A configuration with a field of a receiver."""
    return f"receivers: {{a: {{b: {text}}}}}"


EXAMPLES = [
    Example("P01", "receivers:\n  a: b«:» c", ONE, says="colon"),
    Example("P01", "receivers: {a: , «a»: }", ONE, says="set twice"),
    Example("G01", "", ONE, says="empty"),
    Example("P02", "«recievers»: {}", "receivers: {}", fixed="receivers: {}"),
    Example("P02", "«foo»: {}", "service: {}", says="Known are"),
    Example("P02", "service: {«pipeline»: {}}", "service: {pipelines: {}}", fixed="service: {pipelines: {}}"),
    Example(
        "P02",
        "service: {pipelines: {traces: {receivers: [a], «processor»: [b]}}}",
        "service: {pipelines: {traces: {receivers: [a], processors: [b]}}}",
        fixed="service: {pipelines: {traces: {receivers: [a], processors: [b]}}}",
    ),
    Example("P03", "«Receivers»: {}", "receivers: {}", fixed="receivers: {}"),
    Example("P03", "«Receivers»: {}\nreceivers: {}", "receivers: {}"),
    Example("P04", "receivers: {«a::b»: 1}", "receivers: {a: {b: 1}}"),
    Example("P04", "receivers: {«a::b»: [{c: 1}]}", "receivers: {a: {b: [{c::d: 1}]}}"),
    Example("P05", "receivers: {«1a»: }", "receivers: {a1: }", says="begins with a letter"),
    Example("P05", "receivers: {«otlp/»: }", "receivers: {otlp/a/b: }", says="missing after the /"),
    Example("P05", "receivers: {«otlp/a+b»: }", "receivers: {otlp/ä-1: }", says="symbols"),
    Example("P06", "receivers:\n  otlp/a:\n  «'otlp/a '»:\n", "receivers: {otlp/a: , otlp/b: }"),
    Example("P07", "service: {pipelines: {«trace/a»: }}", "service: {pipelines: {traces/a: }}", fixed="service: {pipelines: {traces/a: }}"),
    Example("P07", "service: {pipelines: {«trace»: , traces: }}", "service: {pipelines: {traces: }}"),
    Example("P07", "service: {pipelines: {«foo»: }}", "service: {pipelines: {logs: }}", says="Signals are"),
    Example("P12", "service: {}\n«---»\nservice: {}", "---\nservice: {}"),
    Example("P13", "receivers: {«' otlp'»: {a: 1}}", "receivers: {' otlp': }", fixed="receivers: {'otlp': {a: 1}}"),
    Example(
        "P14",
        "processors:\n  batch: {timeout: 1s}\n  «batch::timeout»: 2s\n",
        "processors:\n  batch: {timeout: 1s}\n  batch::send_batch_size: 2\n",
        says="line 2",
    ),
    Example("P15", field("«2026-01-02»"), field("'2026-01-02'"), fixed=field('"2026-01-02"')),
    Example("P16", "«receivers»: []", "receivers: ${env:R}"),
    Example(
        "P16",
        "service: {pipelines: {logs: {«exporters»: debug}}}",
        "service: {pipelines: {logs: {exporters: [debug]}}}",
        fixed="service: {pipelines: {logs: {exporters: [debug]}}}",
    ),
    Example("X02", field("«'${env:A-B}'»"), field("'${env:A_B:-c-d}'")),
    Example("X02", field("«'${}'»"), field("'$${}'")),
    Example("X03", field("«'${env:A$B}'»"), field("'${env:${A}}'")),
    Example("X04", field("«$HOME»"), field("'$$HOME and ${HOME}'"), fixed=field('"${env:HOME}"')),
    Example("X04", field("«'a/$HOME/b'»"), field("$"), fixed=field("'a/${env:HOME}/b'")),
    Example("X06", field("«'${foo:bar}'»"), field("'${file:/etc/a} ${yaml:b}'"), is_error=True),
    Example("X06", field("«'${HOST_1:-a}:1'»"), field("'${env:HOST_1:-a}:1'"), fixed=field("'${env:HOST_1:-a}:1'"), says="Write ${env:HOST_1:-…}"),
    Example("X06", "receivers:\n  a:\n    b: «${A:-b}:1»\n", "receivers:\n  a:\n    b: ${env:A}\n", fixed="receivers:\n  a:\n    b: ${env:A:-b}:1\n"),
    Example("X06", field("«'${x:y}'»"), field("'${env:y}'"), is_error=True),
    Example("X06", field("«'${env:A:-${B:-c}}'»"), field("'${env:A:-${env:B:-c}}'"), fixed=field("'${env:A:-${env:B:-c}}'")),
    Example("X06", field("«'${https://a/b.yaml}'»"), field("'${file:/etc/a}'"), says="fetches", is_error=False),
    Example("X07", field("«'${env:A'»"), field("'$${env:A'")),
    Example("X08", "receivers: {a: {«'${env:A}'»: 1}}", "receivers: {a: {'${env:A': '${env:A}'}}"),
    Example("X09", field("«'${env:A:-{a: {b: c}}}'»"), field("'${env:A:-c}'")),
    Example("L23", field("«'${env:A}'»"), field("'${env:A:-b}'")),
    Example("G02", "«exporters»: {debug: }", ONE),
    Example("G03", "«receivers»: {otlp: }", ONE),
    Example("G04", "«service»: {telemetry: }", ONE),
    Example("G05", "receivers: {forward: }\nconnectors: {«forward»: }", "receivers: {a: }\nconnectors: {forward: }"),
    Example(
        "G06",
        "extensions: {pprof: }\nservice: {extensions: [«prof»]}",
        "extensions: {pprof: }\nservice: {extensions: [pprof]}",
        fixed="extensions: {pprof: }\nservice: {extensions: [pprof]}",
    ),
    Example("G07", ONE.replace("[otlp]", "[«oltp»]"), ONE, fixed=ONE),
    Example("G07", ONE.replace("[otlp]", "[otlp, «otlpp»]"), ONE, says="Define it"),
    Example("G07", ONE.replace("[debug]", "[«otlp»]"), ONE.replace("[debug]", "['${env:E}']"), says="one of the receivers"),
    Example("G08", ONE.replace("exporters: [debug]", "«exporters»: []"), ONE),
    Example("G08", "service: {pipelines: {«logs»: }}", "service: {pipelines: {logs: '${file:l.yaml}'}}"),
    Example(
        "G09",
        "service: {pipelines: {logs: {processors: [batch, «batch»]}}}",
        "service: {pipelines: {logs: {processors: [batch, batch/b]}}}",
        fixed="service: {pipelines: {logs: {processors: [batch]}}}",
    ),
    Example(
        "G09",
        "service:\n  pipelines:\n    logs:\n      exporters:\n      - a # one\n      - «a» # two\n      - b\n",
        "service: {pipelines: {logs: {exporters: [a, b]}}}",
        fixed="service:\n  pipelines:\n    logs:\n      exporters:\n      - a # one\n      - b\n",
    ),
]  # fmt: skip
