"""What a message is as a whole, before its parts are read: a heartbeat, the same as the last, a goodbye."""

from typing import Final

from agents.snapshot import Transport
from agents.status import SHUTDOWN_ERROR
from opamp.proto.opamp_pb2 import AgentToServer
from opamp.protocol.outcome import CloseReason

BARE: Final = 0
"""The digest of every message that reports nothing."""
REFUSED: Final = 1
"""The digest of every refused message; what we know is doubtful after it in any case."""


def is_bare(message: AgentToServer) -> bool:
    """True when it holds only scalars: who, which number, which capabilities."""
    scalars = 1 + bool(message.sequence_num) + bool(message.capabilities) + bool(message.flags)
    return len(message.ListFields()) == scalars


def digest_of(message: AgentToServer) -> int:
    """The same for two messages with the same content."""
    return hash(message.SerializeToString(deterministic=True))


def goodbye_in(message: AgentToServer, transport: Transport) -> str:
    """D1: how the agent says that it leaves; "" when it does not."""
    if message.HasField("agent_disconnect"):
        return CloseReason.AGENT_LEFT
    if transport is Transport.HTTP and message.health.last_error == SHUTDOWN_ERROR:
        return CloseReason.AGENT_LEFT
    return ""
