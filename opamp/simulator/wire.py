"""PURE. Prepared protobuf bytes: a message is a head with uid and number, and parts that are bytes already.

Field numbers are those of opamp.proto. Everything here is checked against the generated code in tests/simulator.
"""

import struct
from typing import Final

from opamp.protocol.varint import varint as encoded

HEADER: Final = b"\x00"
"""What a WebSocket message starts with; a body of plain HTTP has none."""
_HEAD: Final = HEADER + b"\x0a\x10"
_PREPARED: Final = 1 << 14

DESCRIPTION, CAPABILITIES, HEALTH, EFFECTIVE, REMOTE_STATUS = 3, 4, 5, 6, 7
PACKAGES, DISCONNECT, COMPONENTS, SETTINGS_STATUS = 8, 9, 14, 15


def varint(value: int) -> bytes:
    """A number of protobuf; most are prepared."""
    return _VARINTS[value] if value < _PREPARED else encoded(value)


def part(number: int, payload: bytes) -> bytes:
    """A length-delimited field: a string, bytes or a message."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def number_field(number: int, value: int) -> bytes:
    """A varint field; nothing for 0, as proto3 has it."""
    return varint(number << 3) + varint(value) if value else b""


def frame(uid: bytes, number: int, rest: bytes) -> bytes:
    """A whole WebSocket message: who (16 bytes), which one, and prepared parts."""
    if number < _PREPARED:
        return _HEAD + uid + _NUMBERS[number] + rest
    return _HEAD + uid + number_field(2, number) + rest


def attribute(key: str, value: str) -> bytes:
    """A KeyValue with a text."""
    return part(1, key.encode()) + part(2, part(1, value.encode()))


def config_file(name: str, body: bytes, content_type: str) -> bytes:
    """An EffectiveConfig with one file."""
    entry = part(1, body) + (part(2, content_type.encode()) if content_type else b"")
    return part(1, part(1, part(1, name.encode()) + part(2, entry)))


def remote_status(config_hash: bytes, status: int, error: str) -> bytes:
    """A RemoteConfigStatus."""
    named = part(1, config_hash) if config_hash else b""
    return named + number_field(2, status) + (part(3, error.encode()) if error else b"")


def unix_nano(now: float) -> bytes:
    """The eight bytes of a fixed64 time."""
    return struct.pack("<Q", int(now * 1_000_000) * 1000)


_VARINTS: Final = tuple(encoded(value) for value in range(_PREPARED))
_NUMBERS: Final = tuple(number_field(2, number) for number in range(_PREPARED))
