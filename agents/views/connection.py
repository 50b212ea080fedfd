"""How a collector keeps in touch, for its page: its credential, and what came of the settings it was offered."""

from dataclasses import dataclass
from datetime import datetime

from agents.models import Agent, AgentStatus
from agents.snapshot import Capability
from fleets.connection_offer import MOST_UNUSED, keeps_interval
from fleets.models import AgentConnection, Membership, Token, TokenKind
from telflo.base.models import Activity
from telflo.base.redaction import redact_line, redact_text

_KINDS = {
    TokenKind.ENROLMENT: "shared enrolment token",
    TokenKind.HOST: "token of this host",
    TokenKind.AGENT: "its own",
}
_ANSWERS = {1: "applied", 2: "being applied", 3: "failed"}


@dataclass(frozen=True, slots=True)
class ConnectionPanel:
    """since: when the credential was made, for one that many share when the collector enrolled.

    outcome: what became of the settings, in words; at: since when that is so, if it is known.
    """

    token: Token | None
    kind: str
    name: str
    since: datetime | None
    offered_at: datetime | None
    outcome: str
    at: datetime | None
    error: str
    unused: int

    @property
    def is_left_alone(self) -> bool:
        """Whether no credential is offered to it any more."""
        return self.unused >= MOST_UNUSED


@dataclass(frozen=True, slots=True)
class Revocation:
    """Why the server refuses a collector: the token that it uses was revoked. by: "" where nobody knows any more."""

    name: str
    at: datetime
    by: str
    reason: str


def revocation_of(membership: Membership | None) -> Revocation | None:
    """None while its token is good, or not known. One query, where it is revoked."""
    token = membership.token if membership else None
    if token is None or token.revoked_at is None:
        return None
    entries = Activity.objects.filter(
        object_type="token", object_id=str(token.pk), action="token.revoke"
    )
    entry = entries.first()
    by = entry.by if entry else ""
    return Revocation(token.name, token.revoked_at, by, redact_line(token.revoked_reason))


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
        outcome=_outcome(agent, offered, token),
        at=agent.status.connection_at if agent.status.connection_status in _ANSWERS else None,
        error=redact_text(agent.status.connection_error),
        unused=offered.unused_offers if offered else 0,
    )


def _outcome(agent: Agent, offered: AgentConnection | None, token: Token | None) -> str:
    """What the collector answered; where it does not answer, what can be seen of it."""
    answer = _ANSWERS.get(agent.status.connection_status)
    if answer or offered is None:
        return answer or ""
    if agent.capabilities & Capability.REPORTS_CONNECTION_SETTINGS_STATUS:
        return "not answered yet"
    if token is not None and _came_back(agent.status, offered, token):
        return "in use: it came back by the credential in them"
    if _is_interval_in_use(agent.status, offered):
        return f"in use: it is heard every {offered.heartbeat_s} s"
    return "sent; this supervisor does not report back"


def _came_back(status: AgentStatus, offered: AgentConnection, token: Token) -> bool:
    """A client that is told a credential connects anew by it, or is never heard again."""
    is_newer = (
        status.connected_at and offered.offered_at and offered.offered_at < status.connected_at
    )
    return bool(is_newer and offered.credential_id == token.pk)


def _is_interval_in_use(status: AgentStatus, offered: AgentConnection) -> bool:
    """By the messages that it sent since, on the same connection: their numbers count up."""
    ends = (offered.counted_from, offered.counted_at, status.sequence_num, status.last_seen_at)
    first, since, last, until = ends
    if first is None or since is None or last is None or until is None or not status.connected:
        return False
    if status.connected_at is None or status.connected_at > since:
        return False
    seconds = (until - since).total_seconds()
    return keeps_interval(offered.heartbeat_s, messages=last - first, seconds=seconds)
