"""Letting agents in, many at once: an unknown one becomes a member, a known one keeps its place (decisions 8, 9, 14).

A fleet that comes back all at once costs a fixed number of statements a batch; only those who change their fleet, or
come with a uid that the server gave them, cost some of their own.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction

from agents import store
from agents.identities import given_identities, take_uid
from agents.snapshot import AgentSnapshot
from agents.store import Arrival, NewEvent
from agents.store.dialects import insert_rows, update_rows
from fleets.credentials import note_came_by_offered
from fleets.enrollment import VerifiedToken, why_not_enrol
from fleets.errors import EnrolmentRefused, NotNow
from fleets.models import (
    ArrivalMode,
    Attempt,
    AttemptState,
    Fleet,
    Membership,
    RefusalReason,
    RenderedConfig,
    Token,
    TokenKind,
)
from fleets.places import counting
from fleets.rollouts import engine
from fleets.standing import standings
from fleets.tasks import advance_on_commit


@dataclass(frozen=True, slots=True)
class Caller:
    """An agent that comes by a verified token."""

    token: VerifiedToken
    arrival: Arrival

    @property
    def uid(self) -> UUID:
        """Who it says it is."""
        return self.arrival.instance_uid


Answer = AgentSnapshot | EnrolmentRefused | NotNow

_COLUMNS: Final = (
    "fleet_id",
    "mode",
    "token_id",
    "moved_from_id",
    "token__fleet_id",
    "agent__connection__credential_id",
)
"""Those of a membership that _Member has, in its order."""


def admit_agents(callers: Sequence[Caller], *, now: datetime) -> dict[UUID, Answer]:
    """Let agents in and begin their sessions; of those that are refused nothing is written. Each uid comes once.

    Unknown: it is registered as a member of the token's fleet and gets the fleet's stable version; one that the server
    gave its uid follows the member that it was taken for. Known: it keeps its membership while its token belongs to the
    fleet that it enrolled by, also after a move; a token of another fleet enrols it there. What it is offered comes
    from the membership alone. NotNow: newcomers while they cannot be counted, and who is forgotten at this moment.
    """
    members = _memberships([caller.uid for caller in callers])
    arriving = [caller for caller in callers if _arrives(caller, members)]
    # Before the transaction: a cache that hangs holds up no row.
    places = counting.free_places(Counter(caller.token.id for caller in arriving), now)
    with transaction.atomic():
        door = _Door(callers, members, arriving, places, now)
        door.let_in()
        snapshots = store.open_sessions([caller.arrival for caller in door.admitted], now=now)
        door.note_tokens()
        forgotten = {one.uid: NotNow("It was forgotten.") for one in door.admitted}
        return {**forgotten, **_informed(snapshots, now), **door.refused}


def _informed(snapshots: Mapping[UUID, AgentSnapshot], now: datetime) -> dict[UUID, Answer]:
    """The snapshots with what each should have, and what it was offered and did not answer."""
    members, unanswered = standings(snapshots), _unanswered_hashes(snapshots)
    note_came_by_offered(members.values(), now=now)
    return {
        uid: replace(
            snapshot,
            desired_hash=members[uid].intent.config,
            settings=members[uid].state(snapshot.seen_at),
            in_flight_hash=unanswered.get(uid, ""),
        )
        for uid, snapshot in snapshots.items()
    }


class _Door:
    """One batch: who is refused, who is known, who is new."""

    def __init__(
        self,
        callers: Sequence[Caller],
        members: Mapping[UUID, "_Member"],
        arriving: Sequence[Caller],
        places: Mapping[UUID, int] | None,
        now: datetime,
    ) -> None:
        self._callers = callers
        self._now = now
        self._members = members
        self._places = None if places is None else dict(places)
        strangers = [caller.uid for caller in callers if caller.uid not in members]
        self._given = given_identities(strangers) if strangers else {}
        self._originals = _memberships({given.was for given in self._given.values()})
        engine.hold_fleets(self._concerned(arriving))
        followed = {original.fleet_id for original in self._originals.values()}
        by_token = {caller.token.fleet_id for caller in callers}
        self._fleets = Fleet.objects.in_bulk(by_token | followed)
        self._holders = _holders(callers)
        self._why_not = why_not_enrol({caller.token.id for caller in arriving}, now)
        self._newcomers: list[_Newcomer] = []
        self._movers: list[tuple[_Member, Fleet, Caller]] = []
        self._with_new_token: list[Caller] = []
        self.refused: dict[UUID, EnrolmentRefused | NotNow] = {}

    @property
    def admitted(self) -> list[Caller]:
        """Those who were let in."""
        return [caller for caller in self._callers if caller.uid not in self.refused]

    def let_in(self) -> None:
        """Settle where each belongs, and write that."""
        for caller in self._callers:
            try:
                self._settle(caller)
            except (EnrolmentRefused, NotNow) as refusal:
                self.refused[caller.uid] = refusal
        self._enrol(self._newcomers)
        for member, fleet, caller in self._movers:
            self._change_fleet(member, fleet, caller)

    def note_tokens(self) -> None:
        """Who came by another token of its fleet is known by that one from now on. Its status row is locked by now."""
        rows = [
            (caller.uid, caller.token.id, _moved_from(self._members[caller.uid], caller.token))
            for caller in self._with_new_token
        ]
        columns = ("token_id", "moved_from_id")
        update_rows(Membership, match=("agent_id",), columns=columns, rows=rows)

    def _concerned(self, arriving: Iterable[Caller]) -> set[UUID]:
        """The fleets that these may come into, and leave."""
        fleets = {caller.token.fleet_id for caller in arriving}
        left = (self._members.get(caller.uid) for caller in arriving)
        others = [*filter(None, left), *self._originals.values()]
        return fleets | {member.fleet_id for member in others} if fleets else set()

    def _settle(self, caller: Caller) -> None:
        token, member = caller.token, self._members.get(caller.uid)
        if not self._may_use(token, caller.uid):
            raise EnrolmentRefused(RefusalReason.OTHER_AGENT, token.prefix)
        if member is None:
            self._newcomers.append(self._newcomer(caller))
        elif not _belongs(member, token):
            self._movers.append((member, self._check_enrolment(caller), caller))
        elif member.token_id != token.id:
            self._with_new_token.append(caller)

    def _may_use(self, token: VerifiedToken, uid: UUID) -> bool:
        """A credential is one agent's; a copy of that agent brings it along when it is given a uid of its own."""
        if token.agent_uid in {None, uid}:
            return True
        member, given = self._members.get(uid), self._given.get(uid)
        is_member_by_it = member is not None and member.token_id == token.id
        return is_member_by_it or (given is not None and given.was == token.agent_uid)

    # ── newcomers ──

    def _newcomer(self, caller: Caller) -> "_Newcomer":
        """Where a newcomer goes. Raises EnrolmentRefused.

        Of whom it had the uid until the server gave it one of its own is the same installation, so it goes where that
        one is, and its token need not enrol any more.
        """
        given = self._given.get(caller.uid)
        original = self._originals.get(given.was) if given else None
        if original is not None and _belongs(original, caller.token):
            self._take_place(caller.token)
            return _Newcomer(
                caller,
                self._fleets[original.fleet_id],
                ArrivalMode(original.mode),
                _moved_from(original, caller.token),
            )
        fleet = self._check_enrolment(caller)
        return _Newcomer(caller, fleet, _arrival_mode(fleet, caller.token))

    def _enrol(self, newcomers: Iterable["_Newcomer"]) -> None:
        if not newcomers and not self._movers:
            return
        # In the order of uids, as locks are taken: two processes may let in the same newcomers.
        newcomers = sorted(newcomers, key=lambda one: one.caller.uid)
        # What they should run is written with them; where somebody else was faster, joining puts it right.
        stable = engine.stable_configs({one.fleet for one in newcomers}, now=self._now)
        desired = {
            one.caller.uid: stable[one.fleet.pk]
            for one in newcomers
            if one.mode is ArrivalMode.MANAGED
        }
        store.register(
            [one.caller.uid for one in newcomers],
            now=self._now,
            desired={uid: found.hash if found else "" for uid, found in desired.items()},
        )
        store.hold([caller.uid for caller in self.admitted])
        _make_members(newcomers, desired, self._now)
        by_fleet: dict[UUID, list[UUID]] = defaultdict(list)
        for one in newcomers:
            by_fleet[one.fleet.pk].append(one.caller.uid)
        advance_on_commit(engine.join(uids, now=self._now) for uids in by_fleet.values())
        store.add_events(one.enrolled(self._now) for one in newcomers)
        for one in newcomers:
            if given := self._given.get(one.caller.uid):
                take_uid(given, now=self._now)

    # ── from another fleet ──

    def _change_fleet(self, member: "_Member", fleet: Fleet, caller: Caller) -> None:
        token, uid, now = caller.token, caller.uid, self._now
        before = Fleet.objects.get(pk=member.fleet_id)
        left = engine.exclude(
            [uid], reason=f"It came back by a token of the fleet {fleet}.", now=now
        )
        Membership.objects.filter(agent_id=uid).update(
            fleet=fleet,
            token_id=token.id,
            moved_from=None,
            mode=_arrival_mode(fleet, token),
            enrolled_at=now,
        )
        advance_on_commit([*left, engine.join([uid], now=now)])
        data = {"from": before.name, "to": fleet.name, "fleet_id": str(fleet.pk)}
        moved = NewEvent(uid, now, "moved", {**data, "by": token.prefix})
        store.add_events([moved])

    # ── who may enrol ──

    def _check_enrolment(self, caller: Caller) -> Fleet:
        token = caller.token
        # As it is now: a connection may be older than the end of its token.
        why_not = self._why_not.get(token.id, RefusalReason.REVOKED)
        if why_not is not None:
            raise EnrolmentRefused(why_not, token.prefix)
        if token.kind is TokenKind.HOST and self._holders[token.id] - {caller.uid}:
            raise EnrolmentRefused(RefusalReason.TAKEN, token.prefix)
        self._take_place(token)
        self._holders[token.id].add(caller.uid)
        return self._fleets[token.fleet_id]

    def _take_place(self, token: VerifiedToken) -> None:
        if self._places is None:
            raise NotNow("New collectors cannot be counted now.")
        if self._places[token.id] < 1:
            raise EnrolmentRefused(RefusalReason.RATE, token.prefix)
        self._places[token.id] -= 1


