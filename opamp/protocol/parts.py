"""How many parts a message has, found without making them: each costs some hundred bytes once it is decoded. Pure.

Only what may be large is counted: a message of at most `UNCOUNTED_BYTES` cannot hold parts that would matter.
"""

from functools import cache
from typing import Final

from google.protobuf.descriptor import Descriptor

from opamp.proto.opamp_pb2 import AgentToServer
from opamp.protocol.errors import MalformedMessage

UNCOUNTED_BYTES: Final = 64 * 1024
_LENGTH: Final = 2
_VARINTS: Final = (0, _LENGTH)
_FIXED: Final = {1: 8, 5: 4}
"""Kinds of fields on the wire: those that begin with a number, and the sizes of others. OpAMP has no groups."""

Table = dict[int, "Table"]
"""Tags of the fields of a message that are messages themselves, with theirs."""


def check_parts(data: bytes, most: int) -> None:
    """Raises MalformedMessage when an AgentToServer has more than `most` parts."""
    if len(data) > UNCOUNTED_BYTES and count_parts(data, most) > most:
        raise MalformedMessage(f"The message has more than {most} parts.", limit="parts")


def count_parts(data: bytes, most: int) -> int:
    """How many fields the message and all within it have; it counts no further than one more than `most`.

    Where the bytes are no message it goes on with what the library, which reads in the same order and ends there, will
    never come to; 0 when they end too early, which the library says. Raises MalformedMessage for groups: what they
    hold could not be told from what is read.
    """
    try:
        return _count(data, most)
    except IndexError:
        return 0


def _count(data: bytes, most: int) -> int:
    table, at, end, parts = _table(AgentToServer.DESCRIPTOR), 0, len(data), 0
    outer: list[tuple[int, Table]] = []
    while parts <= most:
        if at >= end:
            if not outer:
                break
            end, table = outer.pop()
            continue
        parts += 1
        tag, at = data[at], at + 1
        if tag > 0x7F:
            tag, at = _long(data, tag, at)
        kind = tag & 7
        if kind not in _VARINTS:
            at += _fixed(kind)
            continue
        size, at = data[at], at + 1
        if size > 0x7F:
            size, at = _long(data, size, at)
        if kind == _LENGTH:
            inner = table.get(tag) if size else None
            if inner is None:
                at += size
            else:
                outer.append((end, table))
                end, table = at + size, inner
    return parts


def _fixed(kind: int) -> int:
    if kind not in _FIXED:
        raise MalformedMessage("The message has a group, which OpAMP does not know.")
    return _FIXED[kind]


def _long(data: bytes, first: int, at: int) -> tuple[int, int]:
    """A varint of more than one byte, the first of which is read, and where it ends."""
    value, shift = first & 0x7F, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


@cache
def _table(descriptor: Descriptor) -> Table:
    return _fill(descriptor, {})


def _fill(descriptor: Descriptor, known: dict[str, Table]) -> Table:
    """Messages may hold themselves, so the table of one is known before it is filled."""
    table = known.get(descriptor.full_name)
    if table is None:
        table = known[descriptor.full_name] = {}
        for field in descriptor.fields:
            if field.message_type is not None:
                table[field.number << 3 | _LENGTH] = _fill(field.message_type, known)
    return table
