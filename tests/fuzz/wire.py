"""Protobuf's wire format by hand: what the library would refuse to build."""

from collections.abc import Iterable
from functools import lru_cache, reduce

from opamp.protocol.varint import varint

_VARINT, _LENGTH = 0, 2


def number(field: int, value: int) -> bytes:
    """A varint field."""
    return varint(field << 3 | _VARINT) + varint(value)


def block(field: int, payload: bytes, *, lie: int = 0) -> bytes:
    """A length-delimited field (bytes, text, message); lie is added to the length that it claims."""
    return _head(field, max(0, len(payload) + lie)) + payload


@lru_cache(maxsize=4096)
def _head(field: int, length: int) -> bytes:
    return varint(field << 3 | _LENGTH) + varint(length)


def entry(field: int, key: bytes, value: bytes) -> bytes:
    """One entry of a map with text keys."""
    return block(field, block(1, key) + block(2, value))


def nested(path: Iterable[int], depth: int, core: bytes = b"") -> bytes:
    """Fields within fields: the path from the outside in, so often."""
    steps = list(path) * depth
    return reduce(lambda inside, field: block(field, inside), reversed(steps), core)
