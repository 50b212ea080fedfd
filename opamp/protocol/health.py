"""The health tree (H1): checked when it comes, read when somebody asks for it.

Most trees are overtaken by the next before they are stored: a collector that applies a configuration sends five. So a
session reads the root alone, and what is below stays as bytes until the last one is written.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Final

from agents.health import Node, Unread, node
from agents.snapshot import ComponentHealth
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.anyvalue import AttributeReader, cut
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.limits import Limits

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_health(health: pb.ComponentHealth, limits: Limits) -> ComponentHealth:
    """The root, with the components below it unread. Raises MalformedMessage for a tree that is over the limits."""
    _Check(limits).look(health, 1)
    attributes = health.attributes
    return ComponentHealth(
        health.healthy,
        cut(health.status, limits.text_length),
        cut(health.last_error, limits.text_length),
        _time(health.start_time_unix_nano),
        _time(health.status_time_unix_nano),
        AttributeReader(limits).read(attributes) if attributes else {},
        _unread(health, limits),
    )


def _unread(health: pb.ComponentHealth, limits: Limits) -> Mapping[str, ComponentHealth]:
    number = len(health.component_health_map)
    return Unread(number, partial(_read, health.SerializeToString(), limits)) if number else {}


def _read(raw: bytes, limits: Limits) -> dict[str, Node]:
    return _below(pb.ComponentHealth.FromString(raw), limits, AttributeReader(limits))


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


def _below(
    health: pb.ComponentHealth, limits: Limits, attributes: AttributeReader
) -> dict[str, Node]:
    """The nodes below this one, in one pass over thousands of them in a second."""
    children, longest = health.component_health_map, limits.attribute_length
    nodes: dict[str, Node] = {}
    for name in sorted(children) if children else ():
        child = children[name]
        error, said = child.last_error, child.attributes
        nodes[cut(name, longest)] = node(
            child.healthy,
            cut(child.status, limits.text_length),
            cut(error, limits.text_length) if error else "",
            _time_text(child.start_time_unix_nano),
            _time_text(child.status_time_unix_nano),
            attributes.read(said) if said else {},
            _below(child, limits, attributes),
        )
    return nodes


def _time(nanoseconds: int) -> datetime | None:
    """A Unix time; None for 0, which means not set."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000) if nanoseconds else None


def _time_text(nanoseconds: int) -> str | None:
    """The same as datetime.isoformat() writes it; None for 0."""
    if not nanoseconds:
        return None
    second, fraction = divmod(nanoseconds // 1000, 1_000_000)
    return f"{_second(second)}.{fraction:06}+00:00" if fraction else f"{_second(second)}+00:00"


@lru_cache(maxsize=1024)
def _second(number: int) -> str:
    """A tree has two times a node, most of them of few seconds, and isoformat() takes as long as all else of a node."""
    return (_EPOCH + timedelta(seconds=number)).replace(tzinfo=None).isoformat()
