"""How agents stand: what each should have, from the memberships' truth (I4), all of them in one query."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When

from agents.snapshot import SettingsState
from fleets.connection_offer import AgentFacts, FleetWish, Plan, plan_settings
from fleets.models import ArrivalMode, Membership, Token, TokenKind
from fleets.offer import Intent
from fleets.own_address import knows_own_address, own_place
from fleets.rollouts.past import failed_there
from fleets.scouting import has_arrived, has_scouts
from telflo.base.alike import JoinedIds, ids_in

ARRIVED_AFTER: Final = timedelta(seconds=10)
"""An agent that is heard on the same connection so long after an offer has received it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that decides what a member should be offered. Fields as the query has them.

    token_id, credential_id: in the answer about many, only where they decide something · is_proven: some agent came by
    what it was offered for this server's present address and CA · has_scouts: none did, and as many were sent there as
    may be.
    """

    mode: str
    config: str | None
    has_failed: bool
    capabilities: int
    token_id: UUID | None
    token_kind: str | None
    successor: UUID | None
    wanted_heartbeat_s: int | None
    own_credentials: bool | None
    marks: Mapping[str, str] | None
    is_current: bool | None
    offered_heartbeat_s: int | None
    has_telemetry: bool | None
    credential_id: UUID | None
    unused_offers: int | None
    offered_place: str | None
    is_proven: bool
    has_scouts: bool

    @property
    def intent(self) -> Intent:
        """What it should be offered. A quarantined hash counts as nothing, so that nobody asks for it for ever."""
        if self.mode != ArrivalMode.MANAGED:
            return Intent()
        plan = self.plan()
        config = self.config if self.config and not self.has_failed else ""
        return Intent(config, plan.hash if plan else "")

    def plan(self) -> Plan | None:
        """The connection settings that it should have; None for nothing, as for members that are only observed."""
        if self.mode != ArrivalMode.MANAGED:
            return None
        can_connect = knows_own_address() and (self.is_scout or not self.has_scouts)
        return plan_settings(self._wish(), self._facts(), can_connect=can_connect)

    @property
    def came_by_offered(self) -> bool:
        """Whether it uses the credential that it was offered last."""
        return self.credential_id is not None and self.credential_id == self.token_id

    @property
    def is_scout(self) -> bool:
        """Whether it was sent to this server's present address and CA already, and did not come by them yet."""
        return bool(self.unused_offers) and self.offered_place == own_place()

    @property
    def _is_misplaced(self) -> bool:
        """Whether a credential of its own is to be replaced: it names another place, or a newer one did not arrive."""
        is_elsewhere = self.offered_place not in ("", None, own_place())
        return not self.came_by_offered or (self.is_proven and is_elsewhere)

    def _wish(self) -> FleetWish:
        return FleetWish(self.wanted_heartbeat_s, bool(self.own_credentials), self.marks or {})

    def _facts(self) -> AgentFacts:
        return AgentFacts(
            capabilities=self.capabilities,
            token=self.token_id,
            is_shared=self.token_kind == TokenKind.ENROLMENT,
            is_misplaced=self.token_kind == TokenKind.AGENT and self._is_misplaced,
            successor=self.successor,
            offered_heartbeat_s=self.offered_heartbeat_s or 0,
            offered_telemetry=bool(self.has_telemetry),
            offered_credential=self.credential_id,
            is_current=bool(self.is_current),
            unused_offers=self.unused_offers or 0,
        )


