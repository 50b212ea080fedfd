"""What the gateway needs of the domain, as a port: tests pass a fake, opamp/domain.py is the real one.

Every method may block (database) and is called on a thread, never on the event loop.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from agents.commands import Command
from agents.snapshot import AgentPatch, AgentSnapshot, Transport
from fleets.connection_offer import Held, SettingsClaim, SettingsOffer
from fleets.offer import Claim, Intent, Offer
from opamp.errors import AgentPutOff, AgentRefused

Admitted = AgentSnapshot | AgentRefused | AgentPutOff
"""What becomes of an agent that wants to come in."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A token that was verified. `token` is the domain's own value and is only handed back to it."""

    id: UUID | None
    prefix: str
    token: Any = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One kind of refused attempt, seen `count` times since the last flush (decision 13)."""

    token_prefix: str
    address: str
    reason: str
    transport: str
    user_agent: str
    at: datetime
    count: int = 1


@dataclass(frozen=True, slots=True)
class Caller:
    """An agent that wants to come in.

    number: the sequence number of its message, over plain HTTP; its snapshot says whether it shows a clone · has_left:
    whether its connection ended meanwhile.
    """

    credential: Credential
    instance_uid: UUID
    transport: Transport
    remote_address: str
    number: int | None = None
    has_left: Callable[[], bool] = bool


class Domain(Protocol):
    """The domain's side of the gateway."""

    def verify_token(self, secret: str, *, now: datetime) -> Credential:
        """Who holds this secret. Raises ConnectionRefused."""

    def admit_agents(self, callers: Sequence[Caller], *, now: datetime) -> Mapping[UUID, Admitted]:
        """Register those that are new, and begin their sessions, in one transaction. Each uid comes once."""

    def give_uid(
        self, *, instance_uid: UUID, remote_address: str, is_clone: bool, now: datetime
    ) -> UUID | None:
        """A new identity for an agent that goes by this uid; None when too many were given for it."""

    def claim_commands(
        self, agents: Mapping[UUID, int], *, now: datetime
    ) -> Mapping[UUID, Command]:
        """What each of these agents (uid to epoch) is to be told next; what is answered counts as sent."""

    def sessions(self, uids: Collection[UUID] | None) -> Mapping[UUID, tuple[int, bool]]:
        """The newest session of each of these agents, or of all, in any process: epoch, and whether it is connected."""

    def record_patches(self, patches: Sequence[AgentPatch]) -> None:
        """Store what agents said, in one transaction. Raises Overtaken for an older session over plain HTTP."""

    def claim_offers(self, agents: Mapping[UUID, int], *, now: datetime) -> Mapping[UUID, Offer]:
        """Write an attempt for each agent (uid to epoch) that may be offered something, and answer the offers."""

    def give_back_offers(self, claims: Mapping[UUID, Claim], *, now: datetime) -> None:
        """These offers (by uid) were claimed and not sent: they may be claimed again."""

    def claim_settings(
        self, agents: Mapping[UUID, Held], *, now: datetime
    ) -> Mapping[UUID, SettingsOffer]:
        """Write down which of these agents are offered connection settings, and answer the offers."""

    def give_back_settings(self, claims: Mapping[UUID, SettingsClaim], *, now: datetime) -> None:
        """These settings (by uid) were claimed, or may have been, and were not sent: they may be claimed again."""

    def intents(self, uids: Collection[UUID] | None) -> Mapping[UUID, Intent]:
        """What each of these agents, or of all, should have; one that should have nothing may be absent."""

    def revoked_among(self, credential_ids: Collection[UUID]) -> Collection[UUID]:
        """Those credentials that are revoked by now."""

    def record_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Count refused attempts."""

    def is_temporary(self, error: Exception) -> bool:
        """Whether the same call may work later (a database that is away), not a value that it cannot take."""
