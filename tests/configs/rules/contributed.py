"""Examples of rules on contributed components."""

from tests.configs.rules.example import Example, pipelines

LATER = {"version": "0.158.0"}


def processor(kind: str, fields: str, signal: str = "logs") -> str:
    return (
        f"processors: {{{kind}: {{{fields}}}}}\n"
        f"service: {{pipelines: {{{signal}: {{processors: [{kind}]}}}}}}"
    )


def of(rule: str, kind: str, bad: str, good: str, signal: str = "logs", says: str = "") -> Example:
    return Example(rule, processor(kind, bad, signal), processor(kind, good, signal), says=says)


def logs(fields: str) -> str:
    body = pipelines("logs: {receivers: [file_log], exporters: [debug]}")
    return f"receivers: {{file_log: {{include: [a], {fields}}}}}\n{body}"


def syslog(fields: str) -> str:
    return f"receivers: {{syslog: {{protocol: rfc3164, {fields}}}}}"


def lines(bad: str, good: str, says: str = "", *, is_error: bool | None = None) -> Example:
    wrong, right = (logs(f"operators: [{{{one}}}]") for one in (bad, good))
    return Example("C19", wrong, right, says=says, is_error=is_error)


def opamp(uid: str) -> str:
    return f"extensions: {{opamp: {{instance_uid: {uid}, server: {{ws: {{endpoint: 'ws://a'}}}}}}}}"


def reads(bad: str, good: str, says: str = "") -> Example:
    return Example("C18", logs(bad), logs(good), says=says)


def does(bad: str, good: str, says: str = "") -> Example:
    return of(
        "C17",
        "attributes",
        f"actions: [{{key: a, {bad}}}]",
        f"actions: [{{key: a, {good}}}]",
        says=says,
    )


def says(signal: str, bad: str, good: str, why: str) -> Example:
    key = {"traces": "trace", "metrics": "metric", "logs": "log"}[signal]
    return of(
        "C25",
        "transform",
        f"{key}_statements: [«'{bad}'»]",
        f"{key}_statements: ['{good}']",
        signal,
        why,
    )


def asks(where: str, bad: str, good: str, why: str) -> Example:
    signal, key = where.split("::")
    return of(
        "C25",
        "filter",
        f"{signal}: {{{key}: [«'{bad}'»]}}",
        f"{signal}: {{{key}: ['{good}']}}",
        signal,
        why,
    )


def host(bad: str, good: str) -> Example:
    body = pipelines("metrics: {receivers: [hostmetrics], exporters: [debug]}")
    text = "receivers: {hostmetrics: {scrapers: {%s}}}\n" + body
    return Example("C20", text % bad, text % good)


def into_file(bad: str, good: str) -> Example:
    text = "exporters: {file: {path: ./a*.json, %s}}"
    return Example("C22", text % bad, text % good)


def counts(bad: str, good: str) -> Example:
    return Example("C23", f"connectors: {{count: {{{bad}}}}}", f"connectors: {{count: {{{good}}}}}")


def chosen(bad: str, good: str, says: str = "", version: str = "0.158.0") -> Example:
    """A route by a condition or a statement."""
    body = (
        "service: {pipelines: {traces: {exporters: [routing]}, traces/a: {receivers: [routing]}}}"
    )
    text = "connectors: {routing: {table: [{%s, pipelines: [traces/a]}]}}\n" + body
    return Example("C25", text % bad, text % good, says=says, given={"version": version})


def routed(bad: str, good: str) -> Example:
    body = (
        "\nservice: {pipelines: {traces: {exporters: [routing]}, traces/a: {receivers: [routing]}}}"
    )
    text = "connectors: {routing: {table: [%s]}}" + body
    return Example("C24", text % bad, text % good)


NAMED = "regex: '(?P<a>.)'"
ROUTE = "{condition: 'true', pipelines: [traces/a]%s}"
SET = 'set(log.body, "a")'

