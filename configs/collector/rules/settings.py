"""PURE. What single components demand of their settings (rules C06 to C16); the lists are those of 0.158."""

from collections.abc import Iterator, Mapping
from typing import Final

from configs.collector.findings import Severity
from configs.collector.goaddresses import escape_fault, grpc_fault, url_fault
from configs.collector.names import Kind
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import CONFIGURATION, Rule, contrib, core, rule
from configs.collector.rules.shared import below, doubled, number, time
from configs.collector.rules.subject import Component, Subject
from configs.collector.values import Expansion, Path, Value, entries_of

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
_COMPONENTS_HEALTH: Final = "extension.healthcheck.useComponentStatus"
"""The feature gate without which the extension has one server."""
_GC_LIMIT: Final = 30e9
_RESOLVERS_CAME: Final = (0, 150)
"""0.149 does not know them, 0.158 does."""
_PULLED: Final = ("prometheus",)
_PUSHED: Final = ("otlp", "otlp_grpc", "otlp_http", "otlp_file", "console")


@rule("C06", Severity.ERROR, "Receiver for OTLP without a protocol", core("receiver/otlpreceiver"))
def otlp_protocols(subject: Subject) -> Iterator[Hit]:
    """At least one of grpc and http."""
    for component in subject.of_type(Kind.RECEIVER, "otlp"):
        protocols = component.settings.get("protocols")
        for name in entries_of(protocols):
            yield from _server((*component.path, "protocols", name), entries_of(protocols)[name])
        is_open = isinstance(component.body, Expansion) or isinstance(protocols, Expansion)
        if not is_open and all(map(_is_off, entries_of(protocols).values())):
            path = (*component.path, "protocols")
            yield Hit(
                "The receiver has no protocol. Add grpc: or http: to its protocols.", path, True
            )


@rule("C07", Severity.ERROR, "Where to send over gRPC", core("exporter/otlpexporter"))
def grpc_endpoints(subject: Subject) -> Iterator[Hit]:
    """host:port."""
    has_resolvers = not subject.before(*_RESOLVERS_CAME)
    for component in subject.of_type(Kind.EXPORTER, *_GRPC):
        endpoint, path = component.settings.get("endpoint"), (*component.path, "endpoint")
        if endpoint in (None, "") and not isinstance(component.body, Expansion):
            yield Hit("The exporter has no endpoint. Add one, such as gateway:4317.", path, True)
        elif isinstance(endpoint, str) and (
            fault := grpc_fault(endpoint, has_resolvers=has_resolvers)
        ):
            yield Hit(fault, path)
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
        yield from _addresses(subject, component)
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
        if isinstance(verbosity, int | float):
            yield Hit(
                f"verbosity is one of {', '.join(_VERBOSITIES)}.", (*component.path, "verbosity")
            )
        has_paths = component.settings.get("output_paths") is not None
        if has_paths and component.settings.get("use_internal_logger", True) is True:
            message = (
                "output_paths needs use_internal_logger: false. Add it, or remove output_paths."
            )
            yield Hit(message, (*component.path, "output_paths"), True)
        elif component.settings.get("use_internal_logger") is False:
            yield from _paths((*component.path, "output_paths"), component.settings)


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


