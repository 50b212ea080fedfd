"""PURE. What people advise: nothing unused, nothing lost, nothing without end (rules L01 to L03, L10 to L21, L24)."""

from collections.abc import Iterator
from typing import Final

from configs.collector.findings import Severity
from configs.collector.names import RENAMED, Kind, renamed, type_of
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import CONFIGURATION, SECURITY, Rule, contrib, core, rule
from configs.collector.rules.shared import number
from configs.collector.rules.subject import Subject
from configs.collector.values import entries_of

_NETWORK: Final = ("otlp", "otlphttp", "otlp_grpc", "otlp_http")
_STATEFUL: Final = frozenset(
    {
        "tail_sampling",
        "spanmetrics",
        "span_metrics",
        "servicegraph",
        "service_graph",
        "groupbytrace",
    }
)
_BALANCERS: Final = frozenset({"loadbalancing", "load_balancing"})
_UNBOUNDED: Final = frozenset(
    {
        *(
            "trace.id",
            "trace_id",
            "span.id",
            "span_id",
            "session.id",
            "user.id",
            "user_id",
            "enduser.id",
        ),
        *(
            "request.id",
            "request_id",
            "http.url",
            "url.full",
            "http.target",
            "url.path",
            "url.query",
        ),
        *(
            "db.statement",
            "db.query.text",
            "client.address",
            "net.peer.ip",
            "net.peer.port",
            "client.port",
        ),
        *(
            "exception.message",
            "exception.stacktrace",
            "message.id",
            "messaging.message.id",
            "email",
        ),
    }
)
_METRICS_ADDRESS: Final = (0, 128)


@rule("L01", Severity.WARNING, "Defined and not used", CONFIGURATION)
def unused(subject: Subject) -> Iterator[Hit]:
    """No pipeline names it."""
    if (
        subject.is_open("service")
        or "pipelines" in subject.model.open
        or _has_open_members(subject)
    ):
        return
    for component in subject.every():
        if component.kind is not Kind.EXTENSION and not subject.is_used(component):
            message = f"No pipeline uses {shown(component.id)}. Use it, or remove it."
            yield Hit(message, component.path, True)


@rule("L02", Severity.WARNING, "An extension that is not enabled", CONFIGURATION + "#extensions")
def not_enabled(subject: Subject) -> Iterator[Hit]:
    """The service does not list it."""
    if subject.is_open("service") or any(member.is_open for member in subject.extensions):
        return
    for component in subject.every(Kind.EXTENSION):
        if not subject.is_used(component):
            message = f"The extension {shown(component.id)} does nothing. List it in service::extensions, or remove it."
            yield Hit(message, component.path, True)


@rule("L03", Severity.INFO, "A pipeline that nothing reaches", CONFIGURATION + "#connectors")
def unreachable(subject: Subject) -> Iterator[Hit]:
    """All that it receives are connectors to which nothing is exported."""
    fed = {member.id for pipeline in subject.pipelines for member in pipeline.members["exporters"]}
    connectors = subject.components[Kind.CONNECTOR]
    for pipeline in subject.pipelines:
        receivers = [member.id for member in pipeline.members["receivers"]]
        if receivers and all(one in connectors and one not in fed for one in receivers):
            yield Hit(
                f"Nothing is sent to the pipeline {pipeline.id}. Export to {receivers[0]}.",
                pipeline.path,
                True,
            )


@rule("L10", Severity.WARNING, "Debugging output", core("exporter/debugexporter"))
def debugging(subject: Subject) -> Iterator[Hit]:
    """It fills logs, with all that is in the data."""
    for component in subject.of_type(Kind.EXPORTER, "debug"):
        if not subject.is_used(component):
            continue
        verbosity = component.settings.get("verbosity")
        if isinstance(verbosity, str) and verbosity.lower() == "detailed":
            message = "All data is written to the collector's log in full. Write basic, or remove the exporter."
            fix = subject.edits.replaced("Write basic", (*component.path, "verbosity"), "basic")
            yield Hit(message, (*component.path, "verbosity"), fix=fix)
        else:
            severity = None if subject.target.is_production else Severity.INFO
            message = "The debug exporter is for trying things out. Take it out of the pipelines in production."
            yield Hit(message, component.path, True, severity)


@rule("L12", Severity.WARNING, "Where the collector's metrics are", CONFIGURATION + "#service")
def metrics_address(subject: Subject) -> Iterator[Hit]:
    """service::telemetry::metrics::address was removed in 0.128."""
    path = ("service", "telemetry", "metrics", "address")
    if subject.at(*path) is not None:
        severity = Severity.ERROR if subject.since(*_METRICS_ADDRESS) else None
        message = "Collectors since 0.128 do not know address. Use readers: with pull: and a prometheus exporter."
        yield Hit(message, path, True, severity)


@rule(
    "L13",
    Severity.WARNING,
    "Data that is lost when the other side is away",
    core("exporter/exporterhelper"),
)
def lossy(subject: Subject) -> Iterator[Hit]:
    """Without retries, without a queue, or with one that a restart empties."""
    for component in subject.of_type(Kind.EXPORTER, *_NETWORK):
        if not subject.is_used(component):
            continue
        for key, what in (("retry_on_failure", "retries"), ("sending_queue", "a queue")):
            if entries_of(component.settings.get(key)).get("enabled") is False:
                message = f"Without {what} data is lost whenever the other side is away. Remove enabled: false."
                yield Hit(message, (*component.path, key, "enabled"))
        queue = entries_of(component.settings.get("sending_queue"))
        if not queue.get("storage") and queue.get("enabled") is not False:
            message = "What waits in the queue is lost at a restart. Name an extension in sending_queue::storage."
            yield Hit(message, component.path, True, Severity.INFO)


