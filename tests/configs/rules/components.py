"""Examples of C and S rules."""

from tests.configs.rules.example import Example, pipelines


def exporter(fields: str) -> str:
    return f"exporters: {{otlp_grpc: {{endpoint: 'a:4317', {fields}}}}}"


def fault(rule: str, bad: str, good: str, says: str = "", fixed: str | None = None) -> Example:
    return Example(
        rule, exporter(bad), exporter(good), says=says, fixed=exporter(fixed) if fixed else None
    )


def processor(kind: str, fields: str) -> str:
    return f"processors: {{{kind}: {{{fields}}}}}\nservice: {{pipelines: {{traces: {{processors: [{kind}]}}}}}}"


def of(rule: str, kind: str, bad: str, good: str) -> Example:
    return Example(rule, processor(kind, bad), processor(kind, good))


def telemetry(text: str) -> str:
    return f"service: {{telemetry: {{{text}}}}}"


def logs(fields: str) -> str:
    body = pipelines("logs: {receivers: [file_log], exporters: [debug]}")
    return f"receivers: {{file_log: {{{fields}}}}}\n{body}"


def kafka(encoding: str) -> str:
    return f"receivers: {{kafka: {{logs: {{encoding: {encoding}}}}}}}"


def encoded(encoding: str) -> str:
    return f"exporters: {{file: {{path: a, encoding: {encoding}}}}}"


LIMITS = "check_interval: 1s, limit_mib: 100"
QUEUE = "sending_queue: {{{}}}"
EXTENSIONS = (
    "extensions: {basicauth: , file_storage: }\nservice: {extensions: [basicauth, file_storage]}\n"
)
ENCODINGS = (
    "extensions: {limits/a: , otlp_encoding: }\nservice: {extensions: [limits/a, otlp_encoding]}\n"
)
POLICY = "policies: [{name: a, type: latency}, {name: %s, type: %s}]"

