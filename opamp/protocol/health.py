"""The health tree (H1): checked when it comes, read when somebody asks for it.

Few trees are ever looked at, and a collector that applies a configuration sends five. So a session reads the root
alone, and the tree is kept as the bytes that came.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from sys import maxsize
from typing import Final

from agents.snapshot import ComponentHealth
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.anyvalue import AttributeReader, attributes_from_json, cut
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.limits import Limits, check_size

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TAKEN: Final = Limits(attributes=maxsize, attribute_length=maxsize, value_depth=maxsize)
"""What was taken once is within the limits of then."""


class Unread(Mapping[str, ComponentHealth]):
    """The components of a tree, read when somebody asks for them."""

    __slots__ = ("_known", "_number", "_report")

    def __init__(self, number: int, report: bytes) -> None:
        self._number = number
        self._report = report
        self._known: Mapping[str, ComponentHealth] | None = None

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __getitem__(self, name: str) -> ComponentHealth:
        return self._read()[name]

    def __repr__(self) -> str:
        return repr(dict(self))

    def _read(self) -> Mapping[str, ComponentHealth]:
        if self._known is None:
            self._known = read_tree(self._report).components
        return self._known


def read_health(health: pb.ComponentHealth, limits: Limits) -> ComponentHealth:
    """The root, with the components below it unread. Raises MalformedMessage for a tree that is over the limits."""
    report, number = health.SerializeToString(), len(health.component_health_map)
    check_size("health", len(report), limits, counted_as="health")
    _Check(limits).look(health, 1)
    root = _node(health, limits, Unread(number, report) if number else {})
    root.report = report
    return root


def read_tree(report: bytes) -> ComponentHealth:
    """The whole tree of a report that was taken."""
    return _whole(pb.ComponentHealth.FromString(report))


def write_tree(health: ComponentHealth) -> bytes:
    """The report that read_tree makes this of."""
    return _message(health).SerializeToString()


def _whole(health: pb.ComponentHealth) -> ComponentHealth:
    children = health.component_health_map
    below = {cut(name, _TAKEN.text_length): _whole(children[name]) for name in sorted(children)}
    return _node(health, _TAKEN, below)


def _node(
    health: pb.ComponentHealth, limits: Limits, components: Mapping[str, ComponentHealth]
) -> ComponentHealth:
    attributes = health.attributes
    return ComponentHealth(
        health.healthy,
        cut(health.status, limits.text_length),
        cut(health.last_error, limits.text_length),
        _time(health.start_time_unix_nano),
        _time(health.status_time_unix_nano),
        AttributeReader(limits).read(attributes) if attributes else {},
        components,
    )


def _message(health: ComponentHealth) -> pb.ComponentHealth:
    return pb.ComponentHealth(
        healthy=health.healthy,
        status=health.status,
        last_error=health.last_error,
        start_time_unix_nano=_nanoseconds(health.started_at),
        status_time_unix_nano=_nanoseconds(health.status_at),
        attributes=attributes_from_json(health.attributes),
        component_health_map={name: _message(child) for name, child in health.components.items()},
    )


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
                f"health has more than {self._limits.health_components} components.",
                limit="health",
            )
        if depth > self._limits.health_depth:
            raise MalformedMessage(
                f"health is nested more than {self._limits.health_depth} levels deep.",
                limit="health",
            )


def _time(nanoseconds: int) -> datetime | None:
    """A Unix time; None for 0, which means not set."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000) if nanoseconds else None


def _nanoseconds(moment: datetime | None) -> int:
    return (moment - _EPOCH) // _MICROSECOND * 1000 if moment else 0