@rule("C13", Severity.ERROR, "Health check", contrib("extension/healthcheckextension"))
def health_checks(subject: Subject) -> Iterator[Hit]:
    """It has an address; its path begins with a slash; what the newer one takes is off."""
    for component in subject.of_type(Kind.EXTENSION, "health_check"):
        if component.settings.get("endpoint", "default") in (None, ""):
            message = (
                "The endpoint is empty. Remove the line for localhost:13133, or name an address."
            )
            yield Hit(message, (*component.path, "endpoint"))
        path = component.settings.get("path")
        if isinstance(path, str) and not path.startswith("/"):
            yield Hit("The path begins with /.", (*component.path, "path"))
        newer = [key for key in ("http", "grpc") if key in component.settings]
        if newer and _COMPONENTS_HEALTH not in subject.target.gates:
            is_certain = subject.since(0, 149) and subject.before(0, 159)
            message = f"{newer[0]} needs the feature gate {_COMPONENTS_HEALTH}. Write endpoint and path instead."
            severity = None if is_certain else Severity.WARNING
            yield Hit(message, (*component.path, newer[0]), True, severity)


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
    for part in ("metrics", "traces"):
        detail = entries_of(subject.at(*path, part)).get("level")
        if isinstance(detail, str) and detail.lower() not in _LEVELS:
            yield Hit(f"level is one of {', '.join(_LEVELS)}.", (*path, part, "level"))
    if isinstance(metrics.get("views"), tuple) and not _is_detailed(metrics.get("level")):
        yield Hit(
            "views need level: detailed beside them. Add it.", (*path, "metrics", "views"), True
        )
    if metrics.get("readers") == () and str(metrics.get("level", "normal")).lower() != "none":
        yield Hit("Without a reader the level is none.", (*path, "metrics", "readers"), True)


@rule("C16", Severity.ERROR, "Where the collector's own telemetry goes", CONFIGURATION + "#service")
def readers(subject: Subject) -> Iterator[Hit]:
    """A reader is pulled from, or pushes, by exporters that there are; Prometheus needs a port."""
    for here, reader in items(subject, ("service", "telemetry", "metrics", "readers")):
        settings = entries_of(reader)
        has_none = not settings.get("pull") and not settings.get("periodic")
        if isinstance(reader, Mapping) and has_none:
            yield Hit("A reader is pull: or periodic:, with its exporter below.", here, True)
        yield from _own_exporter((*here, "pull"), settings.get("pull"), _PULLED)
        yield from _own_exporter((*here, "periodic"), settings.get("periodic"), _PUSHED)
    for part in ("logs", "traces"):
        for here, processor in items(subject, ("service", "telemetry", part, "processors")):
            for name in ("batch", "simple"):
                yield from _own_exporter((*here, name), entries_of(processor).get(name), _PUSHED)


RULES: Final[tuple[Rule, ...]] = (
    otlp_protocols,
    grpc_endpoints,
    http_endpoints,
    debug,
    batch,
    memory_limiter,
    zpages,
    health_checks,
    telemetry,
    readers,
)


def _is_off(protocol: Value) -> bool:
    return entries_of(protocol).get("enabled") is False


def _is_detailed(level: Value) -> bool:
    return isinstance(level, Expansion) or str(level).lower() == "detailed"


def _server(path: Path, value: Value) -> Iterator[Hit]:
    """A server's certificate, and the paths that it serves."""
    settings = entries_of(value)
    tls = settings.get("tls")
    has_all = all(
        entries_of(tls).get(f"{one}_file") or entries_of(tls).get(f"{one}_pem")
        for one in ("cert", "key")
    )
    if isinstance(tls, Mapping) and not has_all:
        yield Hit("A server needs cert_file and key_file in its tls.", (*path, "tls"), True)
    for key, one in settings.items():
        is_path = key.endswith("_url_path")
        if is_path and isinstance(one, str) and (fault := escape_fault(one)):
            yield Hit(f"This is no path: {fault}.", (*path, key))


