"""PURE. The graph of pipelines: signals, connectors, circles, stability (rules N01 to N05)."""

from collections.abc import Iterator, Mapping
from typing import Final

from configs.collector.catalog_types import NOT_RELIABLE, Stability
from configs.collector.findings import Severity
from configs.collector.graph import Node, Part, cycle_in, graph_of
from configs.collector.names import SIGNALS, Kind
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import CONFIGURATION, Rule, rule
from configs.collector.rules.subject import Component, Pipeline, Subject

_CONNECTORS: Final = CONFIGURATION + "#connectors"


@rule(
    "N01", Severity.ERROR, "A signal that a component does not have", CONFIGURATION + "#pipelines"
)
def signals(subject: Subject) -> Iterator[Hit]:
    """Receivers, processors and exporters are made for certain signals. What is none is told once (P07)."""
    for pipeline in subject.pipelines:
        if pipeline.signal not in SIGNALS:
            continue
        for role, members in pipeline.members.items():
            for member in members:
                component = subject.component(role, member.id)
                known = subject.known(component) if component else None
                if known and known.signals and pipeline.signal not in known.signals:
                    message = (
                        f"{shown(member.id)} does not work with {pipeline.signal}, only with "
                        f"{_listed(known.signals)}. Take it out of the pipeline {pipeline.id}."
                    )
                    severity = None if subject.is_of_version(known) else Severity.WARNING
                    yield Hit(message, member.path, severity=severity)


@rule("N02", Severity.ERROR, "A connector with a loose end", _CONNECTORS)
def loose_connectors(subject: Subject) -> Iterator[Hit]:
    """Each use as an exporter needs one as a receiver whose signal it can make, and the reverse."""
    if subject.is_open("service") or "pipelines" in subject.model.open:
        return
    into, out_of = _uses(subject, "exporters"), _uses(subject, "receivers")
    for connector in subject.every(Kind.CONNECTOR):
        yield from _loose(subject, connector, into, out_of, "exporters")
        yield from _loose(subject, connector, out_of, into, "receivers")


@rule("N03", Severity.ERROR, "Pipelines in a circle", _CONNECTORS)
def circles(subject: Subject) -> Iterator[Hit]:
    """Data must not come back to where it was."""
    wired = {
        one.id: known.pairs
        for one in subject.every(Kind.CONNECTOR)
        if (known := subject.known(one)) and known.pairs
    }
    model = subject.model
    names = {
        model.as_written(("connectors", one))[1]: one for one in model.components[Kind.CONNECTOR]
    }
    pairs = {present: wired[str(name)] for name, present in names.items() if name in wired}
    graph = graph_of(
        model,
        is_wired=lambda one, source, target: one not in pairs or (source, target) in pairs[one],
    )
    circle = cycle_in(graph)
    connector = next((node for node in circle if node.part is Part.CONNECTOR), None)
    if connector is not None:
        path = model.as_written(("connectors", connector.id))
        steps = " → ".join([*map(_step, circle), _step(circle[0])])
        yield Hit(f"Data goes round in a circle: {steps}. Break it.", path, True)


@rule("N05", Severity.WARNING, "A component that may change or go away", CONFIGURATION)
def stability(subject: Subject) -> Iterator[Hit]:
    """In development, deprecated, or without anybody who maintains it."""
    for component in subject.every():
        known = subject.known(component)
        if known is None or not subject.is_used(component):
            continue
        levels = {known.stability, *known.signals.values(), *known.pairs.values()} - {None}
        if levels and levels <= NOT_RELIABLE:
            words = ", ".join(sorted({_WORDS[one] for one in levels if one}))
            instead = f" Use {known.deprecated}." if known.deprecated else " Do not rely on it."
            yield Hit(f"{shown(component.type)} is {words}.{instead}", component.path, True)


RULES: Final[tuple[Rule, ...]] = (signals, loose_connectors, circles, stability)

_WORDS: Final[Mapping[Stability, str]] = {
    Stability.DEVELOPMENT: "in development",
    Stability.DEPRECATED: "deprecated",
    Stability.UNMAINTAINED: "maintained by nobody",
}
_OTHER: Final = {"exporters": "receiver", "receivers": "exporter"}


def _listed(names: Mapping[str, Stability]) -> str:
    return ", ".join(one for one in SIGNALS if one in names)


def _step(node: Node) -> str:
    return f"pipeline {node.id}" if node.part is Part.FAN_OUT else f"{node.part} {node.id}"


Uses = Mapping[str, list[tuple[Pipeline, int]]]


def _uses(subject: Subject, role: str) -> Uses:
    """Connector -> pipelines that have it in a role, with its number there."""
    found: dict[str, list[tuple[Pipeline, int]]] = {}
    for pipeline in subject.pipelines:
        for at, member in enumerate(pipeline.members[role]):
            if member.id in subject.components[Kind.CONNECTOR]:
                found.setdefault(member.id, []).append((pipeline, at))
    return found


def _loose(
    subject: Subject, connector: Component, uses: Uses, others: Uses, role: str
) -> Iterator[Hit]:
    known = subject.known(connector)
    there = {pipeline.signal for pipeline, _ in others.get(connector.id, ())}
    for pipeline, at in uses.get(connector.id, ()):
        pairs = {
            (pipeline.signal, one) if role == "exporters" else (one, pipeline.signal)
            for one in there
        }
        is_wired = (
            bool(pairs)
            if known is None or not known.pairs
            else any(one in known.pairs for one in pairs)
        )
        if not is_wired:
            message = (
                f"The connector {shown(connector.id)} is among the {role} of {pipeline.id} and the "
                f"{_OTHER[role]} of no pipeline that it can be bound to. Add it there, or take it out here."
            )
            is_certain = not pairs or known is None or subject.is_of_version(known)
            severity = None if is_certain else Severity.WARNING
            yield Hit(message, (*pipeline.path, role, at), severity=severity)
