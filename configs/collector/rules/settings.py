"""PURE. What single components demand of their settings (rules C06 to C18); the lists are those of 0.158."""

from collections.abc import Iterator, Mapping
from typing import Final

from configs.collector.findings import Severity
from configs.collector.names import Kind
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import CONFIGURATION, Rule, contrib, core, rule
from configs.collector.rules.shared import below, doubled, number, time
from configs.collector.rules.subject import Component, Subject
from configs.collector.values import Expansion, Value, entries_of

_GRPC: Final = ("otlp", "otlp_grpc")
_HTTP: Final = ("otlphttp", "otlp_http")
_ENDPOINTS: Final = (
    "endpoint",
    "traces_endpoint",
    "metrics_endpoint",
    "logs_endpoint",
    "profiles_endpoint",
)
_VERBOSITIES: Final = ("basic", "normal", "detailed")
_LEVELS: Final = ("none", "basic", "normal", "detailed")
_LOG_LEVELS: Final = frozenset({"debug", "info", "warn", "error", "dpanic", "panic", "fatal"})
_BATCH_SIZE: Final = 8192
_GC_LIMIT: Final = 30e9
_POLICIES: Final = frozenset(
    {
        *(
            "always_sample",
            "latency",
            "numeric_attribute",
            "probabilistic",
            "status_code",
            "string_attribute",
        ),
        *(
            "rate_limiting",
            "bytes_limiting",
            "span_count",
            "boolean_attribute",
            "trace_state",
            "trace_flags",
        ),
        *("ottl_condition", "and", "not", "drop", "composite"),
    }
)
_ACTIONS: Final = frozenset({"insert", "update", "upsert", "delete", "hash", "extract", "convert"})


@rule("C06", Severity.ERROR, "Receiver for OTLP without a protocol", core("receiver/otlpreceiver"))
def otlp_protocols(subject: Subject) -> Iterator[Hit]:
    """At least one of grpc and http."""
    for component in subject.of_type(Kind.RECEIVER, "otlp"):
        protocols = component.settings.get("protocols")
        is_open = isinstance(component.body, Expansion) or isinstance(protocols, Expansion)
        if not is_open and not entries_of(protocols):
            path = (*component.path, "protocols")
            yield Hit(
                "The receiver has no protocol. Add grpc: or http: to its protocols.", path, True
            )


@rule("C07", Severity.ERROR, "Where to send over gRPC", core("exporter/otlpexporter"))
def grpc_endpoints(subject: Subject) -> Iterator[Hit]:
    """host:port."""
    for component in subject.of_type(Kind.EXPORTER, *_GRPC):
        endpoint, path = component.settings.get("endpoint"), (*component.path, "endpoint")
        if endpoint in {None, ""} and not isinstance(component.body, Expansion):
            yield Hit("The exporter has no endpoint. Add one, such as gateway:4317.", path, True)
        elif isinstance(endpoint, str) and _fault_of_address(endpoint):
            yield Hit(_fault_of_address(endpoint), path)
        if below(component.settings.get("timeout"), 0):
            yield Hit("timeout must not be negative.", (*component.path, "timeout"))


@rule("C08", Severity.ERROR, "Where to send over HTTP", core("exporter/otlphttpexporter"))
def http_endpoints(subject: Subject) -> Iterator[Hit]:
    """An address with http:// or https://."""
    for component in subject.of_type(Kind.EXPORTER, *_HTTP):
        settings = component.settings
        missing = (
            [] if isinstance(component.body, Expansion) else _without_endpoint(subject, component)
        )
        for signal in missing:
            path = (*component.path, "endpoint")
            message = (
                f"The exporter has no endpoint{signal}. Add one, such as https://gateway:4318."
            )
            yield Hit(message, path, True)
        for key in _ENDPOINTS:
            value = settings.get(key)
            if isinstance(value, str) and value and "://" not in value:
                message = f"{key} has no http:// or https:// before the host, so nothing can be sent. Add it."
                yield Hit(message, (*component.path, key), severity=Severity.WARNING)
        if isinstance(settings.get("encoding"), str) and settings["encoding"] not in {
            "proto",
            "json",
        }:
            yield Hit("encoding is proto or json.", (*component.path, "encoding"))


@rule("C09", Severity.ERROR, "Debug exporter", core("exporter/debugexporter"))
def debug(subject: Subject) -> Iterator[Hit]:
    """Its verbosity, and where it may write."""
    for component in subject.of_type(Kind.EXPORTER, "debug"):
        verbosity = component.settings.get("verbosity")
        if isinstance(verbosity, str) and verbosity.lower() not in _VERBOSITIES:
            yield Hit(
                f"verbosity is one of {', '.join(_VERBOSITIES)}.", (*component.path, "verbosity")
            )
        has_paths = component.settings.get("output_paths") is not None
        if has_paths and component.settings.get("use_internal_logger") in {None, True}:
            message = (
                "output_paths needs use_internal_logger: false. Add it, or remove output_paths."
            )
            yield Hit(message, (*component.path, "output_paths"), True)


