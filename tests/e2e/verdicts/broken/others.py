"""What is laid over the other bases: sampling, telemetry, connectors, the host, counting, routing."""

from __future__ import annotations

from typing import Final

from tests.e2e.verdicts.broken.within import within


def _pipeline(fields: str, name: str = "traces") -> str:
    return f"service: {{pipelines: {{{name}: {{{fields}}}}}}}"


def _policy(fields: str) -> str:
    return within("processors", "tail_sampling", f"policies: [{{name: a, {fields}}}]")


def _route(fields: str) -> str:
    return within("connectors", "routing", f"table: [{{{fields}, pipelines: [traces/a]}}]")


def _telemetry(fields: str) -> str:
    return f"service: {{telemetry: {{{fields}}}}}"


SAMPLING: Final = (
    ("C14", _policy("type: slow")),
    ("C14", _policy("latency: {threshold_ms: 1}")),
    ("C14", _policy("type: latency, latency: {threshold_ms: soon}")),
    ("C14", _policy("type: status_code, status_code: {status_codes: [error]}")),
    ("C14", _policy("type: status_code, status_code: {status_codes: []}")),
    ("C14", _policy("type: ottl_condition, ottl_condition: {span: ['name ==']}")),
    ("C14", _policy("type: ottl_condition, ottl_condition: {error_mode: loud, span: ['true']}")),
    ("C14", _policy("type: string_attribute, string_attribute: {key: a, values: ['('], enabled_regex_matching: true}")),
    ("C14", _policy("type: probabilistic, probabilistic: {sampling_percentage: lots}")),
    ("C14", _policy("type: always_sample}, {name: a, type: always_sample")),
    ("C14", _policy("type: and, and: {and_sub_policy: [{name: b, type: slow}]}")),
    ("C14", _policy("type: and, and: {and_sub_policy: []}")),
    ("C14", _policy("type: composite, composite: {policy_order: [b]}")),
    ("C14", _policy("type: always_sample, unknown: {a: 1}")),
    ("C14", _policy("type: always_sample, unknown: 1")),
    ("C14", within("processors", "tail_sampling", "policies: []")),
    ("C14", within("processors", "tail_sampling", "sampling_strategy: random")),
    ("C14", within("processors", "tail_sampling", "tail_storage: file_storage")),
    ("C14", within("processors", "tail_sampling", "num_traces: 0")),
    ("C14", within("processors", "tail_sampling", "decision_wait: 0s")),
    ("C21", within("processors", "probabilistic_sampler", "sampling_percentage: -1")),
    ("C21", within("processors", "probabilistic_sampler", "sampling_percentage: .inf")),
    ("C21", within("processors", "probabilistic_sampler", "sampling_percentage: 0.00000001")),
    ("C21", within("processors", "probabilistic_sampler", "sampling_percentage: 120")),
    ("C21", within("processors", "probabilistic_sampler", "sampling_precision: 0")),
    ("C21", within("processors", "probabilistic_sampler", "sampling_precision: 15")),
    ("C21", within("processors", "probabilistic_sampler", "mode: random")),
    ("C21", within("processors", "probabilistic_sampler", "hash_seed: -1")),
    ("C21", within("processors", "probabilistic_sampler/logs", "attribute_source: body")),
)  # fmt: skip
TELEMETRY: Final = (
    ("C15", _telemetry("logs: {encoding: xml}")),
    ("C15", _telemetry("metrics: {level: normal, views: []}")),
    ("C15", _telemetry("logs: {level: loud}")),
    ("C15", _telemetry("metrics: {level: high}")),
    ("C15", _telemetry("traces: {level: high}")),
    ("C15", _telemetry("traces: {propagators: [smoke]}")),
    ("C15", _telemetry("logs: {output_paths: [/nowhere/at/all.log]}")),
    ("C15", _telemetry("metrics: {address: 'localhost:8888'}")),
    ("C15", _telemetry("colour: red")),
    ("C15", _telemetry("logs: {colour: red}")),
    ("C16", _telemetry("metrics: {readers: [{pull: }]}")),
    ("C16", _telemetry("metrics: {readers: [{}]}")),
    ("C16", _telemetry("metrics: {readers: [{pull: {exporter: {}}}]}")),
    ("C16", _telemetry("metrics: {readers: [{pull: {exporter: {prometheus: {host: localhost}}}}]}")),
    ("C16", _telemetry("metrics: {readers: [{pull: {exporter: {promotheus: {host: localhost, port: 8899}}}}]}")),
    ("C16", _telemetry("metrics: {readers: [{periodic: {exporter: {otpl: {}}}}]}")),
    ("C16", _telemetry("metrics: {readers: [{periodic: {exporter: {otlp: {protocol: pigeon, endpoint: 'http://localhost:1'}}}}]}")),
    ("C16", _telemetry("metrics: {readers: [{periodic: {exporter: {console: {}}}}]}")),
    ("C16", _telemetry("metrics: {readers: []}")),
    ("C16", _telemetry("metrics: {level: detailed, readers: REMOVED}")),
    ("C16", _telemetry("traces: {processors: [{batch: {exporter: {otpl: {}}}}]}")),
    ("C16", _telemetry("traces: {processors: [{}]}")),
    ("C16", _telemetry("logs: {processors: [{batch: {exporter: {otlp: {protocol: pigeon}}}}]}")),
)  # fmt: skip
BRIDGES: Final = (
    ("G05", "exporters: {forward/up: {}}"),
    ("G05", "receivers: {forward/up: {}}"),
    ("N02", _pipeline("exporters: [nop/out]", "traces/in")),
    ("N02", _pipeline("receivers: [otlp/in]", "traces/out")),
    ("N02", "connectors: {forward/lost: {}}\nservice: {pipelines: {traces/in: {exporters: [forward/up, forward/lost]}}}"),
    ("N02", "service: {pipelines: {traces/middle: REMOVED, logs/middle: {receivers: [forward/up], exporters: [forward/down]}}}"),
    ("N03", _pipeline("receivers: [forward/up], exporters: [forward/up, forward/down]", "traces/middle")),
    ("N03", _pipeline("receivers: [forward/down], exporters: [nop/out, forward/up]", "traces/out")),
    ("L01", "connectors: {forward/unused: {}}"),
    ("L21", _pipeline("receivers: [otlp/in], exporters: [nop/out]", "profiles")),
    ("N01", "receivers: {hostmetrics: {scrapers: {load: {}}}}\nservice: {pipelines: {traces/in: {receivers: [hostmetrics]}}}"),
    ("N01", "receivers: {filelog: {include: [a]}}\nservice: {pipelines: {metrics: {receivers: [filelog], exporters: [nop/out]}}}"),
    ("N01", "processors: {tail_sampling: {policies: [{name: a, type: always_sample}]}}\nservice: {pipelines: {logs: {receivers: [otlp/in], processors: [tail_sampling], exporters: [nop/out]}}}"),
)  # fmt: skip
HOST: Final = (
    ("C20", within("receivers", "hostmetrics", "scrapers: {}")),
    ("C20", within("receivers", "hostmetrics", "scrapers: REMOVED")),
    ("C20", within("receivers", "hostmetrics", "scrapers: {cpus: {}}")),
    ("C20", within("receivers", "hostmetrics", "scrapers: {cpu: {metrics: {system.cpu.nothing: {enabled: true}}}}")),
    ("C20", within("receivers", "hostmetrics", "scrapers: {cpu: {colour: red}}")),
    ("C20", within("receivers", "hostmetrics", "scrapers: {disk: {include: {devices: [a], match_type: loose}}}")),
    ("C20", within("receivers", "hostmetrics", "scrapers: {disk: {include: {devices: [a], match_type: REMOVED}}}")),
    ("C20", within("receivers", "hostmetrics", "scrapers: {disk: {include: {devices: ['('], match_type: regexp}}}")),
    ("C20", within("receivers", "hostmetrics", "scrapers: {filesystem: {include_mount_points: {mount_points: [a], match_type: loose}}}")),
    ("C20", within("receivers", "hostmetrics", "scrapers: {process: {include: {names: [a], match_type: loose}}}")),
    ("C20", within("receivers", "hostmetrics", "collection_interval: 0s")),
    ("C20", within("receivers", "hostmetrics", "collection_interval: -1s")),
    ("C20", within("receivers", "hostmetrics", "timeout: -1s")),
    ("C20", within("receivers", "hostmetrics", "initial_delay: -1s")),
    ("C20", within("receivers", "hostmetrics", "root_path: /nowhere/at/all")),
    ("C20", within("receivers", "hostmetrics", "colour: red")),
    ("C17", within("processors", "resource", "attributes: []")),
    ("C17", within("processors", "resource", "attributes: REMOVED")),
    ("C17", within("processors", "resource", "attributes: [{key: a, action: add}]")),
)  # fmt: skip
ONE_HOST: Final = (
    ("C27", within("extensions", "opamp", "server: {ws: REMOVED}")),
    ("C27", within("extensions", "opamp", "instance_uid: mine")),
    ("C27", within("extensions", "opamp", "instance_uid: 01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    ("C27", within("extensions", "opamp", "server: {ws: {endpoint: ''}}")),
)
COUNTING: Final = (
    ("C22", within("exporters", "file", "path: REMOVED")),
    ("C22", within("exporters", "file", "format: xml")),
    ("C22", within("exporters", "file", "append: true")),
    ("C22", within("exporters", "file", "compression: gzip")),
    ("C22", within("exporters", "file", "flush_interval: -1s")),
    ("C22", within("exporters", "file", "directory_permissions: '0999'")),
    ("C22", within("exporters", "file", "create_directory: false")),
    ("C22", within("exporters", "file/grouped", "path: ./plain.json")),
    ("C22", within("exporters", "file/grouped", "path: '*.json'")),
    ("C22", within("exporters", "file/grouped", "group_by: {resource_attribute: ''}")),
    ("S01", within("exporters", "file", "encoding: text_encoding")),
    ("C22", within("exporters", "file", "path: /nowhere/at/all/file.json, create_directory: REMOVED, directory_permissions: REMOVED")),
    ("C23", within("connectors", "count", "spans: {a: {conditions: ['name ==']}}")),
    ("C23", within("connectors", "count", "spans: {a: {attributes: [{default_value: 1}]}}")),
    ("C23", within("connectors", "count", "spans: {'': {}}")),
    ("C23", within("connectors", "count", "metrics: {a: {attributes: [{key: b}]}}")),
    ("C23", within("connectors", "count", "colour: red")),
    ("C23", within("connectors", "count", "logs: {a: {conditions: ['Nothing(body)']}}")),
)  # fmt: skip
ROUTING: Final = (
    ("C24", within("connectors", "routing", "table: []")),
    ("C24", within("connectors", "routing", "table: REMOVED")),
    ("C24", within("connectors", "routing", "error_mode: loud")),
    ("C24", within("connectors", "routing", "default_pipelines: [traces/nowhere]")),
    ("C24", within("connectors", "routing", "table: [{condition: 'true', pipelines: []}]")),
    ("C24", within("connectors", "routing", "table: [{pipelines: [traces/a]}]")),
    ("C24", within("connectors", "routing", "table: [{condition: 'true', statement: 'route()', pipelines: [traces/a]}]")),
    ("C24", within("connectors", "routing", "table: [{condition: 'true', context: planet, pipelines: [traces/a]}]")),
    ("C24", within("connectors", "routing", "table: [{condition: 'true', action: throw, pipelines: [traces/a]}]")),
    ("C24", within("connectors", "routing", "table: [{condition: 'attributes[', pipelines: [traces/a]}]")),
    ("C24", within("connectors", "routing", "table: [{condition: 'true', pipelines: [traces/nowhere]}]")),
    ("C24", within("connectors", "routing", "table: [{condition: 'true', pipelines: [not a pipeline]}]")),
    ("C24", within("connectors", "routing", "table: [{context: request, condition: 'x', pipelines: [traces/a]}]")),
    ("C25", _route("condition: 'name == \"a\"'")),
    ("C25", _route("context: span, condition: 'name == \"a\" and span.kind == SPAN_KIND_SERVER'")),
    ("C25", _route("context: span, condition: 'IsRootSpan()'")),
    ("C25", _route("context: span, condition: 'IsRoot()'")),
    ("C25", _route("statement: 'set(attributes[\"a\"], 1)'")),
    ("C25", _route("statement: 'delete_key(attributes, \"a\") where attributes[\"a\"] != nil'")),
    ("C25", _route("statement: 'route() where IsMatch(attributes[\"a\"], \"(\")'")),
    ("C25", _route("context: request, condition: 'request[\"a\"] == \"b\"'")),
    ("C25", _route("context: request, statement: 'route()'")),
)  # fmt: skip
