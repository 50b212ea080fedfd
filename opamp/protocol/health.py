"""The health tree (H1): checked when it comes, read when somebody asks for it.

Most trees are overtaken by the next before they are stored: a collector that applies a configuration sends five. So a
session reads the root alone, and what is below stays as bytes until the last one is written.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from agents.snapshot import ComponentHealth
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.anyvalue import AttributeReader, cut
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.limits import Limits

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_health(health: pb.ComponentHealth, limits: Limits) -> ComponentHealth:
    """The root, with the components below it unread. Raises MalformedMessage for a tree that is over the limits."""
    _Check(limits).look(health, 1)
    return _node(health, limits, AttributeReader(limits), _Unread(health, limits))


class _Unread(Mapping[str, ComponentHealth]):
    """Components below a root that was checked."""

    __slots__ = ("_limits", "_number", "_raw", "_read")

    def __init__(self, health: pb.ComponentHealth, limits: Limits) -> None:
        self._number = len(health.component_health_map)
        self._raw = health.SerializeToString() if self._number else b""
        self._limits = limits
        self._read: Mapping[str, ComponentHealth] | None = None

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[str]:
        return iter(self._components())

    def __getitem__(self, name: str) -> ComponentHealth:
        return self._components()[name]

    def __repr__(self) -> str:
        return repr(self._components())

    def _components(self) -> Mapping[str, ComponentHealth]:
        if self._read is None:
            root, attributes = (
                pb.ComponentHealth.FromString(self._raw),
                AttributeReader(self._limits),
            )
            self._read, self._raw = _below(root, self._limits, attributes), b""
            self._number = len(self._read)
        return self._read


class _Check:
    """Looks through one tree. Children are counted before they are looked at: a wide tree costs nothing."""

    __slots__ = ("_attributes", "_left", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._attributes = AttributeReader(limits)
        self._left = limits.health_components - 1

    def look(self, health: pb.ComponentHealth, depth: int) -> None:
        """Raises MalformedMessage. Most nodes are leaves without attributes, which are passed over here."""
        if health.attributes:
            self._attributes.read(health.attributes)
        children = health.component_health_map
        if not children:
            return
        self._count(len(children), depth + 1)
        for name in children:
            child = children[name]
            if child.component_health_map or child.attributes:
                self.look(child, depth + 1)

    def _count(self, children: int, depth: int) -> None:
        self._left -= children
        if self._left < 0:
            raise MalformedMessage(
                f"health has more than {self._limits.health_components} components."
            )
        if depth > self._limits.health_depth:
            raise MalformedMessage(
                f"health is nested more than {self._limits.health_depth} levels deep."
            )


def _below(
    health: pb.ComponentHealth, limits: Limits, attributes: AttributeReader
) -> dict[str, ComponentHealth]:
    children, longest = health.component_health_map, limits.attribute_length
    components: dict[str, ComponentHealth] = {}
    for name in sorted(children) if children else ():
        child = children[name]
        components[cut(name, longest)] = _node(
            child, limits, attributes, _below(child, limits, attributes)
        )
    return components


def _node(
    health: pb.ComponentHealth,
    limits: Limits,
    attributes: AttributeReader,
    components: Mapping[str, ComponentHealth],
) -> ComponentHealth:
    error, said = health.last_error, health.attributes
    return ComponentHealth(
        health.healthy,
        cut(health.status, limits.text_length),
        cut(error, limits.text_length) if error else "",
        _time(health.start_time_unix_nano),
        _time(health.status_time_unix_nano),
        attributes.read(said) if said else {},
        components,
    )


def _time(nanoseconds: int) -> datetime | None:
    """A Unix time; None for 0, which means not set."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000) if nanoseconds else None