@rule("C10", Severity.ERROR, "Batch processor", core("processor/batchprocessor"))
def batch(subject: Subject) -> Iterator[Hit]:
    """Sizes in order, names once."""
    for component in subject.of_type(Kind.PROCESSOR, "batch"):
        settings = component.settings
        most = number(settings.get("send_batch_max_size"))
        size = number(settings.get("send_batch_size", _BATCH_SIZE))
        if most and size and 0 < most < size:
            message = f"send_batch_max_size is below send_batch_size ({size:g}). Raise it, or lower that one."
            yield Hit(message, (*component.path, "send_batch_max_size"))
        if below(settings.get("timeout"), 0):
            yield Hit("timeout must not be negative.", (*component.path, "timeout"))
        twice = doubled(settings.get("metadata_keys"))
        if twice is not None:
            yield Hit(
                f"metadata_keys has {shown(twice)} twice. Remove one.",
                (*component.path, "metadata_keys"),
            )


@rule("C11", Severity.ERROR, "Memory limiter", core("processor/memorylimiterprocessor"))
def memory_limiter(subject: Subject) -> Iterator[Hit]:
    """When it looks, and how much is too much."""
    for kind in (Kind.PROCESSOR, Kind.EXTENSION):
        for component in subject.of_type(kind, "memory_limiter"):
            if not isinstance(component.body, Expansion):
                yield from _limits(subject, component, component.settings)


@rule("C12", Severity.ERROR, "zPages without an address", core("extension/zpagesextension"))
def zpages(subject: Subject) -> Iterator[Hit]:
    """An empty endpoint is none."""
    for component in subject.of_type(Kind.EXTENSION, "zpages"):
        if component.settings.get("endpoint") == "":
            message = (
                "The endpoint is empty. Remove the line for localhost:55679, or name an address."
            )
            yield Hit(message, (*component.path, "endpoint"))


@rule(
    "C14", Severity.ERROR, "Policies of tail sampling", contrib("processor/tailsamplingprocessor")
)
def policies(subject: Subject) -> Iterator[Hit]:
    """Known types; names once."""
    for component in subject.of_type(Kind.PROCESSOR, "tail_sampling"):
        severity = None if subject.is_used(component) else Severity.WARNING
        listed = component.settings.get("policies")
        names: set[str] = set()
        for at, policy in enumerate(listed if isinstance(listed, tuple) else ()):
            path = (*component.path, "policies", at)
            name, kind = entries_of(policy).get("name"), entries_of(policy).get("type")
            if isinstance(kind, str) and kind not in _POLICIES:
                yield Hit(
                    f"There is no policy type {shown(kind)}.", (*path, "type"), severity=severity
                )
            if isinstance(name, str) and name in names:
                message = f"Another policy is called {shown(name)} too. Rename one."
                yield Hit(message, (*path, "name"), severity=severity)
            names.add(str(name))


@rule("C15", Severity.ERROR, "The collector's own telemetry", CONFIGURATION + "#service")
def telemetry(subject: Subject) -> Iterator[Hit]:
    """Words that are known."""
    path = ("service", "telemetry")
    logs, metrics = entries_of(subject.at(*path, "logs")), entries_of(subject.at(*path, "metrics"))
    encoding, level = logs.get("encoding"), logs.get("level")
    if isinstance(encoding, str) and encoding not in {"json", "console"}:
        yield Hit("encoding is json or console.", (*path, "logs", "encoding"))
    if isinstance(level, str) and level.lower() not in _LOG_LEVELS:
        yield Hit("level is debug, info, warn or error.", (*path, "logs", "level"))
    detail = metrics.get("level")
    if isinstance(detail, str) and detail.lower() not in _LEVELS:
        yield Hit(f"level is one of {', '.join(_LEVELS)}.", (*path, "metrics", "level"))


@rule("C16", Severity.ERROR, "Readers of the collector's own metrics", CONFIGURATION + "#service")
def readers(subject: Subject) -> Iterator[Hit]:
    """A reader is pulled from, or pushes; Prometheus needs a port."""
    path = ("service", "telemetry", "metrics", "readers")
    found = subject.at(*path)
    for at, reader in enumerate(found if isinstance(found, tuple) else ()):
        settings, here = entries_of(reader), (*path, at)
        if (
            isinstance(reader, Mapping)
            and not settings.get("pull")
            and not settings.get("periodic")
        ):
            yield Hit("A reader is pull: or periodic:, with its exporter below.", here, True)
        prometheus = entries_of(
            entries_of(entries_of(settings.get("pull")).get("exporter")).get("prometheus")
        )
        if prometheus and prometheus.get("port") is None:
            message = "The Prometheus exporter has no port. Add one, such as 8888."
            yield Hit(message, (*here, "pull", "exporter", "prometheus"), True)


