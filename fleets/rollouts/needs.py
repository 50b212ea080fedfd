"""What a version needs of the hosts and builds that run it: components, variables, and text that holds. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from configs.collector import nodes
from configs.collector.errors import ParseError
from configs.collector.nodes import Node, resolved
from configs.collector.parse import parse
from fleets.quickdeploy.environment import variables_in

Component = tuple[str, str]
"""Kind and type: ("exporters", "debug")."""

_KINDS: Final = ("receivers", "processors", "exporters")
_SIGNAL_BORNE: Final = ("receivers", "exporters")
"""Where a pipeline names connectors."""
_RENAMED: Final = {("exporters", "otlp_grpc"): ("exporters", "otlp")}
"""New names whose old one differs in more than underscores; builds name a component by its new one alone."""


@dataclass(frozen=True, slots=True)
class Needs:
    """environment: variables without a default · faults: why no collector can read the text."""

    components: frozenset[Component] = frozenset()
    environment: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()


def needs_of(text: str) -> Needs:
    """What a version's text needs. Only components that a pipeline or the service uses are ever built."""
    try:
        root = parse(text).root
    except ParseError as problem:
        return Needs(faults=(str(problem),))
    variables = {one.name for one in variables_in(text) if not one.has_default}
    return Needs(frozenset(_used(root)), frozenset(variables))


def offered_by(tree: Mapping[str, Any]) -> frozenset[Component]:
    """What a build has, by AvailableComponents, under every name that it takes.

    Types that got underscores (hostmetrics, now host_metrics) are still taken by their old name.
    """
    found = {(kind, name) for kind, node in tree.items() for name in _below(node)}
    old = {(kind, name.replace("_", "")) for kind, name in found}
    return frozenset(found | old | {_RENAMED[one] for one in found if one in _RENAMED})


def missing_in(needed: Collection[Component], offered: Collection[Component]) -> list[Component]:
    """What of it a build lacks, in order."""
    return sorted(set(needed) - set(offered))


def _below(node: Any) -> Iterable[str]:
    below = node.get("components") if isinstance(node, Mapping) else None
    return below if isinstance(below, Mapping) else ()


def _used(root: nodes.Mapping) -> set[Component]:
    service = _map(root.get("service"))
    connectors = set(_names(root.get("connectors")))
    used = {("extensions", _type(name)) for name in _items(_get(service, "extensions"))}
    pipelines = _map(_get(service, "pipelines"))
    for entry in pipelines.entries if pipelines else ():
        for kind in _KINDS:
            for name in _items(_get(_map(entry.value), kind)):
                is_connector = name in connectors and kind in _SIGNAL_BORNE
                used.add(("connectors" if is_connector else kind, _type(name)))
    return used


def _map(node: Node | None) -> nodes.Mapping | None:
    found = None if node is None else resolved(node)
    return found if isinstance(found, nodes.Mapping) else None


def _get(found: nodes.Mapping | None, name: str) -> Node | None:
    return None if found is None else found.get(name)


def _names(node: Node | None) -> list[str]:
    found = _map(node)
    return [entry.name for entry in found.entries] if found else []


def _items(node: Node | None) -> list[str]:
    """The plain names of a list; what a variable stands for is known on the host alone."""
    found = None if node is None else resolved(node)
    listed = found if isinstance(found, nodes.Sequence) else ()
    values = (resolved(one) for one in listed)
    return [one.value for one in values if isinstance(one, nodes.Scalar) and "${" not in one.value]


def _type(name: str) -> str:
    return name.partition("/")[0]
