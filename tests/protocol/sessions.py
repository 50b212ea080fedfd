"""A session with an agent that is known, and what it is told."""

from uuid import UUID

from agents.snapshot import AgentSnapshot, Capability
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.anyvalue import attributes_from_json
from opamp.protocol.limits import Limits
from opamp.protocol.outcome import Outcome
from opamp.protocol.session import AgentSession
from tests.protocol.world import LIMITS

UID = UUID(bytes=bytes(range(16)))


MASK = int(Capability.REPORTS_STATUS | Capability.REPORTS_HEALTH)


BAD_REQUEST = pb.ServerErrorResponseType.ServerErrorResponseType_BadRequest


def known(**changes: object) -> AgentSnapshot:
    return AgentSnapshot(
        **{
            "instance_uid": UID,
            "epoch": 3,
            "sequence_num": 4,
            "is_new": False,
            "capabilities": MASK,
        }  # type: ignore[arg-type]  # the fields of the dataclass
        | changes
    )


def said(number: int, **parts: object) -> pb.AgentToServer:
    fields = {"instance_uid": UID.bytes, "sequence_num": number, "capabilities": MASK} | parts
    return pb.AgentToServer(**fields)  # type: ignore[arg-type]  # the message's own fields


def full(number: int) -> pb.AgentToServer:
    description = pb.AgentDescription(identifying_attributes=attributes_from_json({"a": 1}))
    return said(number, agent_description=description, health=pb.ComponentHealth(healthy=True))


def session(limits: Limits = LIMITS, **changes: object) -> AgentSession:
    return AgentSession(known(**changes), limits)


def refusal(outcome: Outcome) -> str:
    """The text of a BAD_REQUEST, which stands alone (M3)."""
    assert outcome.patch is None
    assert outcome.close is None
    assert outcome.reply.error_response.type == BAD_REQUEST
    assert {one.name for one, _ in outcome.reply.ListFields()} <= {"instance_uid", "error_response"}
    return outcome.reply.error_response.error_message
