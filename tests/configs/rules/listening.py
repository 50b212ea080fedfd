"""Examples of addresses and of secrets."""

from tests.configs.rules.catalog import CATALOG
from tests.configs.rules.example import Example, pipelines


def receiver(endpoint: str, more: str = "") -> str:
    return f"receivers: {{otlp: {{protocols: {{grpc: {{endpoint: {endpoint}{more}}}}}}}}}"


def used(receivers: str) -> str:
    ids = "zipkin, otlp"
    return pipelines(f"traces: {{receivers: [{ids}], exporters: [a]}}", receivers=receivers)


def started(endpoint: str) -> str:
    return used(f"{{otlp: {{protocols: {{grpc: {{endpoint: {endpoint}}}}}}}, zipkin: }}")


def sending(endpoint: str) -> str:
    body = pipelines("traces: {receivers: [otlp], exporters: [otlp_http]}")
    return (
        f"{receiver('localhost:4318')}\nexporters: {{otlp_http: {{endpoint: {endpoint}}}}}\n{body}"
    )


def exporter(fields: str) -> str:
    return f"exporters: {{otlp_grpc: {{{fields}}}}}"


def secret(bad: str, good: str, fixed: str | None = None) -> Example:
    return Example("L09", exporter(bad), exporter(good), fixed=exporter(fixed) if fixed else None)


def statement(text: str) -> str:
    return f"processors: {{transform: {{log_statements: ['{text}']}}}}\n"


TOKEN = '"${env:OTLP_GRPC_HEADERS_AUTHORIZATION}"'

