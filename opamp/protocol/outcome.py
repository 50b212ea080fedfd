"""What a message leads to: the answer, what was learnt, and what the gateway does next."""

from dataclasses import dataclass
from enum import StrEnum

from agents.snapshot import AgentPatch
from opamp.proto.opamp_pb2 import ServerToAgent


class MessageKind(StrEnum):
    """What a message was, for counting."""

    HEARTBEAT = "heartbeat"
    REPORT = "report"
    FULL_STATE = "full_state"
    GOODBYE = "goodbye"
    REFUSED = "refused"
    """It could be read, and what it said is not allowed."""


class CloseReason(StrEnum):
    """Why a session is over after the reply."""

    AGENT_LEFT = "agent_disconnect"
    """The agent said goodbye (D1). Forget its session; the client closes the connection itself."""


@dataclass(slots=True)
class Outcome:
    """The result of AgentSession.receive.

    reply: to be sent now, exactly one per message (M1).
    patch: to be stored; None when the message was refused or only asked for an identity.
    offer_due: claim an offer for this agent and pass it to AgentSession.make_offer. Raised once per
    reason: when the claim is not granted, the next reconcile asks again through set_desired.
    close: the session is over.
    kind: what the message was; limit: which one a refused one was over, or "".
    """

    reply: ServerToAgent
    patch: AgentPatch | None
    offer_due: bool = False
    close: CloseReason | None = None
    kind: MessageKind = MessageKind.HEARTBEAT
    limit: str = ""