@rule("C17", Severity.ERROR, "Actions on attributes", contrib("processor/attributesprocessor"))
def actions(subject: Subject) -> Iterator[Hit]:
    """Known actions, each on a key or a pattern."""
    for component in subject.of_type(Kind.PROCESSOR, "attributes", "resource"):
        severity = None if subject.is_used(component) else Severity.WARNING
        key = "actions" if component.type == "attributes" else "attributes"
        listed = component.settings.get(key)
        for at, one in enumerate(listed if isinstance(listed, tuple) else ()):
            action = entries_of(one).get("action")
            if isinstance(action, str) and action.lower() not in _ACTIONS:
                message = (
                    f"There is no action {shown(action)}. Known are {', '.join(sorted(_ACTIONS))}."
                )
                yield Hit(message, (*component.path, key, at, "action"), severity=severity)


@rule("C18", Severity.ERROR, "Files to read", contrib("receiver/filelogreceiver"))
def log_files(subject: Subject) -> Iterator[Hit]:
    """Which, and from where on."""
    for component in subject.of_type(Kind.RECEIVER, "filelog", "file_log"):
        severity = None if subject.is_used(component) else Severity.WARNING
        if not component.settings.get("include") and not isinstance(component.body, Expansion):
            message = (
                "The receiver reads no file. Add include: with paths, such as [/var/log/*.log]."
            )
            yield Hit(message, (*component.path, "include"), True, severity)
        start = component.settings.get("start_at")
        if isinstance(start, str) and start not in {"beginning", "end"}:
            yield Hit(
                "start_at is beginning or end.", (*component.path, "start_at"), severity=severity
            )


RULES: Final[tuple[Rule, ...]] = (
    otlp_protocols,
    grpc_endpoints,
    http_endpoints,
    debug,
    batch,
    memory_limiter,
    zpages,
    policies,
    telemetry,
    readers,
    actions,
    log_files,
)


def _without_endpoint(subject: Subject, component: Component) -> list[str]:
    """What an exporter over HTTP has no address for: everything, or signals of pipelines that use it."""
    settings = component.settings
    if not any(settings.get(key) for key in _ENDPOINTS):
        return [""]
    used = {
        pipeline.signal
        for pipeline in subject.pipelines
        if any(member.id == component.id for member in pipeline.members["exporters"])
    }
    lacking = [one for one in sorted(used) if not settings.get(f"{one}_endpoint")]
    return [] if settings.get("endpoint") else [f" for {one}" for one in lacking]


def _fault_of_address(endpoint: str) -> str:
    """What is wrong with a gRPC target; "" when nothing is."""
    if endpoint.startswith("unix:"):
        return ""
    for scheme in ("https://", "http://", "dns:"):
        endpoint = endpoint.removeprefix(scheme)
    host, colon, port = endpoint.strip("/").rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        return "The endpoint has no port. Write host:port, such as gateway:4317."
    return "" if port.isdecimal() else "The port of the endpoint is no number."


def _limits(subject: Subject, component: Component, settings: Mapping[str, Value]) -> Iterator[Hit]:
    path = component.path
    if not isinstance(settings.get("check_interval"), Expansion) and not time(
        settings.get("check_interval")
    ):
        yield Hit(
            "The memory limiter has no check_interval. Add check_interval: 1s.",
            (*path, "check_interval"),
            True,
        )
    mib, percentage = settings.get("limit_mib"), settings.get("limit_percentage")
    if not mib and not percentage:
        yield Hit(
            "The memory limiter has no limit. Add limit_mib or limit_percentage.",
            (*path, "limit_mib"),
            True,
        )
    for limit, spike in (
        ("limit_mib", "spike_limit_mib"),
        ("limit_percentage", "spike_limit_percentage"),
    ):
        high, part = number(settings.get(limit)), number(settings.get(spike))
        if high and part and part >= high:
            yield Hit(f"{spike} is below {limit}. Lower it.", (*path, spike))
        if limit.endswith("percentage") and high and high > 100:
            yield Hit("limit_percentage is at most 100.", (*path, limit))
    pause = time(settings.get("min_gc_interval_when_soft_limited"))
    is_later = subject.since(0, 158) and "max_gc_interval_when_soft_limited" not in settings
    if pause and pause > _GC_LIMIT and is_later:
        yield Hit(
            "min_gc_interval_when_soft_limited is at most 30s.",
            (*path, "min_gc_interval_when_soft_limited"),
        )