EXAMPLES = [
    fault("C01", "tls: {ca_file: a, «ca_pem»: b}", "tls: {ca_file: a}"),
    fault("C01", "«tls»: {cert_file: a}", "tls: {cert_file: a, key_pem: '${env:K}'}", "key_file"),
    fault("C01", "tls: {min_version: «'1.4'»}", "tls: {min_version: '1.3'}"),
    fault("C01", "tls: {min_version: «1.2»}", "tls: {min_version: '1.2'}", fixed='tls: {min_version: "1.2"}'),
    fault("C01", "tls: {min_version: «'1.3'», max_version: '1.2'}", "tls: {max_version: '1.2'}", "Swap"),
    fault("C01", "tls: {max_version: «'1.1'»}", "tls: {max_version: '1.1', min_version: '1.0'}", "min_version"),
    fault("C02", "balancer_name: «best»", "balancer_name: pick_first"),
    fault("C02", "balancer_name: «best»", "balancer_name: ''"),
    Example("C02", "receivers: {otlp: {protocols: {grpc: {max_recv_msg_size_mib: «-1»}}}}", "receivers: {otlp: {protocols: {grpc: {max_recv_msg_size_mib: 1}}}}"),
    fault("C03", "retry_on_failure: {initial_interval: «-1s»}", "retry_on_failure: {initial_interval: 1s}"),
    fault("C03", "retry_on_failure: {randomization_factor: «2»}", "retry_on_failure: {randomization_factor: 0.5}"),
    fault("C03", "retry_on_failure: {max_elapsed_time: «10s»}", "retry_on_failure: {max_elapsed_time: 0, enabled: true}"),
    fault("C03", "retry_on_failure: {max_elapsed_time: «10s»}", "retry_on_failure: {max_elapsed_time: 10s, max_interval: 10s}"),
    fault("C04", "compression: «brotli»", "compression: zstd"),
    Example("C04", "exporters: {otlp_http: {endpoint: 'https://a', compression: gzip, compression_params: {level: «99»}}}", "exporters: {otlp_http: {endpoint: 'https://a', compression: zstd, compression_params: {level: 99}}}"),
    fault("C03", "retry_on_failure: {multiplier: «-1»}", "retry_on_failure: {multiplier: 2}"),
    Example("C02", "receivers: {otlp: {protocols: {grpc: {read_buffer_size: «-1»}}}}", "exporters: {otlp: {read_buffer_size: -1}}"),
    Example("C02", "receivers: {otlp: {protocols: {grpc: {max_recv_msg_size_mib: «9223372036854»}}}}", "receivers: {otlp: {protocols: {grpc: {max_recv_msg_size_mib: 64}}}}"),
    Example("C02", "receivers: {otlp: {protocols: {grpc: {transport: «pigeon»}}}}", "receivers: {otlp: {protocols: {grpc: {transport: unix}}}}"),
    Example("C06", "receivers: {otlp: {protocols: {grpc: {«tls»: {ca_file: a}}}}}", "receivers: {otlp: {protocols: {grpc: {tls: {cert_file: a, key_pem: '${env:K}'}}}}}"),
    Example("C06", "receivers: {otlp: {protocols: {http: {logs_url_path: «'%zz'»}}}}", "receivers: {otlp: {protocols: {http: {logs_url_path: '/a%20b'}}}}"),
    Example("C08", "exporters: {otlp_http: {endpoint: «'%zz'»}}", "exporters: {otlp_http: {endpoint: 'https://a/%20'}}"),
    Example("C09", "exporters: {debug: {use_internal_logger: false, output_paths: [«''»]}}", "exporters: {debug: {use_internal_logger: false, output_paths: [stderr]}}"),
    Example("C09", "exporters: {debug: {verbosity: «7»}}", "exporters: {debug: {verbosity: '${env:V}'}}"),
    Example("C15", telemetry("traces: {level: «high»}"), telemetry("traces: {level: None}")),
    Example("C15", telemetry("metrics: {«readers»: []}"), telemetry("metrics: {level: none, readers: []}")),
    Example("C16", telemetry("logs: {processors: [{batch: {exporter: {«otlp»: {protocol: grpc}}}}]}").replace("logs:", "traces:"), telemetry("traces: {processors: [{batch: {exporter: {otlp: {endpoint: a}}}}]}")),
    Example("C13", "extensions: {health_check: {endpoint: «''»}}", "extensions: {health_check: {endpoint: '${env:E}'}}"),
    Example("C13", "extensions: {health_check: {«endpoint»: }}", "extensions: {health_check: {path: /}}"),
    Example("C13", "extensions: {health_check: {path: «a»}}", "extensions: {health_check: {path: /a}}"),
    Example("C13", "extensions: {health_check: {«http»: }}", "extensions: {health_check: }", given={"version": "0.158.0"}, is_error=True),
    Example("C13", "extensions: {health_check: {«grpc»: }}", "extensions: {health_check: }", given={"version": "0.165.0"}, is_error=False),
    Example("C15", telemetry("metrics: {«views»: [{}]}"), telemetry("metrics: {level: Detailed, views: [{}]}")),
    of("C11", "memory_limiter", LIMITS + ", min_gc_interval_when_hard_limited: 20s", LIMITS + ", min_gc_interval_when_hard_limited: 5s"),
    Example("P02", telemetry("logs: {«encodin»: json}"), telemetry("logs: {initial_fields: {a: b}}"), fixed=telemetry("logs: {encoding: json}")),
    Example("P08", telemetry("traces: {propagators: [«1»]}"), telemetry("traces: {propagators: [b3]}"), fixed=telemetry('traces: {propagators: ["1"]}')),
    fault("C05", QUEUE.format("queue_size: «0»"), QUEUE.format("queue_size: 1")),
    fault("C05", QUEUE.format("num_consumers: «0»"), QUEUE.format("num_consumers: 0, enabled: false")),
    fault("C05", QUEUE.format("wait_for_result: «true», storage: a"), QUEUE.format("storage: a")),
    fault("C05", QUEUE.format("sizer: «kilo»"), QUEUE.format("sizer: bytes")),
    fault("C05", QUEUE.format("batch: {sizer: «requests»}"), QUEUE.format("batch: {sizer: items}")),
    fault("C05", QUEUE.format("batch: {flush_timeout: «0s»}"), QUEUE.format("batch: {flush_timeout: 1s}")),
    fault("C05", QUEUE.format("batch: {max_size: «2»}"), QUEUE.format("batch: {max_size: 0}")),
    fault("C05", QUEUE.format("sizer: items, queue_size: 3, batch: {sizer: items, min_size: «5»}"), QUEUE.format("queue_size: 3, batch: {min_size: 5}")),
    fault("C05", QUEUE.format("batch: {min_size: «-1»}"), QUEUE.format("batch: {min_size: 0}")),
    Example("C06", "receivers: {otlp: {«protocols»: {grpc: {enabled: false}}}}", "receivers: {otlp: {protocols: {grpc: {enabled: false}, http: }}}"),
    Example("C06", "receivers: {«otlp»: }", "receivers: {otlp: {protocols: {grpc: }}, otlp/b: '${env:O}'}"),
    Example("C07", "exporters: {«otlp»: }", "exporters: {otlp: {endpoint: '${env:E}'}}"),
    Example("C07", "exporters: {otlp: {endpoint: «host»}}", "exporters: {otlp: {endpoint: 'https://[::1]:4317'}}"),
    Example("C07", "exporters: {otlp: {endpoint: «'host:a'»}}", "exporters: {otlp: {endpoint: 'unix:///a'}}", says="no number"),
    fault("C07", "timeout: «-1s»", "timeout: 1s"),
    Example("C08", "exporters: {«otlp_http»: }", "exporters: {otlp_http: {logs_endpoint: 'https://a'}}"),
    Example("C08", "exporters: {«otlp_http»: {logs_endpoint: 'https://a'}}\n" + pipelines("traces: {receivers: [a], exporters: [otlp_http]}"), "exporters: {otlp_http: {logs_endpoint: 'https://a'}}\n" + pipelines("logs: {receivers: [a], exporters: [otlp_http]}"), says="for traces"),
    Example("C08", "exporters: {otlp_http: {endpoint: «'a:4318'»}}", "exporters: {otlp_http: {endpoint: 'http://a:4318'}}"),
    Example("C08", "exporters: {otlp_http: {endpoint: 'https://a', encoding: «xml»}}", "exporters: {otlphttp: {endpoint: 'https://a', encoding: json}}"),
    Example("C09", "exporters: {debug: {verbosity: «high»}}", "exporters: {debug: {verbosity: Detailed}}"),
    Example("C09", "exporters: {debug: {«output_paths»: [stdout]}}", "exporters: {debug: {output_paths: [stdout], use_internal_logger: false}}"),
    of("C10", "batch", "send_batch_max_size: «100»", "send_batch_max_size: 100, send_batch_size: 100"),
    of("C10", "batch", "timeout: «-1s»", "timeout: 1s"),
    of("C10", "batch", "«metadata_keys»: [a, A]", "metadata_keys: [a, b]"),
    Example("C11", processor("memory_limiter", "«limit_mib»: 100").replace("«limit_mib»", "limit_mib").replace("memory_limiter:", "«memory_limiter»:"), processor("memory_limiter", LIMITS)),
    Example("C11", processor("memory_limiter", "check_interval: 1s").replace("memory_limiter:", "«memory_limiter»:"), processor("memory_limiter", "check_interval: '${env:I}', limit_percentage: 50")),
    of("C11", "memory_limiter", LIMITS + ", spike_limit_mib: «100»", LIMITS + ", spike_limit_mib: 20"),
    of("C11", "memory_limiter", "check_interval: 1s, limit_percentage: «120»", "check_interval: 1s, limit_percentage: 80"),
    Example(
        "C11",
        processor("memory_limiter", LIMITS + ", min_gc_interval_when_soft_limited: «40s»"),
        processor("memory_limiter", LIMITS + ", min_gc_interval_when_soft_limited: 30s"),
        given={"version": "0.158.0"},
    ),
    Example("C12", "extensions: {zpages: {endpoint: «''»}}", "extensions: {zpages: }"),
    of("C14", "tail_sampling", POLICY % ("b", "«slow»"), POLICY % ("b", "drop")),
    of("C14", "tail_sampling", POLICY % ("«a»", "latency"), POLICY % ("b", "'${env:T}'")),
    Example("C15", telemetry("logs: {encoding: «xml»}"), telemetry("logs: {encoding: json}")),
    Example("C15", telemetry("logs: {level: «loud»}"), telemetry("logs: {level: WARN}")),
    Example("C15", telemetry("metrics: {level: «high»}"), telemetry("metrics: {level: Detailed}")),
    Example("C16", telemetry("metrics: {readers: [{«pull»: }]}"), telemetry("metrics: {readers: [{periodic: {exporter: {console: {}}}}]}")),
    Example("C16", telemetry("metrics: {readers: [{pull: {exporter: {«prometheus»: {host: a}}}}]}"), telemetry("metrics: {readers: [{pull: {exporter: {prometheus: {port: 1}}}}]}")),
    Example("C16", telemetry("metrics: {readers: [{pull: {exporter: {«promotheus»: {port: 1}}}}]}"), telemetry("metrics: {readers: [{pull: {exporter: {prometheus/development: {port: 1}}}}]}")),
    Example("C16", telemetry("traces: {processors: [{batch: {exporter: {«otpl»: }}}]}"), telemetry("traces: {processors: [{batch: {exporter: {otlp: {endpoint: a}}}}]}")),
    of("C14", "tail_sampling", "policies: [{name: a, type: status_code, status_code: {status_codes: [«error»]}}]", "policies: [{name: a, type: status_code, status_code: {status_codes: [ERROR]}}]"),
    of("C17", "attributes", "actions: [{key: a, action: «add»}]", "actions: [{key: a, action: delete}]"),
    of("C17", "resource", "attributes: [{key: a, action: «add»}]", "attributes: [{key: a, action: delete}]"),
    Example("C18", logs("include: [a], start_at: «start»"), logs("include: [a], start_at: end")),
    Example("C18", logs("exclude: [a]").replace("file_log:", "«file_log»:"), logs("include: [a]")),
    Example("S01", exporter("auth: {authenticator: «basicauth»}"), EXTENSIONS + exporter("auth: {authenticator: basicauth}")),
    Example("S01", exporter(QUEUE.format("storage: «file_storage»")), EXTENSIONS + exporter(QUEUE.format("storage: file_storage"))),
    Example("S02", "extensions: {basicauth: }\n" + exporter("auth: {authenticator: «basicauth»}"), EXTENSIONS + exporter("auth: {authenticator: basicauth}")),
    Example("S03", EXTENSIONS + exporter("auth: {authenticator: «file_storage»}"), EXTENSIONS + exporter("auth: {authenticator: basicauth}")),
    Example("S01", exporter("middlewares: [{id: «limits/a»}]"), ENCODINGS + exporter("middlewares: [{id: limits/a}]")),
    Example("S01", kafka("«otlp_encoding»"), ENCODINGS + kafka("otlp_encoding")),
    Example("S01", kafka("«otlp_encoding»"), kafka("otlp_proto")),
    Example("S01", encoded("«mine»"), ENCODINGS + encoded("otlp_encoding")),
    Example("S02", "extensions: {limits/a: }\n" + exporter("middlewares: [{id: «limits/a»}]"), ENCODINGS + exporter("middlewares: [{id: limits/a}, '${env:M}']")),
    Example("S02", "extensions: {otlp_encoding: }\n" + encoded("«otlp_encoding»"), ENCODINGS + encoded("otlp_encoding")),
    Example("S03", EXTENSIONS + exporter("middlewares: [{id: «file_storage»}]"), ENCODINGS + exporter("middlewares: [{id: limits/a}]"), says="requests"),
    Example("S03", EXTENSIONS + encoded("«basicauth»"), ENCODINGS + encoded("otlp_encoding"), says="encodes"),
    Example("S03", ENCODINGS + exporter("auth: {authenticator: «otlp_encoding»}"), EXTENSIONS + exporter("auth: {authenticator: basicauth}")),
]  # fmt: skip
