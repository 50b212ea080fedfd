"""How agents stand: what each should have, from the memberships' truth (I4), all of them in one query."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Subquery

from agents.snapshot import SettingsState
from fleets.connection_offer import AgentFacts, FleetWish, Plan, plan_settings
from fleets.models import ArrivalMode, Membership, Quarantine, Token, TokenKind
from fleets.offer import Intent

ARRIVED_AFTER: Final = timedelta(seconds=10)
"""An agent that is heard on the same connection so long after an offer has received it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One member: what its fleet wants of it, what it can do, what it was offered. Fields as the query has them."""

    agent_id: UUID
    mode: str
    token_id: UUID | None
    config: str | None
    has_failed: bool
    capabilities: int
    epoch: int
    token_kind: str | None
    successor: UUID | None
    wanted_heartbeat_s: int | None
    own_credentials: bool | None
    marks: Mapping[str, str] | None
    offered_hash: str | None
    offered_epoch: int | None
    offered_at: datetime | None
    offered_heartbeat_s: int | None
    has_telemetry: bool | None
    credential_id: UUID | None
    unused_offers: int | None

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
        return plan_settings(self._wish(), self._facts(), can_connect=knows_own_address())

    @property
    def came_by_offered(self) -> bool:
        """Whether it uses the credential that it was offered last."""
        return self.credential_id is not None and self.credential_id == self.token_id

    def state(self, seen_at: datetime | None) -> SettingsState:
        """Its connection settings as a session begins; seen_at: when it was heard last before that."""
        waits = self.credential_id is not None and not self.came_by_offered
        has_arrived = bool(
            seen_at and self.offered_at and seen_at - self.offered_at >= ARRIVED_AFTER
        )
        return SettingsState(
            wanted=self.intent.settings,
            offered="" if waits else self.offered_hash or "",
            in_use=self.came_by_offered,
            arrived=has_arrived,
            varies=bool(
                self.wanted_heartbeat_s or self.marks or self.own_credentials or self.successor
            ),
        )

    def _wish(self) -> FleetWish:
        return FleetWish(self.wanted_heartbeat_s, bool(self.own_credentials), self.marks or {})

    def _facts(self) -> AgentFacts:
        return AgentFacts(
            capabilities=self.capabilities,
            token=self.token_id,
            is_shared=self.token_kind == TokenKind.ENROLMENT,
            successor=self.successor,
            offered_heartbeat_s=self.offered_heartbeat_s or 0,
            offered_telemetry=bool(self.has_telemetry),
            offered_credential=self.credential_id,
            is_current=self.offered_epoch == self.epoch,
            unused_offers=self.unused_offers or 0,
        )


def standings(uids: Collection[UUID]) -> dict[UUID, Standing]:
    """The members among these agents. One query."""
    return {row[0]: Standing(*row) for row in _rows(uids)}


def intents(uids: Collection[UUID]) -> dict[UUID, Intent]:
    """What these agents should be offered: for gateways that compare, every few seconds, all that they hold. One query.

    Most members differ by their uid alone, so each kind of them is judged once.
    """
    judged: dict[Any, Intent] = {}
    found = {}
    for row in _rows(uids):
        uid, rest, marks = row[0], (row[1:_MARKS], row[_MARKS + 1 :]), row[_MARKS]
        kind = (rest, tuple(sorted(marks.items()))) if marks else rest
        if kind not in judged:
            judged[kind] = Standing(*row).intent
        found[uid] = judged[kind]
    return found


def _rows(uids: Collection[UUID]) -> Iterable[tuple[Any, ...]]:
    failed = Quarantine.objects.filter(agent=OuterRef("agent"), hash=OuterRef("desired__hash"))
    heirs = Token.objects.filter(parent=OuterRef("token"), revoked_at=None, handover__isnull=False)
    found = Membership.objects.filter(agent_id__in=uids).annotate(
        config=F("desired__hash"),
        has_failed=Exists(failed),
        successor=Subquery(heirs.order_by("-pk").values("pk")[:1]),
        **{name: F(path) for name, path in _COLUMNS.items()},
    )
    return found.values_list(*_NAMES)


def knows_own_address() -> bool:
    """Whether agents can be told where to connect."""
    return bool(settings.OPAMP_URL or settings.BASE_URL)


_COLUMNS: Final = {
    "capabilities": "agent__capabilities",
    "epoch": "agent__status__session_epoch",
    "token_kind": "token__kind",
    "wanted_heartbeat_s": "fleet__connection__heartbeat_s",
    "own_credentials": "fleet__connection__own_credentials",
    "marks": "fleet__connection__marks",
    "offered_hash": "agent__connection__offered_hash",
    "offered_epoch": "agent__connection__offered_epoch",
    "offered_at": "agent__connection__offered_at",
    "offered_heartbeat_s": "agent__connection__heartbeat_s",
    "has_telemetry": "agent__connection__has_telemetry",
    "credential_id": "agent__connection__credential_id",
    "unused_offers": "agent__connection__unused_offers",
}
_NAMES: Final = tuple(Standing.__dataclass_fields__)
_MARKS: Final = _NAMES.index("marks")