@dataclass(frozen=True, slots=True)
class Standing(Wanted):
    """One member: what its fleet wants of it, what it can do, what it was offered."""

    agent_id: UUID
    epoch: int
    offered_hash: str | None
    offered_epoch: int | None
    offered_at: datetime | None
    offered_number: int | None

    def state(self, seen_at: datetime | None) -> SettingsState:
        """Its connection settings as a session begins; seen_at: when it was heard last before that."""
        waits = self.credential_id is not None and not self.came_by_offered
        has_arrived = bool(
            seen_at and self.offered_at and seen_at - self.offered_at >= ARRIVED_AFTER
        )
        claimed = None
        if self.offered_epoch is not None and self.offered_at is not None:
            claimed = (self.offered_epoch, self.offered_at)
        return SettingsState(
            wanted=self.intent.settings,
            offered="" if waits else self.offered_hash or "",
            in_use=self.came_by_offered,
            arrived=has_arrived,
            number=self.offered_number,
            claimed=claimed,
            varies=bool(
                self.wanted_heartbeat_s or self.marks or self.own_credentials or self.successor
            ),
        )


def standings(uids: Collection[UUID]) -> dict[UUID, Standing]:
    """The members among these agents. One query."""
    found = _members(uids).annotate(**_named(_OFFERED)).values_list(*_STANDING)
    return {standing.agent_id: standing for standing in (Standing(*row) for row in found)}


def intents(uids: Collection[UUID] | None = None) -> dict[UUID, Intent]:
    """What these agents, or all, should be offered: for gateways that compare all that they hold every few seconds.

    One query. Most members differ by their uid alone, so those that are alike are one row, and judged once.
    """
    is_in_use = Q(token=F("agent__connection__credential"))
    decides = is_in_use | Q(is_current=True)
    alike = (
        _members(uids)
        .annotate(
            deciding_token=_where(is_in_use, "token_id"),
            deciding_credential=_where(decides, "agent__connection__credential_id"),
        )
        .values_list(*[_DECIDING.get(name, name) for name in _WANTED])
        .annotate(uids=JoinedIds("agent_id"))
    )
    found: dict[UUID, Intent] = {}
    for *row, joined in alike:
        found.update(dict.fromkeys(ids_in(joined), Wanted(*row).intent))
    return found


def _members(uids: Collection[UUID] | None) -> QuerySet[Membership]:
    heirs = Token.objects.filter(parent=OuterRef("token"), revoked_at=None, handover__isnull=False)
    chosen = Membership.objects.all() if uids is None else Membership.objects.filter(agent__in=uids)
    return chosen.order_by().annotate(
        config=F("desired__hash"),
        has_failed=failed_there("desired__hash"),
        is_proven=has_arrived(own_place()),
        has_scouts=has_scouts(own_place()),
        successor=Subquery(heirs.order_by("-pk").values("pk")[:1]),
        is_current=Case(
            When(agent__connection__offered_epoch=F("agent__status__session_epoch"), then=True),
            default=False,
        ),
        **_named(_COLUMNS),
    )


def _named(columns: Mapping[str, str]) -> dict[str, F]:
    return {name: F(path) for name, path in columns.items()}


def _where(condition: Q, column: str) -> Case:
    return Case(When(condition, then=F(column)), default=None)


_COLUMNS: Final = {
    "capabilities": "agent__capabilities",
    "token_kind": "token__kind",
    "wanted_heartbeat_s": "fleet__connection__heartbeat_s",
    "own_credentials": "fleet__connection__own_credentials",
    "marks": "fleet__connection__marks",
    "offered_heartbeat_s": "agent__connection__heartbeat_s",
    "has_telemetry": "agent__connection__has_telemetry",
    "credential_id": "agent__connection__credential_id",
    "unused_offers": "agent__connection__unused_offers",
    "offered_place": "agent__connection__place",
}
_OFFERED: Final = {
    "epoch": "agent__status__session_epoch",
    "offered_hash": "agent__connection__offered_hash",
    "offered_epoch": "agent__connection__offered_epoch",
    "offered_at": "agent__connection__offered_at",
    "offered_number": "agent__connection__counted_from",
}
_DECIDING: Final = {"token_id": "deciding_token", "credential_id": "deciding_credential"}
_WANTED: Final = tuple(Wanted.__dataclass_fields__)
_STANDING: Final = tuple(Standing.__dataclass_fields__)