def _paths(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    found = settings.get("output_paths")
    if found == ():
        yield Hit("output_paths is empty. Name stdout, stderr or a file.", path, True)
    for at, one in enumerate(found if isinstance(found, tuple) else ()):
        if one in (None, ""):
            yield Hit("This is no path. Name stdout, stderr or a file.", (*path, at))


def _addresses(subject: Subject, component: Component) -> Iterator[Hit]:
    """Collectors read the address for all signals, and those of the signals that are sent."""
    read = {"endpoint", *(f"{one}_endpoint" for one in _sent(subject, component))}
    for key in _ENDPOINTS:
        value, path = component.settings.get(key), (*component.path, key)
        fault = url_fault(value) if isinstance(value, str) else ""
        if fault:
            is_read = subject.is_used(component) and key in read
            severity = None if is_read else Severity.WARNING
            yield Hit(f"{key} is no address: {fault}.", path, severity=severity)
        elif isinstance(value, str) and value and "://" not in value:
            message = (
                f"{key} has no http:// or https:// before the host, so nothing can be sent. Add it."
            )
            yield Hit(message, path, severity=Severity.WARNING)


def _without_endpoint(subject: Subject, component: Component) -> list[str]:
    """What an exporter over HTTP has no address for: everything, or signals of pipelines that use it."""
    settings = component.settings
    if not any(settings.get(key) for key in _ENDPOINTS):
        return [""]
    lacking = [one for one in _sent(subject, component) if not settings.get(f"{one}_endpoint")]
    return [] if settings.get("endpoint") else [f" for {one}" for one in lacking]


def _sent(subject: Subject, exporter: Component) -> list[str]:
    """The signals that an exporter gets."""
    used = {
        pipeline.signal
        for pipeline in subject.pipelines
        if any(member.id == exporter.id for member in pipeline.members["exporters"])
    }
    return sorted(used)


def items(subject: Subject, path: Path) -> Iterator[tuple[Path, Value]]:
    """The items of the list at a path, each with its own."""
    found = subject.at(*path)
    for at, one in enumerate(found if isinstance(found, tuple) else ()):
        yield (*path, at), one


def _own_exporter(path: Path, holder: Value, known: tuple[str, ...]) -> Iterator[Hit]:
    """An exporter of the collector's own telemetry: a wrong name ends the collector with a panic."""
    for name, settings in entries_of(entries_of(holder).get("exporter")).items():
        here = (*path, "exporter", name)
        if name.partition("/")[0] not in known:
            message = f"There is no exporter {shown(name)} here. Known are {', '.join(known)}."
            yield Hit(message, here, True)
        elif name == "otlp" and "processors" in path and "endpoint" not in entries_of(settings):
            if not isinstance(settings, Expansion):
                yield Hit("The exporter has no endpoint. Add one.", here, True)
        elif (
            name == "prometheus"
            and entries_of(settings)
            and entries_of(settings).get("port") is None
        ):
            yield Hit("The Prometheus exporter has no port. Add one, such as 8888.", here, True)


def _limits(subject: Subject, component: Component, settings: Mapping[str, Value]) -> Iterator[Hit]:
    path = component.path
    interval = settings.get("check_interval")
    if not isinstance(interval, Expansion) and not time(interval):
        message = "The memory limiter has no check_interval. Add check_interval: 1s."
        yield Hit(message, (*path, "check_interval"), True)
    if not settings.get("limit_mib") and not settings.get("limit_percentage"):
        message = "The memory limiter has no limit. Add limit_mib or limit_percentage."
        yield Hit(message, (*path, "limit_mib"), True)
    for unit, most in (("mib", None), ("percentage", 100)):
        high = number(settings.get(f"limit_{unit}"))
        spike = number(settings.get(f"spike_limit_{unit}"))
        if high and spike and spike >= high:
            yield Hit(
                f"spike_limit_{unit} is below limit_{unit}. Lower it.",
                (*path, f"spike_limit_{unit}"),
            )
        if most and high and high > most:
            yield Hit(f"limit_{unit} is at most {most}.", (*path, f"limit_{unit}"))
    yield from _collections(subject, path, settings)


def _collections(subject: Subject, path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """How often memory is cleared: since 0.158 the pause at the soft limit is bounded by another setting."""
    soft, hard = (
        time(settings.get(f"min_gc_interval_when_{when}_limited", default))
        for when, default in (("soft", "10s"), ("hard", "0s"))
    )
    if soft is not None and hard is not None and soft < hard:
        message = "min_gc_interval_when_soft_limited is not below that of when_hard_limited."
        yield Hit(message, (*path, "min_gc_interval_when_soft_limited"), True)
    key = "min_gc_interval_when_soft_limited"
    pause = time(settings.get(key))
    is_bounded = subject.since(0, 158) and "max_gc_interval_when_soft_limited" not in settings
    if pause and pause > _GC_LIMIT and is_bounded:
        yield Hit(f"{key} is at most 30s.", (*path, key))
