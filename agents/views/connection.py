"""How a collector keeps in touch, for its page: its credential, and what came of the settings it was offered."""

from dataclasses import dataclass
from datetime import datetime

from agents.models import Agent
from fleets.connection_offer import MOST_UNUSED
from fleets.models import AgentConnection, Membership, Token, TokenKind
from telflo.base.redaction import redact_text

_KINDS = {
    TokenKind.ENROLMENT: "shared enrolment token",
    TokenKind.HOST: "token of this host",
    TokenKind.AGENT: "its own",
}
_ANSWERS = {1: "applied", 2: "being applied", 3: "failed"}


@dataclass(frozen=True, slots=True)
class ConnectionPanel:
    """since: when the credential was made, for one that many share when the collector enrolled."""

    token: Token | None
    kind: str
    name: str
    since: datetime | None
    offered_at: datetime | None
    answer: str
    error: str
    unused: int

    @property
    def is_left_alone(self) -> bool:
        """Whether no credential is offered to it any more."""
        return self.unused >= MOST_UNUSED


def connection_panel(agent: Agent, membership: Membership | None) -> ConnectionPanel:
    """From rows that are loaded: no query."""
    token = membership.token if membership else None
    offered: AgentConnection | None = getattr(agent, "connection", None)
    is_own = token is not None and token.kind == TokenKind.AGENT
    since = membership.enrolled_at if membership else None
    return ConnectionPanel(
        token=token,
        kind=_KINDS[TokenKind(token.kind)] if token else "",
        name=token.name if token and not is_own else "",
        since=token.created_at if token and is_own else since,
        offered_at=offered.offered_at if offered else None,
        answer=_ANSWERS.get(agent.status.connection_status, ""),
        error=redact_text(agent.status.connection_error),
        unused=offered.unused_offers if offered else 0,
    )
