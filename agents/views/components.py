"""The components that a collector build has, by kind, beside those that its configuration uses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.models import Agent
from agents.views.configuration import effective_of
from configs import catalog
from configs.collector.catalog_types import Catalog
from configs.collector.names import Kind, renamed
from fleets.models import Membership
from fleets.rollouts.needs import Component as Part
from fleets.rollouts.needs import needs_of

_KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Component:
    """One component. module: the Go module, `path@version` · state: used, unused, or missing when the build has it not
    · version, type: of its page in the catalog, "" without one.
    """

    name: str
    module: str
    state: str
    version: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class ComponentGroup:
    """All components of one kind: receivers, exporters, …"""

    kind: str
    components: Sequence[Component]

    @property
    def reported(self) -> int:
        """How many the build has."""
        return sum(one.state != "missing" for one in self.components)


@dataclass(frozen=True, slots=True)
class Joined:
    """groups: by kind · used, unused, missing: how many of each, over all kinds that configurations can use ·
    used_is_known: whether anything is known of what runs; else nothing counts as used.
    """

    groups: Sequence[ComponentGroup]
    used: int
    unused: int
    missing: int
    used_is_known: bool


def components_of(agent: Agent, membership: Membership | None) -> Joined:
    """What its build is able to do, beside what it runs, or is to run while it tells nothing."""
    tree = agent.components.tree if agent.components else {}
    texts = [file.body.decode(errors="replace") for file in effective_of(agent)] if tree else []
    if tree and not texts and membership is not None and membership.desired is not None:
        texts = [membership.desired.version.yaml]
    used = frozenset(one for text in texts for one in needs_of(text).used)
    return _joined(tree, used, agent.collector_version, used_is_known=bool(texts))


def _joined(
    tree: Mapping[str, Any], used: frozenset[Part], version: str, *, used_is_known: bool
) -> Joined:
    """What a build has, by its tree of AvailableComponents, against what is used, and what is known in the catalog.

    used: kinds and types, under present names · version: of the collector.
    """
    known = catalog.nearest(version)
    kinds = sorted({*tree, *(kind for kind, _ in used)} if tree else ())
    groups = [_group(kind, tree.get(kind), used, known) for kind in kinds]
    states = [one.state for group in groups for one in group.components]
    return Joined(
        groups,
        used=states.count("used"),
        unused=states.count("unused"),
        missing=states.count("missing"),
        used_is_known=used_is_known,
    )


def _group(kind: str, node: Any, used: frozenset[Part], known: Catalog) -> ComponentGroup:
    there = dict(_children(node))
    wanted = {name for one, name in used if one == kind}
    lacking = wanted - {_present(kind, name) for name in there}
    rows = [
        *(_reported(kind, name, part, wanted, known) for name, part in there.items()),
        *(_linked(kind, Component(name, "", "missing"), known) for name in lacking),
    ]
    return ComponentGroup(kind, sorted(rows, key=lambda one: one.name))


def _reported(kind: str, name: str, node: Any, wanted: Iterable[str], known: Catalog) -> Component:
    is_usable = kind in _KINDS
    state = ("used" if _present(kind, name) in wanted else "unused") if is_usable else ""
    return _linked(kind, Component(name, _module(node), state), known)


def _linked(kind: str, one: Component, known: Catalog) -> Component:
    found = known.find(Kind(kind), one.name) if kind in _KINDS else None
    if found is None:
        return one
    return Component(one.name, one.module, one.state, known.version, found.type)


def _present(kind: str, name: str) -> str:
    return renamed(Kind(kind), name) if kind in _KINDS else name


def _children(node: Any) -> Iterable[tuple[str, Any]]:
    below = node.get("components", {}) if isinstance(node, Mapping) else {}
    return below.items() if isinstance(below, Mapping) else ()


def _module(node: Any) -> str:
    metadata = node.get("metadata", {}) if isinstance(node, Mapping) else {}
    module = metadata.get("code.namespace", "") if isinstance(metadata, Mapping) else ""
    return module if isinstance(module, str) else ""