EXAMPLES = [
    does("action: «add»", "action: delete"),
    does("«action»: ", "action: '${env:A}'"),
    does("action: insert", "action: insert, default_value: 1", "needs value"),
    does("action: insert, value: 1, «from_attribute»: b", "action: insert, value: ''", "exclude each other"),
    does("action: delete, «value»: 1", "action: hash, from_context: a", "takes no value"),
    does("action: upsert, value: 1, «pattern»: x", "action: delete, pattern: '^x'", "takes no pattern"),
    does("action: hash, pattern: «'('»", "action: hash, pattern: '(x)'", "never closed"),
    does("action: extract, pattern: «'(.)'»", "action: extract, pattern: '(?P<x>.)'", "names"),
    does("action: convert, converted_type: «date»", "action: convert, converted_type: int"),
    does("action: delete, «converted_type»: int", "action: delete", "takes no converted_type"),
    of("C17", "attributes", "actions: [{action: delete}]", "actions: [{pattern: a, action: delete}]", says="needs a key"),
    of("C17", "resource", "«attributes»: []", "attributes: [{key: a, action: delete}]", says="does nothing"),
    reads("max_log_size: «1 parsec»", "max_log_size: 2MiB"),
    reads("fingerprint_size: «3»", "fingerprint_size: 16"),
    reads("«delete_after_read»: true", "start_at: end", "gate"),
    reads("exclude: [«'a['»]", "exclude: ['[a].log']", "never closed"),
    Example("C27", "extensions: {opamp: {«server»: {}}}", "extensions: {opamp: {server: {ws: {endpoint: 'ws://a'}}}}"),
    Example("C27", "extensions: {opamp: {«server»: {ws: , http: }}}", "extensions: {opamp: {server: {ws: {endpoint: 'ws://a'}, http: }}}"),
    Example("C27", opamp("«mine»"), opamp("01ARZ3NDEKTSV4RRFFQ69G5FAV")),
    Example("C27", opamp("«81ARZ3NDEKTSV4RRFFQ69G5FAV»"), opamp("'550e8400-e29b-41d4-a716-446655440000'")),
    Example("C27", "extensions: {opamp: {server: {ws: {«endpoint»: ''}}}}", "extensions: {opamp: {server: '${env:S}'}}"),
    lines("type: add, field: body, value: «'EXPR(body ==)'»", "type: add, field: body, value: 'body =='"),
    of("C14", "tail_sampling", "«tail_storage»: a", "num_traces: 1", "traces", "gate"),
    of("C25", "transform", "flatten_data: «true»", "flatten_data: false", says="gate"),
    reads("multiline: {line_start_pattern: a, «line_end_pattern»: b}", "multiline: {line_end_pattern: b}"),
    reads("multiline: {line_start_pattern: «'['»}", "multiline: {line_start_pattern: '[a]'}"),
    reads("ordering_criteria: {sort_by: [{«sort_type»: wild}]}", "ordering_criteria: {regex: a, sort_by: [{sort_type: numeric}]}"),
    reads("«ordering_criteria»: {sort_by: [{sort_type: numeric}]}", "ordering_criteria: {regex: '(?P<a>.)', sort_by: [{sort_type: numeric}]}", "needs regex"),
    lines("type: «rot13»", "type: noop"),
    lines("id: a", "type: noop, id: a", "has a type"),
    lines("type: regex_parser", f"type: regex_parser, {NAMED}", "needs regex"),
    lines("type: regex_parser, regex: «'('»", f"type: regex_parser, {NAMED}", "never closed"),
    lines("type: regex_parser, regex: «'(.)'»", f"type: regex_parser, {NAMED}", "no group"),
    lines("type: json_parser, parse_from: «nowhere»", "type: json_parser, parse_from: 'attributes[\"a\"]'", "begins with"),
    lines("type: add, field: «'attributes[a]'»", "type: add, field: 'attributes[\"a\"].b'", "quotes"),
    lines("type: add, field: «'attributes[\"a\"]b'»", "type: add, field: \"attributes.a['b.c']\"", "quotes"),
    reads("«header»: {pattern: a, metadata_operators: [{type: noop}]}", "start_at: beginning, header: {pattern: a, metadata_operators: [{type: noop}]}", "beginning"),
    reads("start_at: beginning, «header»: {pattern: a}", "header: ", "metadata_operators"),
    reads("ordering_criteria: {sort_by: [{sort_type: «mtime»}]}", "start_at: end", "gate"),
    lines("type: add, field: «attributes»", "type: remove, field: attributes", "alone"),
    lines("type: json_parser, on_error: «panic»", "type: json_parser, on_error: drop"),
    lines("type: json_parser, output: «nobody»", "type: json_parser, id: a, output: a", "with the id"),
    lines("type: json_parser, timestamp: {parse_from: body}", "type: json_parser, timestamp: {parse_from: body, layout: '%Y'}", "layout"),
    lines("type: json_parser, timestamp: {layout: '%Y'}", "type: json_parser, timestamp: {parse_from: body, layout_type: native}", "parse_from"),
    lines("type: severity_parser, parse_from: body, preset: «some»", "type: severity_parser, parse_from: body, preset: otel", "one of", is_error=False),
    lines("type: json_parser, severity: {preset: none}", "type: json_parser, severity: {parse_from: body}", "parse_from"),
    lines("type: time_parser, parse_from: body, layout_type: epoch, layout: «x»", "type: time_parser, parse_from: body, layout_type: epoch, layout: s"),
    lines("type: time_parser, parse_from: body, layout: «'%Q'»", "type: time_parser, parse_from: body, layout: '%Y'", "no %Q"),
    lines("type: json_parser, timestamp: {parse_from: body, layout: «'2006-01-02'»}", "type: json_parser, timestamp: {parse_from: body, layout_type: gotime, layout: '2006-01-02'}", "digits"),
    lines("type: json_parser, timestamp: {parse_from: body, layout_type: gotime, layout: «'05:999'»}", "type: json_parser, timestamp: {parse_from: body, layout_type: native, layout: '05:999'}", "9s"),
    lines("type: time_parser, parse_from: body, layout: '%H', location: «/etc/localtime»", "type: time_parser, parse_from: body, layout: '%H', location: Europe/Berlin", "such as"),
    lines("type: time_parser, parse_from: body, layout: '%H', location: «berlin»", "type: time_parser, parse_from: body, layout_type: epoch, layout: s, location: berlin", "Did you mean Europe/Berlin?"),
    lines("type: time_parser, parse_from: body, layout: '%Z', time_zone_locations: {MEZ: «Moon/Base»}", "type: time_parser, parse_from: body, layout: '%Z', time_zone_locations: {MEZ: Europe/Berlin}", "Moon/Base"),
    lines("type: syslog_parser, protocol: rfc3164, location: «Moon/Base»", "type: syslog_parser, protocol: RFC3164, location: UTC", "Moon/Base"),
    Example("C19", syslog("location: «Moon/Base»"), syslog("location: Local"), says="Moon/Base"),
    reads("encoding: «klingon»", "encoding: UTF-16LE", "no encoding"),
    Example("C18", syslog("udp: {listen_address: 'a:1', encoding: «klingon»}"), syslog("udp: {listen_address: 'a:1', encoding: latin1}, attributes: {encoding: klingon}")),
    reads("ordering_criteria: {regex: a, sort_by: [{sort_type: timestamp, regex_key: a, layout: «'%Q'»}]}", "ordering_criteria: {regex: a, sort_by: [{sort_type: timestamp, regex_key: a, layout: '%Y'}]}"),
    reads("ordering_criteria: {regex: a, sort_by: [{sort_type: timestamp, regex_key: a, layout: '%Y', location: «Moon/Base»}]}", "ordering_criteria: {regex: a, sort_by: [{sort_type: timestamp, regex_key: a, layout: '%Y', location: UTC}]}"),
    lines("type: key_value_parser, delimiter: «' '»", "type: key_value_parser"),
    lines("type: csv_parser", "type: csv_parser, header: 'a,b'", "needs header"),
    lines("type: csv_parser, header: «a»", "type: csv_parser, header: 'a;b', delimiter: ';'", "one name"),
    lines("type: regex_replace, field: body", "type: regex_replace, field: body, regex_name: ansi_control_sequences", "needs regex"),
    lines("type: recombine, combine_field: body", "type: recombine, combine_field: body, is_first_entry: 'true'", "not both"),
    lines("type: filter, expr: 'true', drop_ratio: «2»", "type: filter, expr: 'true', drop_ratio: 1"),
    lines("type: router, routes: [{expr: 'true', output: «nobody»}]", "type: router, id: a, routes: [{expr: 'true', output: [a]}]"),
    lines("type: container, format: «podman»", "type: container, format: crio"),
    lines("type: noop, id: a}, {type: noop, id: «a»", "type: noop, id: a}, {type: noop, id: b"),
    lines("type: json_parser, if: «'body =='»", "type: json_parser, if: 'body == \"(\"'"),
    lines("type: flatten", "type: flatten, field: body.a", "needs field"),
    does("action: insert, value: «2026-01-02»", "action: insert, value: '2026-01-02'"),
    of("C14", "tail_sampling", "policies: [{name: a, type: always_sample, «unknown»: 1}]", "policies: [{name: a, type: always_sample, unknown: {a: 1}}]", "traces"),
    of("C14", "tail_sampling", "policies: [{name: a, type: and, and: {and_sub_policy: [{name: b, type: «slow»}]}}]", "policies: [{name: a, type: and, and: {and_sub_policy: [{name: b, type: latency}]}}]", "traces"),
    of("C14", "tail_sampling", "sampling_strategy: «random»", "sampling_strategy: span-ingest", "traces"),
    of("C21", "probabilistic_sampler", "sampling_percentage: «-1»", "sampling_percentage: 120"),
    of("C21", "probabilistic_sampler", "sampling_precision: «15»", "sampling_precision: 14"),
    of("C21", "probabilistic_sampler", "mode: «random»", "mode: equalizing"),
    host("", "cpu: "),
    host("«cpus»: ", "load: , process: "),
    host("disk: {include: {devices: [a], match_type: «loose»}}", "disk: {include: {devices: [a], match_type: strict}}"),
    host("disk: {exclude: {devices: [«'('»], match_type: regexp}}", "disk: {exclude: {devices: ['('], match_type: strict}}"),
    into_file("format: «xml»", "format: proto"),
    into_file("«append»: true, rotation: {}", "append: true"),
    into_file("«directory_permissions»: '0755'", "create_directory: true, directory_permissions: '0755'"),
    into_file("create_directory: true, directory_permissions: «'0999'»", "create_directory: '${env:C}', directory_permissions: '0755'"),
    into_file("group_by: {enabled: true, resource_attribute: «''»}", "group_by: {enabled: true}"),
    Example("C22", "exporters: {file: {path: «a.json», group_by: {enabled: true}}}", "exporters: {file: {path: 'a*.json', group_by: {enabled: true}}}"),
    Example("C22", "exporters: {«file»: {format: json}}", "exporters: {file: {path: a}}"),
    counts("spans: {«''»: {}}", "spans: {a: }"),
    counts("metrics: {a: {«attributes»: [{key: b}]}}", "metrics: {a: {attributes: []}}"),
    counts("logs: {a: {attributes: [{default_value: b}]}}", "logs: {a: {attributes: [{key: b}]}}"),
    routed("{condition: 'true', statement: 'route()', pipelines: [traces/a]}", ROUTE % ""),
    routed("{condition: 'true', pipelines: [«traces»]}", ROUTE % ""),
    routed("{condition: 'true', «pipelines»: []}", ROUTE % ""),
    routed("{condition: 'true', pipelines: [«null»]}", "{condition: 'true', pipelines: ['${env:P}']}"),
    routed("{condition: 'true', pipelines: [traces/a], context: «planet»}", ROUTE % ", context: span"),
    Example("C24", "connectors: {routing: {«table»: []}}", "connectors: {routing: '${env:R}'}"),
    routed("{condition: 'true', pipelines: [traces/a], context: «planet»}", ROUTE % ", context: otelcol"),
    chosen("condition: «'attributes['»", "condition: 'attributes[\"a\"] == \"b\"'", "ends too early"),
    chosen("condition: «'name == \"a\"'»", "context: span, condition: 'name == \"a\"'", "resource has no name"),
    chosen("condition: «'span.nam == \"a\"'»", "condition: 'span.name == \"a\"'", "did you mean name"),
    chosen("condition: «'span.name == \"a\"'»", "condition: 'resource.attributes[\"a\"] == nil'", version="0.149.0"),
    chosen("context: span, condition: «'IsRoot()'»", "context: span, condition: 'IsRootSpan()'", "did you mean IsRootSpan"),
    chosen("condition: «'otelcol.client.metadata['»", "condition: 'otelcol.client.metadata[\"a\"][0] == \"b\"'"),
    chosen("context: log, condition: «'sett(body, 1)'»", "context: log, condition: 'severity_number > SEVERITY_NUMBER_INFO'"),
    chosen("statement: «'set(attributes[\"a\"], 1)'»", "statement: 'route() where IsMatch(attributes[\"a\"], \"^b\")'", "no function set"),
    chosen("statement: «'route() where IsMatch(attributes[\"a\"], \"(\")'»", "statement: 'delete_key(attributes, \"a\") where attributes[\"a\"] != nil'", "never closed"),
    chosen("context: request, condition: «x»", "context: request, condition: 'request[\"a\"] == \"b\"'", "request["),
    chosen("context: request, condition: «'request[\"a\"] == \"b\" or request[\"a\"] == \"c\"'»", "context: request, condition: 'request[\"a\"] != \"b\"'", "request["),
    chosen("context: request, statement: «'route()'»", "context: request, condition: 'request[\"a\"] != \"b\"'", "condition"),
    of("C25", "transform", "log_statements: [null]", "log_statements: []", says="no statement"),
    of("C25", "transform", "«log_statements»: a", "log_statements: '${env:S}'", says="is a list"),
    of("C25", "transform", "log_statements: [{}]", "log_statements: [{context: log}]", says="Without statements"),
    of("C25", "filter", "log_conditions: [«'log.body =='»]", "log_conditions: ['log.body == \"a\"']", says="ends too early"),
    of("C25", "filter", "metric_conditions: [{context: «planet», conditions: ['true']}]", "metric_conditions: [{context: metric, conditions: ['name == \"a\"']}]", "metrics"),
    says("logs", 'set(log.body, "a"', SET, "ends too early"),
    says("logs", "set(log.body, )", SET, "cannot be read"),
    says("logs", "set(log.body, ''a'')", SET, "double quotes"),
    says("logs", 'set(log.body, "\\q")', SET, "no escape"),
    says("logs", "set(log.attributes.a, 1)", SET, "is written"),
    says("logs", "keep_keys(log.attributes, [1])", 'keep_keys(log.attributes, ["a"])', "list of texts"),
    says("logs", 'replace_pattern(log.body, "a", "b", SHA256)', SET, "taken for a word"),
    says("metrics", "convert_sum_to_gauge()", 'convert_sum_to_gauge() where metric.name == "a"', "no path"),
    says("logs", 'sett(log.body, "a")', SET, "did you mean set"),
    says("logs", "set(log.body)", SET, "takes 2 arguments"),
    says("logs", "set(log.bodi, 1)", SET, "did you mean body"),
    says("logs", "set(body, 1)", SET, "has to stand below"),
    says("logs", 'set(log.body, concat(["a"], ""))', 'set(log.body, Concat(["a"], ""))', "capital"),
    says("logs", 'Concat(["a"], "")', SET, "changes something"),
    says("logs", 'limit(log.attributes, "a", [])', 'limit(log.attributes, 3, ["a"])', "whole number"),
    says("logs", 'keep_keys(log.attributes, "a")', 'keep_keys(log.attributes, ["a"])', "a list"),
    says("logs", "set(log.body, 1) where log.severity_number > SEVERITY_NUMBER_LOUD", "set(log.body, 1) where log.severity_number > SEVERITY_NUMBER_WARN", "no word"),
    says("logs", 'replace_pattern(log.body, "(", "x")', 'replace_pattern(log.body, "(a)", "x")', "never closed"),
    says("metrics", "convert_sum_to_gauge() where datapoint.value_int > 3", 'convert_sum_to_gauge() where metric.name == "a"', "no function"),
    of("C25", "transform", "log_statements: [{context: «planet», statements: []}]", "log_statements: [{context: log, statements: ['set(body, 1)']}]"),
    of("C25", "transform", "error_mode: «loud»", "error_mode: silent"),
    Example("C25", "connectors: {routing: {error_mode: «loud»}}", "connectors: {routing: {error_mode: ignore}}"),
    of("C25", "tail_sampling", "policies: [{name: a, type: ottl_condition, ottl_condition: {error_mode: «loud»}}]", "policies: [{name: a, type: ottl_condition, ottl_condition: {error_mode: propagate}}]", "traces"),
    asks("logs::log_record", "body ==", 'body == "a"', "ends too early"),
    asks("traces::span", 'nam == "a"', 'name == "a" and resource.attributes["b"] == nil', "did you mean name"),
    asks("metrics::metric", 'HasAttrOnDatapoint("a")', 'HasAttrOnDatapoint("a", "b")', "takes 2"),
    of("C25", "tail_sampling", "policies: [{name: a, type: ottl_condition, ottl_condition: {span: [«'name =='»]}}]", "policies: [{name: a, type: ottl_condition, ottl_condition: {span: ['name == \"a\"']}}]", "traces"),
    of("C26", "filter", "metrics: {include: {match_type: «loose», metric_names: [a]}}", "metrics: {include: {match_type: expr, expressions: [a]}}", "metrics"),
    of("C26", "filter", "metrics: {include: {match_type: regexp, metric_names: [«'('»]}}", "metrics: {include: {match_type: strict, metric_names: ['(']}}", "metrics"),
    of("C26", "filter", "logs: {include: {match_type: regexp, record_attributes: [{key: a, value: «1»}]}}", "logs: {include: {match_type: strict, record_attributes: [{key: a, value: 1}]}}"),
    of("C26", "filter", "logs: {include: {match_type: strict, record_attributes: [{value: a}]}}", "logs: {include: {match_type: strict, record_attributes: ['${env:A}']}}", says="needs a key"),
    of("C26", "filter", "metrics: {metric: ['true'], include: {match_type: strict, metric_names: [a]}}", "metrics: {metric: ['true']}", "metrics", "exclude each other"),
    of("C26", "filter", "logs: {include: {match_type: strict, severity_number: {min: «LOUD»}}}", "logs: {include: {match_type: strict, severity_number: {min: Info}}}"),
    of("C26", "filter", "spans: {include: {match_type: strict, span_kinds: [«SERVER»]}}", "spans: {include: {match_type: strict, span_kinds: [SPAN_KIND_SERVER]}}", "traces"),
    of("C26", "filter", "spans: {«include»: {match_type: strict}}", "spans: {include: {match_type: strict, services: [a]}}", "traces"),
    of("C26", "attributes", "include: {match_type: strict, «span_names»: [a]}", "include: {match_type: strict, log_bodies: [a]}"),
]  # fmt: skip