@rule(
    "L16",
    Severity.WARNING,
    "State that replicas do not share",
    contrib("exporter/loadbalancingexporter"),
)
def stateful(subject: Subject) -> Iterator[Hit]:
    """All of a trace has to come to one collector."""
    is_balanced = any(one.type in _BALANCERS for one in subject.every(Kind.EXPORTER))
    if subject.target.replicas < 2 or is_balanced:
        return
    for component in subject.every(Kind.PROCESSOR, Kind.CONNECTOR):
        if component.type in _STATEFUL and subject.is_used(component):
            message = (
                f"{component.type} sees a part of each trace on each of {subject.target.replicas} collectors. "
                "Put a tier with the load_balancing exporter before them."
            )
            yield Hit(message, component.path, True)


@rule("L17", Severity.WARNING, "Metrics without end", contrib("connector/spanmetricsconnector"))
def unbounded(subject: Subject) -> Iterator[Hit]:
    """Each value of a dimension makes series of its own."""
    for component in subject.of_type(Kind.CONNECTOR, "spanmetrics", "span_metrics"):
        dimensions = component.settings.get("dimensions")
        for at, one in enumerate(dimensions if isinstance(dimensions, tuple) else ()):
            name = entries_of(one).get("name")
            if isinstance(name, str) and name.lower() in _UNBOUNDED:
                message = (
                    f"{name} has a value for each request: as many series are made. Remove it."
                )
                yield Hit(message, (*component.path, "dimensions", at, "name"))


@rule(
    "L18", Severity.WARNING, "More memory than there is", core("processor/memorylimiterprocessor")
)
def too_much_memory(subject: Subject) -> Iterator[Hit]:
    """The limit has to be below what the host has."""
    there = subject.target.memory_mib
    for component in subject.of_type(Kind.PROCESSOR, "memory_limiter"):
        limit = number(component.settings.get("limit_mib"))
        if there is not None and limit and limit >= there:
            message = f"limit_mib is {limit:g}, and the smallest host has {there:,} MiB. Lower it."
            yield Hit(message, (*component.path, "limit_mib"))


@rule("L19", Severity.ERROR, "An extension that management needs", CONFIGURATION + "#extensions")
def unmanaged(subject: Subject) -> Iterator[Hit]:
    """Without it nobody hears of the collector any more."""
    there = {type_of(one.id) for one in subject.extensions}
    if subject.is_open("service") or any(one.is_open for one in subject.extensions):
        return
    for needed in sorted(subject.target.required_extensions - there):
        message = f"These collectors are managed through the extension {needed}. List it in service::extensions."
        yield Hit(message, ("service", "extensions"), True)


@rule("L20", Severity.WARNING, "A component that builds lack", CONFIGURATION)
def not_built(subject: Subject) -> Iterator[Hit]:
    """By what the collectors report that they have."""
    there = subject.target.components
    for component in subject.every() if there is not None else ():
        assert there is not None
        present = renamed(component.kind, component.type)
        # Collectors of 0.149 do not list what has two names, those of 0.158 do.
        is_untold = present in RENAMED[component.kind].values() and not subject.since(0, 158)
        names = {component.type, present}
        is_listed = not names.isdisjoint(there.get(component.kind, ()))
        if subject.is_used(component) and not is_listed and not is_untold:
            message = f"Not all collectors have {shown(component.type)}. Use another build, or take it out."
            yield Hit(message, component.path, True)


@rule("L21", Severity.WARNING, "A feature gate that is needed", CONFIGURATION)
def gates(subject: Subject) -> Iterator[Hit]:
    """Some parts are off until a gate is set at the start."""
    for pipeline in subject.pipelines:
        if pipeline.signal == "profiles" and _PROFILES not in subject.target.gates:
            message = _gate(f"Pipelines for {pipeline.signal}", _PROFILES)
            yield Hit(message, pipeline.path, True, Severity.ERROR)
    for component in subject.every():
        known = subject.known(component)
        if known and known.gate and known.gate not in subject.target.gates:
            yield Hit(_gate(component.type, known.gate), component.path, True)


@rule("L24", Severity.WARNING, "A component that policy forbids", SECURITY)
def forbidden(subject: Subject) -> Iterator[Hit]:
    """By the rules of the organisation."""
    for component in subject.every():
        names = {component.type, renamed(component.kind, component.type)}
        if any((component.kind, name) in subject.target.denied for name in names):
            yield Hit(
                f"{shown(component.type)} is not allowed here. Take it out.", component.path, True
            )


RULES: Final[tuple[Rule, ...]] = (
    unused,
    not_enabled,
    unreachable,
    debugging,
    metrics_address,
    lossy,
    stateful,
    unbounded,
    too_much_memory,
    unmanaged,
    not_built,
    gates,
    forbidden,
)

_PROFILES: Final = "service.profilesSupport"


def _gate(what: str, gate: str) -> str:
    return f"{what} need the feature gate {gate}. Start the collector with --feature-gates={gate}."


def _has_open_members(subject: Subject) -> bool:
    return any(
        member.is_open
        for pipeline in subject.pipelines
        for members in pipeline.members.values()
        for member in members
    )
