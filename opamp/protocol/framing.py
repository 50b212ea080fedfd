"""Bytes to messages and back: WebSocket frames have a varint header of 0 (T2), HTTP bodies have none (T5)."""

from google.protobuf.message import DecodeError

from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.limits import MOST_PARTS
from opamp.protocol.parts import check_parts

_HEADER = b"\x00"
_VARINT_BYTES = 10


def decode_frame(data: bytes, most_parts: int = MOST_PARTS) -> AgentToServer:
    """The message of one binary WebSocket message. Raises MalformedMessage, also for more than most_parts."""
    if not data:
        raise MalformedMessage("The message is empty; a WebSocket message starts with a 0 header.")
    start = 1 if data[0] == 0 else _end_of_header(data)
    return decode_body(data[start:], most_parts)


def decode_body(data: bytes, most_parts: int = MOST_PARTS) -> AgentToServer:
    """The same of an HTTP body; zero bytes are a valid, empty message."""
    check_parts(data, most_parts)
    try:
        return AgentToServer.FromString(data)
    except DecodeError:
        # The library's own text describes its internals, not the sender's mistake.
        raise MalformedMessage(
            "The message is not a valid AgentToServer protobuf, or is nested too deeply."
        ) from None


def encode_frame(message: ServerToAgent) -> bytes:
    """One binary WebSocket message."""
    return _HEADER + message.SerializeToString()


def encode_body(message: ServerToAgent) -> bytes:
    """An HTTP body."""
    return message.SerializeToString()


def _end_of_header(data: bytes) -> int:
    """Where the protobuf begins after a header of more than one byte, which must still say 0."""
    value = 0
    for index, byte in enumerate(data[:_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value:
                raise MalformedMessage(f"The message header is {value}; only 0 is known.")
            return index + 1
    raise MalformedMessage("The message header is not a complete varint.")