EXAMPLES = [
    Example(
        "L14",
        used("{otlp: {protocols: {grpc: {endpoint: «'localhost:8888'»}}}, zipkin: }"),
        used("{otlp: {protocols: {grpc: {endpoint: 'localhost:8888'}}}, zipkin: }") + "  telemetry: {metrics: {level: none}}",
        says="The collector's own telemetry",
    ),
    Example(
        "L14",
        used("{otlp: {protocols: {grpc: {endpoint: 'localhost:4317'}}}, zipkin: {endpoint: «'127.0.0.1:4317'»}}"),
        used("{otlp: {protocols: {grpc: {endpoint: 'localhost:4317'}}}, zipkin: {endpoint: '10.0.0.1:4317'}}"),
        says="receivers::otlp",
    ),
    Example(
        "L14",
        used("{otlp: {protocols: {http: , grpc: {endpoint: 'localhost:4318'}}}, zipkin: }").replace("http: ,", "«http»: ,"),
        used("{otlp: {protocols: {http: , grpc: {endpoint: 'localhost:4317'}}}, zipkin: }"),
    ),
    Example("S05", receiver("«localhost»"), receiver("'localhost:4317'")),
    Example("S05", receiver("«'localhost:70000'»"), receiver("'unix:///a.sock'")),
    Example("S05", receiver("«'pipe'»"), receiver("'pipe', transport: npipe")),
    Example("S05", started("«'localhost:http'»"), started("'localhost:80'"), is_error=False),
    Example("S05", started("«'localhost:'»"), started("'localhost:0'"), is_error=False),
    Example("S05", started("«'[::1]:+80'»"), started("'[::1]:80'"), is_error=False),
    Example("S05", started("«'::1:'»"), started("'[::1]:80'"), is_error=True),
    Example("L07", receiver("«'0.0.0.0:4317'»"), receiver("'${env:MY_POD_IP}:4317'"), fixed=receiver("'localhost:4317'")),
    Example("L07", receiver("«'0.0.0.0:4317'»", ", auth: {authenticator: a}, tls: {cert_file: a, key_file: b}"), receiver("'10.1.1.1:4317'"), fixed=receiver("'localhost:4317'", ", auth: {authenticator: a}, tls: {cert_file: a, key_file: b}"), says="who may is up to auth"),
    Example("L07", "exporters: {prometheus: {endpoint: «'0.0.0.0:8889'»}}", "exporters: {prometheus: {endpoint: 'localhost:8889'}}", fixed="exporters: {prometheus: {endpoint: 'localhost:8889'}}", says="everybody in the network can read"),
    Example("L07", receiver("«':4317'»"), receiver("'10.1.1.1:4317'"), fixed=receiver("'localhost:4317'")),
    Example("L11", "extensions: {pprof: {endpoint: «'0.0.0.0:1777'»}}", "extensions: {pprof: {endpoint: 'localhost:1777'}}", fixed="extensions: {pprof: {endpoint: 'localhost:1777'}}"),
    Example("L15", sending("«'http://localhost:4318'»"), sending("'http://gateway:4318'")),
    Example("L08", exporter("endpoint: 'a:1', tls: {insecure_skip_verify: «true»}"), exporter("endpoint: 'a:1', tls: {insecure: false}"), fixed=exporter("endpoint: 'a:1', tls: {insecure_skip_verify: false}")),
    Example("L08", exporter("endpoint: 'a:1', tls: {insecure: «true»}"), exporter("endpoint: 'localhost:1', tls: {insecure: true}")),
    Example("L08", exporter("endpoint: 'a:1', tls: {min_version: «'1.1'»}"), exporter("endpoint: 'a:1', tls: {min_version: '1.2'}")),
    Example("L08", "exporters: {otlp_http: {endpoint: «'http://a:1'»}}", "exporters: {otlp_http: {endpoint: 'https://a:1'}}"),
    secret("headers: {authorization: «Bearer abcdef0123»}", "headers: {authorization: '${env:T}'}", f"headers: {{authorization: {TOKEN}}}"),
    secret("headers: {authorization: «'Bearer abcdef0123'»}", "headers: {x-scope-orgid: tenant}", "headers: {authorization: '${env:OTLP_GRPC_HEADERS_AUTHORIZATION}'}"),
    secret("api_key: «hunter2»", "token_file: /etc/token", 'api_key: "${env:OTLP_GRPC_API_KEY}"'),
    secret("dsn: «'postgres://u:pw@h/d'»", "dsn: '${env:D}'", "dsn: '${env:OTLP_GRPC_DSN}'"),
    secret("url: «'https://u:pw@h/d'»", "url: https://h/d", "url: '${env:OTLP_GRPC_URL}'"),
    secret("headers: {x-key: «abcdef0123456789»}", "headers: {x-dataset: web, dataset: a-long-name-2026, X-Tenant-ID: abcdef0123456789}", 'headers: {x-key: "${env:OTLP_GRPC_HEADERS_X_KEY}"}'),
    secret("headers: [{name: authorization, value: «Basic abcdef01»}]", "headers: [{name: content-type, value: application/json}]", 'headers: [{name: authorization, value: "${env:OTLP_GRPC_HEADERS_0_VALUE}"}]'),
    secret("routing_key: «abcdef0123456789»", "tls: {ca_pem: abcdef0123456789}", 'routing_key: "${env:OTLP_GRPC_ROUTING_KEY}"'),
    Example("L09", exporter("endpoint: 'a:1', headers: {api-key: «x1»}"), exporter("endpoint: 'a:1', headers: {content-type: application/json, x-scope-orgid: abcdef0123456789}, tls: {ca_pem: x}"), fixed=exporter("endpoint: 'a:1', headers: {api-key: \"${env:OTLP_GRPC_HEADERS_API_KEY}\"}"), given={"catalog": CATALOG}),
    Example("L09", "exporters: {loadbalancing: {protocol: {otlp: {auth: {password: «x»}}}}}", "exporters: {loadbalancing: {routing_key: traceID}}", fixed='exporters: {loadbalancing: {protocol: {otlp: {auth: {password: "${env:LOADBALANCING_PROTOCOL_OTLP_AUTH_PASSWORD}"}}}}}'),
    Example("L09", statement('replace_pattern(body, "a", "password=hunter2")'), statement('replace_pattern(body, "token=[^&]*", "token=***")'), fixed="processors: {transform: {log_statements: ['${env:TRANSFORM_LOG_STATEMENTS_0}']}}\n"),
    Example("L09", exporter("endpoint: 'a:1', shift: «x»"), exporter("endpoint: 'a:1', mode: fast"), fixed=exporter("endpoint: 'a:1', shift: \"${env:OTLP_GRPC_SHIFT}\""), given={"catalog": CATALOG}),
]  # fmt: skip
