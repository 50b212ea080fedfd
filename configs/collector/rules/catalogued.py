"""PURE. Components held against the catalog: types, names, settings (rules P08, P10, P11, P17 to P19)."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from configs.collector.catalog_types import Catalog
from configs.collector.findings import Fix, Severity
from configs.collector.names import Kind, type_of
from configs.collector.rules.extensions import needs
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import CONFIGURATION, Rule, rule
from configs.collector.rules.subject import ROLES, Component, Subject
from configs.collector.values import Path

REMOVED: Final[dict[tuple[Kind, str], str]] = {
    (Kind.EXPORTER, "logging"): "debug",
    (Kind.EXPORTER, "jaeger"): "otlp_grpc, which Jaeger takes",
    (Kind.EXPORTER, "jaeger_thrift"): "otlp_grpc, which Jaeger takes",
    (Kind.EXPORTER, "opencensus"): "otlp_grpc",
    (Kind.RECEIVER, "opencensus"): "otlp",
    (Kind.EXPORTER, "loki"): "otlp_http, which Loki takes",
    (Kind.EXPORTER, "parquet"): "file",
    (Kind.EXPORTER, "sapm"): "otlp_http",
    (Kind.RECEIVER, "sapm"): "otlp",
    (Kind.EXTENSION, "memory_ballast"): "the variable GOMEMLIMIT",
    (Kind.EXTENSION, "ballast"): "the variable GOMEMLIMIT",
    (Kind.PROCESSOR, "spanmetrics"): "the connector span_metrics",
    (Kind.PROCESSOR, "servicegraph"): "the connector service_graph",
}
"""Components that went, and what to use instead."""
_ALIKE: Final = 0.6
_VERY_ALIKE: Final = 0.85
"""How alike two types are of which one may be meant for the other (difflib)."""
_MOST: Final = 50
"""How many ids are compared."""
_LOGGING_WENT: Final = (0, 111)


@rule("P08", Severity.ERROR, "Type of a value", CONFIGURATION)
def types(subject: Subject) -> Iterator[Hit]:
    """Collectors convert nothing."""
    yield from subject.schema_faults("P08")


@rule("P10", Severity.ERROR, "Unknown component type", CONFIGURATION)
def unknown_types(subject: Subject) -> Iterator[Hit]:
    """Where the catalog lists all that the distribution has; else only what looks like a slip of the pen. What a build
    says it has is known.
    """
    catalog = subject.catalog
    if catalog is None:
        return
    strange = [
        component
        for component in subject.every()
        if not subject.has(component) and (component.kind, component.type) not in REMOVED
    ]
    undefined = _undefined(subject, catalog) if strange else {}
    for component in strange:
        is_certain = not catalog.may_have(component.kind, component.type)
        likeness = _ALIKE if is_certain else _VERY_ALIKE
        close = get_close_matches(component.type, catalog.types(component.kind), 1, likeness)
        if not is_certain and not close:
            continue
        hint, fix = _instead(subject, component, close, undefined)
        build = f"{catalog.distribution or 'The collector'} {catalog.version}".strip()
        has_no = "has no" if is_certain else "is not known to have the"
        message = f"{build} {has_no} {component.kind.value[:-1]} {shown(component.type)}. {hint}"
        severity = Severity.ERROR if is_certain else Severity.WARNING
        yield Hit(message, component.path, True, severity, fix)


@rule("P11", Severity.WARNING, "An old name", CONFIGURATION)
def old_names(subject: Subject) -> Iterator[Hit]:
    """Older names still work; the collector's log complains. Collectors of before the change know the old one alone: of
    a version that nobody named it is a hint.
    """
    severity = None if subject.is_version_named else Severity.INFO
    when = "" if subject.is_version_named else ", unless some collector is too old to know it"
    for component in subject.every():
        known = subject.known(component)
        if known is not None and component.type in known.aliases:
            message = f"{shown(component.type)} is an old name. Write {known.type}{when}."
            fix = _retyped(subject, component, known.type)
            yield Hit(message, component.path, True, severity, fix)


@rule("P17", Severity.ERROR, "A value out of range", CONFIGURATION)
def ranges(subject: Subject) -> Iterator[Hit]:
    """Words and numbers that a setting does not take."""
    yield from subject.schema_faults("P17")


@rule("P18", Severity.ERROR, "A setting that is missing", CONFIGURATION)
def required(subject: Subject) -> Iterator[Hit]:
    """What a component cannot do without."""
    yield from subject.schema_faults("P18")


@rule("P19", Severity.WARNING, "A deprecated setting", CONFIGURATION)
def deprecated(subject: Subject) -> Iterator[Hit]:
    """It works still, and will not in a later version."""
    yield from subject.schema_faults("P19")


@rule("L22", Severity.WARNING, "A component that was removed", CONFIGURATION)
def removed(subject: Subject) -> Iterator[Hit]:
    """Newer collectors do not have it; an error where the catalog says so."""
    for component in subject.every():
        instead = REMOVED.get((component.kind, component.type))
        if instead is None or subject.has(component):
            continue
        is_logging = component.type == "logging" and subject.since(*_LOGGING_WENT)
        is_certain = is_logging or (subject.catalog is not None and subject.catalog.is_complete)
        message = f"Newer collectors have no {component.kind.value[:-1]} {shown(component.type)}. Use {instead}."
        yield Hit(message, component.path, True, Severity.ERROR if is_certain else None)


RULES: Final[tuple[Rule, ...]] = (
    types,
    unknown_types,
    old_names,
    ranges,
    required,
    deprecated,
    removed,
)


Undefined = Mapping[Kind, Mapping[str, None]]
"""Ids of types that the catalog has, which pipelines use and nothing defines, in order of their use."""


def _undefined(subject: Subject, catalog: Catalog) -> Undefined:
    found: dict[Kind, dict[str, None]] = {kind: {} for kind in Kind}
    for pipeline in subject.pipelines:
        for role, members in pipeline.members.items():
            for member in members:
                if subject.component(role, member.id) is None:
                    for kind in (ROLES[role], Kind.CONNECTOR):
                        if catalog.find(kind, type_of(member.id)) is not None:
                            found[kind][member.id] = None
    return found


def _instead(
    subject: Subject, component: Component, close: Sequence[str], undefined: Undefined
) -> tuple[str, Fix | None]:
    """What to do about a type that is not known. close: the nearest that is."""
    assert subject.catalog is not None
    some = list(undefined[component.kind])[:_MOST]
    # Where pipelines use what nothing defines, and not this, the slip of the pen is here.
    used = [] if subject.is_used(component) else get_close_matches(component.id, some, 1, _ALIKE)
    if used:
        fix = subject.edits.renamed(f"Write {used[0]}", component.path, used[0])
        return f"Did you mean {used[0]}, which a pipeline uses?", fix
    other = next((kind for kind in Kind if subject.catalog.find(kind, component.type)), None)
    if other is not None:
        return f"It is one of the {other.value}: define it there.", None
    if close:
        return f"Did you mean {close[0]}?", _retyped(subject, component, close[0])
    return "Take it out, or use another distribution.", None


def _retyped(subject: Subject, component: Component, present: str) -> Fix | None:
    """The type becomes another one, where it is defined and wherever it is used."""
    _, slash, name = component.id.partition("/")
    new = f"{present}{slash}{name}"
    taken = {one for kind in Kind for one in subject.components[kind]}
    if new in taken or str(component.path[-1]) != component.id:
        return None
    return subject.edits.renamed(f"Write {new}", component.path, new, *_uses(subject, component))


def _uses(subject: Subject, component: Component) -> Iterator[Path]:
    if component.kind is Kind.EXTENSION:
        yield from (one.path for one in subject.extensions if one.id == component.id)
        yield from (need.path for need in needs(subject) if need.id == component.id)
        return
    for pipeline in subject.pipelines:
        for role, members in pipeline.members.items():
            for member in members:
                if member.id == component.id and subject.component(role, member.id) == component:
                    yield member.path
