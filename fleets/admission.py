"""Letting agents in, many at once: an unknown one becomes a member, a known one keeps its place (decisions 8, 9, 14).

A fleet that comes back all at once costs a fixed number of statements a batch; only those who change their fleet, or
come with a uid that the server gave them, cost some of their own.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents import store
from agents.identities import given_identities, take_uid
from agents.models import GivenUid
from agents.snapshot import AgentSnapshot
from agents.store import Arrival, NewEvent
from fleets.credentials import note_came_by_offered
from fleets.enrollment import VerifiedToken
from fleets.errors import EnrolmentRefused, NotNow
from fleets.models import (
    ArrivalMode,
    Attempt,
    AttemptState,
    Fleet,
    Membership,
    RefusalReason,
    Token,
    TokenKind,
)
from fleets.places import free_places
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
    places = free_places(Counter(caller.token.id for caller in arriving), now)
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
    for member in members.values():
        note_came_by_offered(member, now=now)
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
        members: Mapping[UUID, Membership],
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
        self._fleets = Fleet.objects.in_bulk({caller.token.fleet_id for caller in callers})
        self._holders = _holders(callers)
        self._newcomers: list[Membership] = []
        self._movers: list[tuple[Membership, Fleet, Caller]] = []
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
        by_token: dict[UUID, list[UUID]] = defaultdict(list)
        for caller in self._with_new_token:
            by_token[caller.token.id].append(caller.uid)
        for token_id, uids in by_token.items():
            Membership.objects.filter(agent_id__in=uids).update(token_id=token_id)

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

    def _newcomer(self, caller: Caller) -> Membership:
        """Where a newcomer goes. Raises EnrolmentRefused.

        Of whom it had the uid until the server gave it one of its own is the same installation, so it goes where that
        one is, and its token need not enrol any more.
        """
        given = self._given.get(caller.uid)
        original = self._originals.get(given.was) if given else None
        if original is not None and _belongs(original, caller.token):
            self._take_place(caller.token)
            return self._member(caller, original.fleet, ArrivalMode(original.mode))
        fleet = self._check_enrolment(caller)
        return self._member(caller, fleet, _arrival_mode(fleet, caller.token))

    def _member(self, caller: Caller, fleet: Fleet, mode: ArrivalMode) -> Membership:
        return Membership(
            agent_id=caller.uid,
            fleet=fleet,
            token_id=caller.token.id,
            mode=mode,
            enrolled_at=self._now,
        )

    def _enrol(self, members: Sequence[Membership]) -> None:
        if not members and not self._movers:
            return
        # In the order of uids, as locks are taken: two processes may let in the same newcomers.
        members = sorted(members, key=lambda member: member.agent_id)
        store.register([member.agent_id for member in members], now=self._now)
        store.hold([caller.uid for caller in self.admitted])
        # Two connections of one new agent may come at the same moment: the second finds it enrolled.
        Membership.objects.bulk_create(members, ignore_conflicts=True)
        by_fleet: dict[UUID, list[UUID]] = defaultdict(list)
        for member in members:
            by_fleet[member.fleet_id].append(member.agent_id)
        advance_on_commit(engine.join(uids, now=self._now) for uids in by_fleet.values())
        prefixes = {caller.uid: caller.token.prefix for caller in self._callers}
        store.add_events(
            NewEvent(
                member.agent_id,
                self._now,
                "enrolled",
                {
                    "fleet": member.fleet.name,
                    "fleet_id": str(member.fleet_id),
                    "token": prefixes[member.agent_id],
                },
            )
            for member in members
        )
        for given in self._taken(members):
            take_uid(given, now=self._now)

    def _taken(self, members: Iterable[Membership]) -> list[GivenUid]:
        return [self._given[one.agent_id] for one in members if one.agent_id in self._given]

    # ── from another fleet ──

    def _change_fleet(self, member: Membership, fleet: Fleet, caller: Caller) -> None:
        token, now = caller.token, self._now
        before = member.fleet
        left = engine.exclude(
            [member.agent_id], reason=f"It came back by a token of the fleet {fleet}.", now=now
        )
        member.fleet, member.token_id = fleet, token.id
        member.mode, member.enrolled_at = _arrival_mode(fleet, token), now
        member.save(update_fields=["fleet", "token", "mode", "enrolled_at"])
        advance_on_commit([*left, engine.join([member.agent_id], now=now)])
        data = {"from": before.name, "to": fleet.name, "fleet_id": str(fleet.pk)}
        moved = NewEvent(member.agent_id, now, "moved", {**data, "by": token.prefix})
        store.add_events([moved])

    # ── who may enrol ──

    def _check_enrolment(self, caller: Caller) -> Fleet:
        token = caller.token
        if token.why_not is not None:
            raise EnrolmentRefused(token.why_not, token.prefix)
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


def _memberships(uids: Collection[UUID]) -> dict[UUID, Membership]:
    if not uids:
        return {}
    members = Membership.objects.select_related("token", "fleet").filter(agent_id__in=uids)
    return {member.agent_id: member for member in members}


def _arrives(caller: Caller, members: Mapping[UUID, Membership]) -> bool:
    """Whether its token would bring it into a fleet."""
    member = members.get(caller.uid)
    return member is None or not _belongs(member, caller.token)


def _belongs(member: Membership, token: VerifiedToken) -> bool:
    enrolled_by = member.token.fleet_id if member.token else None
    return token.fleet_id in {enrolled_by, member.fleet_id}


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
