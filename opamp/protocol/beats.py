"""The heartbeat that an agent will send next, as bytes: nearly all messages are known by them and never decoded.

Fields come in the order of their numbers, as every protobuf library writes them; others are only slower.
"""

from functools import lru_cache
from typing import Final

from opamp.protocol.varint import varint

_HEAD: Final = b"\x00\x0a\x10"  # the header of T2; field 1, instance_uid, of 16 bytes
_NUMBER: Final = b"\x10"  # field 2
_CAPABILITIES: Final = b"\x20"  # field 4
_HEAD_AND_UID: Final = len(_HEAD) + 16

UID: Final = slice(len(_HEAD), _HEAD_AND_UID)
"""Where a heartbeat has its sender's uid."""


def beat_frame(uid: bytes, number: int, capabilities: int) -> bytes:
    """The WebSocket message of a heartbeat; number is above 0, for a first message is none that can be foreseen."""
    return _HEAD + uid + _NUMBER + varint(number) + _tail(capabilities)


def answer_to(beat: bytes) -> bytes:
    """The WebSocket message that only says whom it is for (M2): that is field 1 of both messages."""
    return beat[:_HEAD_AND_UID]


def uid_of(frame: bytes) -> bytes:
    """Whom a WebSocket message is from, as far as it can be told without decoding it; else b""."""
    return frame[UID] if frame.startswith(_HEAD) else b""


@lru_cache
def _tail(capabilities: int) -> bytes:
    return _CAPABILITIES + varint(capabilities) if capabilities else b""
