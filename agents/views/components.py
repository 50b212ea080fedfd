"""The components that a collector build has, by kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Component:
    """One component of the build. module: the Go module, `path@version`."""

    name: str
    module: str


@dataclass(frozen=True, slots=True)
class ComponentGroup:
    """All components of one kind: receivers, exporters, …"""

    kind: str
    components: Sequence[Component]


def component_groups(tree: Mapping[str, Any]) -> list[ComponentGroup]:
    """The tree of AvailableComponents as kinds with their components, in the order of their names."""
    return [
        ComponentGroup(kind, [_component(name, part) for name, part in sorted(_children(node))])
        for kind, node in sorted(tree.items())
    ]


def _children(node: Any) -> list[tuple[str, Any]]:
    below = node.get("components", {}) if isinstance(node, Mapping) else {}
    return list(below.items()) if isinstance(below, Mapping) else []


def _component(name: str, node: Any) -> Component:
    metadata = node.get("metadata", {}) if isinstance(node, Mapping) else {}
    module = metadata.get("code.namespace", "") if isinstance(metadata, Mapping) else ""
    return Component(name, module if isinstance(module, str) else "")
