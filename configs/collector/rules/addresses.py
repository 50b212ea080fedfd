"""PURE. Where components listen: which of them do, where, and at which port."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from configs.collector.names import Kind
from configs.collector.rules.subject import Component, Subject
from configs.collector.values import Expansion, Path, Value, entries_of

WILDCARDS: Final = frozenset({"", "0.0.0.0", "[::]", "::"})  # noqa: S104  # what is looked for
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_NO_PORTS: Final = ("unix", "unixgram", "unixpacket", "npipe")
"""Transports by sockets and pipes of the host."""
_UDP: Final = frozenset({"udplog", "udp_log", "statsd", "collectd"})


_OWN_PORT: Final = 8888
"""Where the collector's own metrics are read unless told otherwise."""


class Listener(NamedTuple):
    """Where a component listens. path: of the setting, which may be missing · port: None where it is not known ·
    is_written: the address stands in the text, else it is a default.
    """

    component: Component | None
    path: Path
    host: str
    port: int | None
    transport: str
    is_written: bool

    @property
    def is_public(self) -> bool:
        """Whether everybody in the network reaches it."""
        return self.host in WILDCARDS


_SERVERS: Final[Mapping[Kind, Mapping[str, Mapping[tuple[str, ...], int]]]] = {
    Kind.RECEIVER: {
        "otlp": {("protocols", "grpc"): 4317, ("protocols", "http"): 4318},
        "jaeger": {
            ("protocols", "grpc"): 14250,
            ("protocols", "thrift_http"): 14268,
        },
        "zipkin": {(): 9411},
        "opencensus": {(): 55678},
        "fluentforward": {(): 8006},
        "fluent_forward": {(): 8006},
        "carbon": {(): 2003},
        "statsd": {(): 8125},
        "influxdb": {(): 8086},
        "splunk_hec": {(): 8088},
        "loki": {("protocols", "grpc"): 3600, ("protocols", "http"): 3500},
        "skywalking": {("protocols", "grpc"): 11800, ("protocols", "http"): 12800},
        "webhookevent": {(): 8080},
        "webhook_event": {(): 8080},
        "awsfirehose": {(): 4433},
        "aws_firehose": {(): 4433},
        "awsxray": {(): 2000},
        "datadog": {(): 8126},
        "collectd": {(): 8081},
        "prometheus_remote_write": {(): 9090},
        "prometheusremotewrite": {(): 9090},
        "tcplog": {(): 0},
        "tcp_log": {(): 0},
        "udplog": {(): 0},
        "udp_log": {(): 0},
    },
    Kind.EXPORTER: {"prometheus": {(): 0}},
    Kind.EXTENSION: {
        "health_check": {(): 13133},
        "healthcheckv2": {("http",): 13133, ("grpc",): 13132},
        "health_check_v2": {("http",): 13133, ("grpc",): 13132},
        "pprof": {(): 1777},
        "zpages": {(): 55679},
        "http_forwarder": {("ingress",): 6060},
        "jaegerremotesampling": {("http",): 5778, ("grpc",): 14250},
    },
}
"""Kind -> type -> where its servers' settings are -> default port; 0: it has none."""


def listeners(subject: Subject) -> Iterator[Listener]:
    """Where components listen, defaults too; what a reference stands for is left out."""
    yield from _readers(subject)
    for kind, types in _SERVERS.items():
        for component in subject.every(kind):
            for below, port in types.get(component.type, {}).items():
                settings = _inside(component.body, below)
                if settings is not None:
                    yield from _listener(component, (*component.path, *below), settings, port)


def parted(endpoint: str) -> tuple[str, int | None] | None:
    """Host and port; the port is None when it is no number. None when there is no port."""
    host, colon, port = endpoint.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        return None
    return host, int(port) if port.isdecimal() and len(port) < 10 else None


def endpoint_key(component: Component) -> str:
    """What the setting is called."""
    is_log = component.type in {"tcplog", "tcp_log", "udplog", "udp_log"}
    return "listen_address" if is_log else "endpoint"


def _inside(body: Value, below: tuple[str, ...]) -> Mapping[str, Value] | None:
    """The settings of a server; None where the component has it not, or a reference stands for it."""
    value = body
    for step in below:
        if step not in entries_of(value):
            return None
        value = entries_of(value)[step]
    return None if isinstance(value, Expansion) else entries_of(value)


def _listener(
    component: Component, path: Path, settings: Mapping[str, Value], default: int
) -> Iterator[Listener]:
    key = endpoint_key(component)
    endpoint = settings.get(key)
    transport = "udp" if component.type in _UDP else "tcp"
    if settings.get("enabled") is False or settings.get("transport") in _NO_PORTS:
        return
    if endpoint is None and default:
        yield Listener(component, path, "localhost", default, transport, False)
    elif isinstance(endpoint, str) and not endpoint.startswith(("unix:", "/")):
        host, port = parted(endpoint) or (endpoint, None)
        yield Listener(component, (*path, key), host, port, transport, True)


def _readers(subject: Subject) -> Iterator[Listener]:
    """The collector's own metrics, where Prometheus pulls them."""
    metrics = ("service", "telemetry", "metrics")
    if _has_own_reader(subject, metrics):
        yield Listener(None, metrics, "localhost", _OWN_PORT, "tcp", False)
    path = (*metrics, "readers")
    found = subject.at(*path)
    for at in range(len(found) if isinstance(found, tuple) else 0):
        here = (*path, at, "pull", "exporter", "prometheus")
        settings = entries_of(subject.at(*here))
        host, port = settings.get("host", "localhost"), settings.get("port")
        if isinstance(port, int) and isinstance(host, str):
            yield Listener(None, (*here, "port"), host, port, "tcp", True)


def _has_own_reader(subject: Subject, metrics: Path) -> bool:
    """Whether the collector opens its usual port: where metrics are on, and nothing says how they are read."""
    parts = [subject.at(*metrics[:end]) for end in range(1, len(metrics) + 1)]
    settings = entries_of(parts[-1])
    level = settings.get("level")
    is_open = any(isinstance(one, Expansion) for one in (*parts, level))
    is_told = "readers" in settings or "address" in settings or level in ("none", "None")
    return bool(subject.pipelines) and not is_open and not is_told
