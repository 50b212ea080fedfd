"""Claiming connection settings: written down before they are sent, so that each hash goes out once (S2)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from agents import store
from agents.snapshot import Capability
from agents.store import NewEvent, StatusRow
from fleets.connection import destinations_of
from fleets.connection_offer import (
    MOST_SCOUTS,
    Destination,
    Held,
    Need,
    Plan,
    SettingsClaim,
    SettingsOffer,
    Signal,
)
from fleets.credentials import Minted, mint
from fleets.models import AgentConnection, ConnectionSettings, Membership, Token, TokenKind
from fleets.own_address import own_ca_pem, own_endpoint, own_place
from fleets.scouting import scouts_of
from fleets.standing import Standing, standings
from fleets.topics import touch_fleets_of
from telflo.base.hints import touch_on_commit

SETTINGS_SENT: Final = "settings_sent"
"""The kind of event that tells what an agent was sent: most supervisors do not report what became of it."""
SETTINGS_LOST: Final = "settings_lost"
"""What the last SETTINGS_SENT told did not go out, or did not arrive."""
_COLUMNS: Final = (
    "offered_hash",
    "offered_epoch",
    "offered_at",
    "heartbeat_s",
    "counted_from",
    "counted_at",
    "has_telemetry",
    "marks",
    "credential",
    "unused_offers",
    "place",
)


@dataclass(frozen=True, slots=True)
class _Due:
    standing: Standing
    plan: Plan
    row: StatusRow
    number: int | None
    secret: str = ""
    minted: Minted | None = None
    successor: Token | None = None


def claim_settings(agents: Mapping[UUID, Held], *, now: datetime) -> dict[UUID, SettingsOffer]:
    """Connection settings for those of these agents that are to get some, each written down as offered.

    Left out: older sessions, what was offered in this session already, what the agent has. A fixed number of
    statements.
    """
    with transaction.atomic():
        rows = store.lock(agents)
        due = _without_crowd(list(_due(rows, agents)))
        if not due:
            return {}
        granted = _with_credentials(due, now)
        Token.objects.bulk_create([one.minted.token for one in granted if one.minted])
        _write(granted, now)
        store.set_intervals(
            {
                one.standing.agent_id: one.plan.heartbeat_s
                for one in granted
                if one.plan.heartbeat_s and one.standing.capabilities & Capability.REPORTS_HEARTBEAT
            },
            now=now,
        )
        # Supervisors restart their collectors to have own telemetry in force.
        telling = [one for one in granted if one.plan.signals or one.plan.switched_off]
        store.note_restarts([one.standing.agent_id for one in telling], now=now)
        _tell([_sent(one, now) for one in granted])
        destinations = _destinations(granted)
        return {
            one.standing.agent_id: _offer(one, destinations.get(one.standing.agent_id, {}))
            for one in granted
        }


def give_back_settings(claims: Mapping[UUID, SettingsClaim], *, now: datetime) -> None:
    """Settings (by uid) that were claimed, or may have been, and were not sent after all: they may be claimed again in
    the same session.
    """
    lost = []
    with transaction.atomic():
        store.hold(claims)
        rows = AgentConnection.objects.select_related("credential")
        for row in rows.filter(agent_id__in=list(claims)):
            claim = claims[row.agent_id]
            is_it = (row.offered_epoch, row.offered_at) == (claim.epoch, claim.at)
            if not (is_it and row.offered_hash):
                continue
            unused = row.credential if row.unused_offers else None
            lost.append(NewEvent(row.agent_id, now, SETTINGS_LOST, {"hash": row.offered_hash}))
            row.offered_hash = ""
            if unused is not None:
                row.credential, row.unused_offers = None, row.unused_offers - 1
            row.save(update_fields=["offered_hash", "credential", "unused_offers"])
            if unused is not None and unused.kind == TokenKind.AGENT:
                unused.delete()
        _tell(lost)


def _tell(events: Sequence[NewEvent]) -> None:
    """Put them into the timelines, and tell open pages."""
    store.add_events(events)
    uids = {event.instance_uid for event in events}
    touch_on_commit({f"agent:{uid}" for uid in uids})
    touch_fleets_of(uids)


def _sent(one: _Due, now: datetime) -> NewEvent:
    plan, credential = one.plan, _credential(one)
    said = {
        "heartbeat_s": plan.heartbeat_s,
        "telemetry": list(plan.signals),
        "switched_off": list(plan.switched_off),
        "credential": credential.prefix if credential else "",
    }
    data = {"hash": _hash(one), **{name: value for name, value in said.items() if value}}
    return NewEvent(one.standing.agent_id, now, SETTINGS_SENT, data)


def _due(rows: Mapping[UUID, StatusRow], agents: Mapping[UUID, Held]) -> Iterable[_Due]:
    for uid, standing in standings(rows).items():
        held = agents[uid]
        plan = standing.plan() if standing.epoch == held.epoch else None
        if plan is None or plan.hash == held.offered:
            continue
        if standing.offered_epoch == held.epoch and standing.offered_hash == plan.hash:
            continue
        yield _Due(standing, plan, rows[uid], held.number)


def _without_crowd(due: Sequence[_Due]) -> list[_Due]:
    """Without those that are not sent to an address yet that nobody came by: they wait for who is sent ahead."""
    ahead = [
        one.standing.agent_id
        for one in due
        if one.plan.need is not Need.NONE and not (one.standing.is_proven or one.standing.is_scout)
    ]
    if not ahead:
        return list(due)
    room = max(0, MOST_SCOUTS - scouts_of(own_place()).count())
    waiting = set(ahead[room:])
    return [one for one in due if one.standing.agent_id not in waiting]


def _with_credentials(due: Sequence[_Due], now: datetime) -> list[_Due]:
    """Mint what is to be minted, and find the secrets of successors."""
    shared = Token.objects.in_bulk(
        {one.standing.token_id for one in due if one.plan.need is Need.OWN}
    )
    heirs = Token.objects.select_related("handover").in_bulk(
        {one.standing.successor for one in due if one.plan.need is Need.SUCCESSOR}
    )
    return [_with_credential(one, shared, heirs, now) for one in due]


def _with_credential(
    one: _Due, shared: Mapping[UUID, Token], heirs: Mapping[UUID, Token], now: datetime
) -> _Due:
    standing = one.standing
    if one.plan.need is Need.OWN:
        assert standing.token_id is not None
        minted = mint(standing.agent_id, shared[standing.token_id], now=now)
        return replace(one, secret=minted.secret, minted=minted)
    if one.plan.need is Need.SUCCESSOR:
        assert standing.successor is not None
        heir = heirs[standing.successor]
        return replace(one, secret=heir.handover.secret, successor=heir)
    return one


def _credential(one: _Due) -> Token | None:
    return one.minted.token if one.minted else one.successor


def _hash(one: _Due) -> str:
    return one.plan.hash_with(str(one.minted.token.pk)) if one.minted else one.plan.hash


def _write(granted: Iterable[_Due], now: datetime) -> None:
    AgentConnection.objects.bulk_create(
        [_row(one, now) for one in granted],
        update_conflicts=True,
        unique_fields=["agent"],
        update_fields=_COLUMNS,
    )


def _row(one: _Due, now: datetime) -> AgentConnection:
    """What is written: a credential in use stays the one that counts while no other is offered."""
    standing, plan = one.standing, one.plan
    credential = _credential(one)
    kept = standing.credential_id if standing.came_by_offered else None
    return AgentConnection(
        agent_id=standing.agent_id,
        offered_hash=_hash(one),
        offered_epoch=standing.epoch,
        offered_at=now,
        heartbeat_s=plan.heartbeat_s or standing.offered_heartbeat_s or 0,
        counted_from=one.number,
        counted_at=now,
        has_telemetry=bool(standing.has_telemetry or plan.signals),
        marks=dict(zip(plan.signals, plan.marks, strict=True)),
        credential_id=credential.pk if credential else kept,
        unused_offers=(standing.unused_offers or 0) + (credential is not None),
        place=own_place() if credential else standing.offered_place or "",
    )


def _destinations(granted: Iterable[_Due]) -> dict[UUID, Mapping[Signal, Destination]]:
    """Where the own telemetry of these agents goes, decrypted once for each fleet."""
    uids = [one.standing.agent_id for one in granted if one.plan.signals]
    if not uids:
        return {}
    fleets = dict(Membership.objects.filter(agent_id__in=uids).values_list("agent_id", "fleet_id"))
    found = ConnectionSettings.objects.filter(fleet_id__in=set(fleets.values()))
    by_fleet = {wish.fleet_id: destinations_of(wish) for wish in found}
    return {uid: by_fleet.get(fleet_id, {}) for uid, fleet_id in fleets.items()}


def _offer(one: _Due, destinations: Mapping[Signal, Destination]) -> SettingsOffer:
    plan = one.plan
    telemetry = {signal: destinations[signal] for signal in plan.signals}
    telemetry |= dict.fromkeys(plan.switched_off, Destination())
    connects = bool(one.secret)
    return SettingsOffer(
        hash=_hash(one),
        heartbeat_s=plan.heartbeat_s,
        endpoint=own_endpoint(one.row.transport) if connects else "",
        secret=one.secret,
        ca_pem=own_ca_pem() if connects else "",
        telemetry=telemetry,
    )
