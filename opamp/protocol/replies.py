"""The server's answers that need no session."""

from typing import Any, Final
from uuid import UUID

from opamp.proto.opamp_pb2 import (
    AgentIdentification,
    RetryInfo,
    ServerCapabilities,
    ServerErrorResponse,
    ServerErrorResponseType,
    ServerToAgent,
)

# M4: only what is honoured; AcceptsStatus is always there.
SERVER_CAPABILITIES = int(
    ServerCapabilities.ServerCapabilities_AcceptsStatus
    | ServerCapabilities.ServerCapabilities_OffersRemoteConfig
    | ServerCapabilities.ServerCapabilities_AcceptsEffectiveConfig
    | ServerCapabilities.ServerCapabilities_OffersConnectionSettings
)

_NANOSECONDS = 1_000_000_000
_LONGEST_UID = 64


def bad_request(instance_uid: bytes, problem: str) -> ServerToAgent:
    """The answer to a malformed message (M7); instance_uid as the message has it, b"" if unread."""
    return _error(
        instance_uid,
        ServerErrorResponse(
            type=ServerErrorResponseType.ServerErrorResponseType_BadRequest, error_message=problem
        ),
    )


BUSY: Final = "The server is busy."


def unavailable(instance_uid: bytes, retry_after_s: int, problem: str = BUSY) -> ServerToAgent:
    """The answer when the server cannot take more at the moment (A3); problem: a sentence that says of what."""
    return _error(
        instance_uid,
        ServerErrorResponse(
            type=ServerErrorResponseType.ServerErrorResponseType_Unavailable,
            error_message=f"{problem} Send again in {retry_after_s} s.",
            retry_info=RetryInfo(retry_after_nanoseconds=retry_after_s * _NANOSECONDS),
        ),
    )


def new_identity(instance_uid: bytes, new_uid: UUID) -> ServerToAgent:
    """Tells the sender to use new_uid (a UUIDv7, M6) from its next message on."""
    return ServerToAgent(
        instance_uid=instance_uid,
        capabilities=SERVER_CAPABILITIES,
        agent_identification=AgentIdentification(new_instance_uid=new_uid.bytes),
    )


def _error(instance_uid: bytes, error: ServerErrorResponse) -> ServerToAgent:
    # M3: nothing beside the error but whom it is for. An absurd uid is not echoed at length.
    return ServerToAgent(instance_uid=instance_uid[:_LONGEST_UID], error_response=error)


class Answers:
    """What one agent is sent in a session: the first message carries the server's capabilities (M4), all its uid (M2).

    Messages of more than send_bytes are not made (T4).
    """

    __slots__ = ("_has_begun", "_instance_uid", "_send_bytes")

    def __init__(self, instance_uid: bytes, send_bytes: int) -> None:
        self._instance_uid = instance_uid
        self._send_bytes = send_bytes
        self._has_begun = False

    def message(self, **content: Any) -> ServerToAgent:
        """A message with this content: fields of ServerToAgent by name."""
        if not self._has_begun:
            self._has_begun = True
            content["capabilities"] = SERVER_CAPABILITIES
        return ServerToAgent(instance_uid=self._instance_uid, **content)

    def fitting(self, **content: Any) -> ServerToAgent | None:
        """The same; None when it would be too large."""
        message = self.message(**content)
        return message if message.ByteSize() <= self._send_bytes else None
