"""Who a message is from (M5), and agents that ask for an identity (M6)."""

from uuid import UUID

from opamp.proto.opamp_pb2 import AgentToServer, AgentToServerFlags
from opamp.protocol.errors import MalformedMessage

_UID_BYTES = 16
_ULID_CHARACTERS = 26
_REQUEST_INSTANCE_UID = int(AgentToServerFlags.AgentToServerFlags_RequestInstanceUid)


def read_instance_uid(message: AgentToServer) -> UUID:
    """The sender's identity. Raises MalformedMessage when it is not 16 bytes, or all of them 0."""
    raw = message.instance_uid
    if len(raw) == _UID_BYTES and any(raw):
        return UUID(bytes=raw)
    if len(raw) == _UID_BYTES:
        raise MalformedMessage("instance_uid is all zeros, which every broken agent could be.")
    if len(raw) == _ULID_CHARACTERS:
        raise MalformedMessage(
            "instance_uid is a ULID of 26 characters, as old agents send it; it has to be 16 bytes."
            " Update the agent."
        )
    raise MalformedMessage(f"instance_uid has {len(raw)} bytes; it has to have 16.")


def wants_new_uid(message: AgentToServer) -> bool:
    """True when the agent asks the server to choose its identity (M6).

    Answer it with replies.new_identity, and register nothing: the uid it came with is never
    used again.
    """
    return bool(message.flags & _REQUEST_INSTANCE_UID)
