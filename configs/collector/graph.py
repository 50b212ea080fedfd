"""PURE. The pipelines as a graph: what hands its data to what (rules N02 to N04)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from configs.collector.model import Model, Pipeline
from configs.collector.names import Kind

Wired = Callable[[str, str, str], bool]
"""(connector, from signal, to signal) -> whether it makes the one of the other."""


class Part(StrEnum):
    """What a node is."""

    RECEIVER = "receiver"
    PROCESSOR = "processor"
    FAN_OUT = "fan-out"
    """Where a pipeline's data goes to all of its exporters."""
    EXPORTER = "exporter"
    CONNECTOR = "connector"


@dataclass(frozen=True, slots=True)
class Node:
    """One instance as collectors make them. within: what it is made once for: a signal for receivers and exporters,
    a pipeline for processors and fan-outs, `traces to metrics` for connectors.
    """

    part: Part
    id: str
    within: str


Graph = Mapping[Node, tuple[Node, ...]]
"""Each node with those that it hands data to, in order."""


def graph_of(model: Model, *, is_wired: Wired | None = None) -> Graph:
    """The graph, as large as the configuration: receivers and exporters are shared by the pipelines of a signal.

    is_wired leaves out pairs of signals that a connector does not have.
    """
    edges: dict[Node, dict[Node, None]] = {}
    bridges = _Bridges(
        into=_signals(model, "exporters"),
        out_of=_signals(model, "receivers"),
        is_wired=is_wired or _any,
    )
    for pipeline in model.pipelines.values():
        for source, target in _edges(pipeline, bridges):
            edges.setdefault(source, {})[target] = None
            edges.setdefault(target, {})
    return {node: tuple(targets) for node, targets in edges.items()}


def cycle_in(graph: Graph) -> tuple[Node, ...]:
    """The nodes of a circle, the first that is found; empty when data never comes back."""
    done: set[Node] = set()
    for start in graph:
        path = [start]
        on_path = {start: iter(graph[start])}
        while path:
            node = next((one for one in on_path[path[-1]] if one not in done), None)
            if node is None:
                done.add(path[-1])
                del on_path[path.pop()]
            elif node in on_path:
                return tuple(path[path.index(node) :])
            else:
                path.append(node)
                on_path[node] = iter(graph[node])
    return ()


def _any(connector: str, source: str, target: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Bridges:
    """Connector -> signals of the pipelines that export to it (into), and of those that receive of it (out_of)."""

    into: Mapping[str, tuple[str, ...]]
    out_of: Mapping[str, tuple[str, ...]]
    is_wired: Wired

    def after(self, connector: str, source: str) -> Iterator[Node]:
        """Its instances that take this signal."""
        for target in self.out_of[connector]:
            if self.is_wired(connector, source, target):
                yield _connector(connector, source, target)

    def before(self, connector: str, target: str) -> Iterator[Node]:
        """Its instances that give this signal."""
        for source in self.into[connector]:
            if self.is_wired(connector, source, target):
                yield _connector(connector, source, target)


def _signals(model: Model, role: str) -> Mapping[str, tuple[str, ...]]:
    """Connector -> signals of the pipelines that have it in this role."""
    found: dict[str, dict[str, None]] = {one: {} for one in model.components[Kind.CONNECTOR]}
    for pipeline in model.pipelines.values():
        for member in pipeline.members[role]:
            if member in found:
                found[member][pipeline.signal] = None
    return {connector: tuple(signals) for connector, signals in found.items()}


def _edges(pipeline: Pipeline, bridges: _Bridges) -> Iterator[tuple[Node, Node]]:
    signal = pipeline.signal
    fan_out = Node(Part.FAN_OUT, pipeline.id, pipeline.id)
    steps = [*(Node(Part.PROCESSOR, one, pipeline.id) for one in pipeline.processors), fan_out]
    for member in pipeline.receivers:
        is_connector = member in bridges.into
        receiver = Node(Part.RECEIVER, member, signal)
        sources = bridges.before(member, signal) if is_connector else (receiver,)
        yield from ((source, steps[0]) for source in sources)
    yield from pairwise(steps)
    for member in pipeline.exporters:
        is_connector = member in bridges.into
        exporter = Node(Part.EXPORTER, member, signal)
        targets = bridges.after(member, signal) if is_connector else (exporter,)
        yield from ((fan_out, target) for target in targets)


def _connector(connector: str, source: str, target: str) -> Node:
    return Node(Part.CONNECTOR, connector, f"{source} to {target}")
