"""Health trees as JSON values, which is how they are kept. Pure.

A node: healthy, status, last_error, started_at and status_at (ISO 8601 or null), attributes, components by name.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from agents.snapshot import ComponentHealth

Node = dict[str, Any]


def node(
    healthy: bool,
    status: str,
    last_error: str,
    started_at: str | None,
    status_at: str | None,
    attributes: Mapping[str, Any],
    components: Mapping[str, Node],
) -> Node:
    """One node of a tree."""
    return {
        "healthy": healthy,
        "status": status,
        "last_error": last_error,
        "started_at": started_at,
        "status_at": status_at,
        "attributes": attributes,
        "components": components,
    }


class Unread(Mapping[str, ComponentHealth]):
    """The components of a tree, read when somebody asks for them. read: makes their nodes, the same each time."""

    __slots__ = ("_nodes", "_number", "read")

    def __init__(self, number: int, read: Callable[[], Mapping[str, Node]]) -> None:
        self.read = read
        self._number = number
        self._nodes: Mapping[str, Node] | None = None

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __getitem__(self, name: str) -> ComponentHealth:
        return health_from_json(self._known()[name])

    def __repr__(self) -> str:
        return repr(dict(self))

    def _known(self) -> Mapping[str, Node]:
        if self._nodes is None:
            self._nodes = self.read()
        return self._nodes


def health_to_json(health: ComponentHealth) -> Node:
    """The tree as its root's node."""
    below = health.components
    return node(
        health.healthy,
        health.status,
        health.last_error,
        health.started_at.isoformat() if health.started_at else None,
        health.status_at.isoformat() if health.status_at else None,
        dict(health.attributes),
        below.read()
        if isinstance(below, Unread)
        else {name: health_to_json(child) for name, child in below.items()},
    )


def health_from_json(tree: Mapping[str, Any]) -> ComponentHealth:
    """The inverse of health_to_json; of a root alone, without components."""
    return ComponentHealth(
        healthy=tree["healthy"],
        status=tree["status"],
        last_error=tree["last_error"],
        started_at=_time(tree["started_at"]),
        status_at=_time(tree["status_at"]),
        attributes=tree["attributes"],
        components={
            name: health_from_json(child) for name, child in tree.get("components", {}).items()
        },
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