class _Member(NamedTuple):
    """One that is known. enrolled_by: the fleet of its token; offered: the credential that it was offered last."""

    fleet_id: UUID
    mode: str
    token_id: UUID | None
    moved_from: UUID | None
    enrolled_by: UUID | None
    offered: UUID | None


def _arrives(caller: Caller, members: Mapping[UUID, _Member]) -> bool:
    """Whether its token would bring it into a fleet."""
    member = members.get(caller.uid)
    return member is None or not _belongs(member, caller.token)


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """One that becomes a member. moved_from: as its membership has it, known of a copied machine alone."""

    caller: Caller
    fleet: Fleet
    mode: ArrivalMode
    moved_from: UUID | None = None

    def as_member(self, desired: RenderedConfig | None) -> tuple[Any, ...]:
        """Its membership: agent, fleet, token, the one before, mode, what it should run."""
        caller, rendered_id = self.caller, desired.pk if desired else None
        tokens = caller.token.id, self.moved_from
        return caller.uid, self.fleet.pk, *tokens, self.mode.value, rendered_id

    def enrolled(self, now: datetime) -> NewEvent:
        """What its timeline begins with."""
        fleet = {"fleet": self.fleet.name, "fleet_id": str(self.fleet.pk)}
        data = {**fleet, "token": self.caller.token.prefix}
        return NewEvent(self.caller.uid, now, "enrolled", data)


def _make_members(
    newcomers: Iterable[_Newcomer], desired: Mapping[UUID, RenderedConfig | None], now: datetime
) -> None:
    # Two connections of one new agent may come at the same moment: the second finds it enrolled.
    insert_rows(
        Membership,
        columns=("agent_id", "fleet_id", "token_id", "moved_from_id", "mode", "desired_id"),
        rows=[one.as_member(desired.get(one.caller.uid)) for one in newcomers],
        others=Membership(enrolled_at=now),
        ignore_conflicts=True,
    )


def _memberships(uids: Collection[UUID]) -> dict[UUID, _Member]:
    members = Membership.objects.filter(agent_id__in=uids)
    rows = members.values_list("agent_id", *_COLUMNS)
    return {uid: _Member(*row) for uid, *row in rows}


def _belongs(member: _Member, token: VerifiedToken) -> bool:
    return token.fleet_id in {member.enrolled_by, member.fleet_id}


def _moved_from(member: _Member, token: VerifiedToken) -> UUID | None:
    """The token that its file holds while it comes by one that it was offered; None while it comes by its file's."""
    is_offered = token.kind is TokenKind.AGENT or token.id == member.offered
    return member.moved_from or member.token_id if is_offered else None


def _holders(callers: Iterable[Caller]) -> dict[UUID, set[UUID]]:
    """Who came in by the host tokens among these and is known still: one host runs one collector.

    The lock lets two that come at the same moment in one after the other.
    """
    holders: dict[UUID, set[UUID]] = defaultdict(set)
    hosts = {caller.token.id for caller in callers if caller.token.kind is TokenKind.HOST}
    if hosts:
        locked = Token.objects.select_for_update(no_key=True).filter(pk__in=hosts)
        list(locked.order_by("pk").values_list("pk"))
        members = Membership.objects.filter(token_id__in=hosts)
        for token_id, uid in members.values_list("token_id", "agent_id"):
            assert token_id is not None
            holders[token_id].add(uid)
    return holders


def _arrival_mode(fleet: Fleet, token: VerifiedToken) -> ArrivalMode:
    """What a newcomer becomes. At enrolment nothing is known yet of a configuration that it may run already.

    So the fleet's setting holds for everyone, but for hosts of quick deploy: their collector was installed for us.
    """
    return ArrivalMode.MANAGED if token.kind is TokenKind.HOST else ArrivalMode(fleet.arrival_mode)


def _unanswered_hashes(uids: Collection[UUID]) -> dict[UUID, str]:
    attempts = Attempt.objects.filter(agent_id__in=list(uids), state=AttemptState.OFFERED)
    return dict(attempts.order_by("id").values_list("agent_id", "hash"))
