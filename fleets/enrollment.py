"""How collectors come in: a secret becomes a verified token, an unknown agent becomes a member (decisions 8, 9, 14)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q

from agents import store
from agents.identities import given_identity, take_uid
from agents.snapshot import AgentSnapshot, Transport
from agents.store import Arrival, NewEvent
from fleets.credentials import note_came_by_offered
from fleets.errors import EnrolmentRefused, TokenRefused
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
from fleets.refusals import prefix_of
from fleets.rollouts import engine
from fleets.standing import standings
from fleets.tasks import advance_on_commit
from telflo.base.secrets import hash_secret

USED_EVERY: Final = timedelta(minutes=1)
"""last_used_at is written no more often than this."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token that may connect.

    may_enrol says whether an unknown agent may come in by it; agent_uid who alone may use it.
    """

    id: UUID
    fleet_id: UUID
    kind: TokenKind
    prefix: str
    may_enrol: bool
    why_not: RefusalReason | None = None
    agent_uid: UUID | None = None


def verify_token(secret: str, *, now: datetime) -> VerifiedToken:
    """Who holds this secret. Raises TokenRefused. One query, and a write at most once a minute."""
    if not secret:
        raise TokenRefused(RefusalReason.MISSING)
    tokens = Token.objects.select_related("fleet")
    token = tokens.filter(secret_hash=hash_secret(secret)).first()
    if token is None:
        raise TokenRefused(RefusalReason.UNKNOWN, prefix_of(secret))
    if token.revoked_at is not None or token.fleet.archived_at is not None:
        raise TokenRefused(RefusalReason.REVOKED, token.prefix)
    has_expired = token.enrol_until is not None and token.enrol_until <= now
    if has_expired and token.fleet.expiry_ends_access:
        raise TokenRefused(RefusalReason.EXPIRED, token.prefix)
    _note_use(token, now)
    may_enrol = token.may_enrol(now)
    why_not = RefusalReason.EXPIRED if has_expired else RefusalReason.RETIRED
    return VerifiedToken(
        id=token.pk,
        fleet_id=token.fleet_id,
        kind=TokenKind(token.kind),
        prefix=token.prefix,
        may_enrol=may_enrol,
        why_not=None if may_enrol else why_not,
        agent_uid=token.agent_uid,
    )


def admit_agent(
    *,
    token: VerifiedToken,
    instance_uid: UUID,
    transport: Transport,
    remote_address: str,
    now: datetime,
    number: int | None = None,
) -> AgentSnapshot:
    """Let an agent in and begin its session. Raises EnrolmentRefused; nothing is written then.

    Unknown: it is registered as a member of the token's fleet and gets the fleet's stable version; one that the server
    gave its uid follows the member that it was taken for. Known: it keeps its membership while its token belongs to the
    fleet that it enrolled by, also after a move; a token of another fleet enrols it there. What it is offered comes
    from the membership alone. number: see store.Arrival.
    """
    if token.agent_uid not in {None, instance_uid}:
        raise EnrolmentRefused(RefusalReason.OTHER_AGENT, token.prefix)
    with transaction.atomic():
        member = _membership(instance_uid)
        if member is None:
            _enrol(token, instance_uid, now)
        elif not _belongs(member, token):
            _change_fleet(member, token, now)
        elif member.token_id != token.id:
            Membership.objects.filter(pk=instance_uid).update(token_id=token.id)
        arrival = Arrival(instance_uid, transport, remote_address, number)
        snapshot = store.open_sessions([arrival], now=now)[instance_uid]
        standing = standings([instance_uid])[instance_uid]
        note_came_by_offered(standing, now=now)
        return replace(
            snapshot,
            desired_hash=standing.intent.config,
            settings=standing.state(snapshot.seen_at),
            in_flight_hash=_unanswered_hash(instance_uid),
        )


def _membership(uid: UUID) -> Membership | None:
    return Membership.objects.select_related("token", "fleet").filter(agent_id=uid).first()


def _belongs(member: Membership, token: VerifiedToken) -> bool:
    enrolled_by = member.token.fleet_id if member.token else None
    return token.fleet_id in {enrolled_by, member.fleet_id}


def _enrol(token: VerifiedToken, uid: UUID, now: datetime) -> None:
    given = given_identity(uid)
    original = _membership(given.was) if given else None
    fleet, mode = _place_for(token, original, uid, now)
    store.register([uid], now=now)
    member = Membership(agent_id=uid, fleet=fleet, token_id=token.id, mode=mode, enrolled_at=now)
    # Two connections of one new agent may come at the same moment: the second finds it enrolled.
    Membership.objects.bulk_create([member], ignore_conflicts=True)
    advance_on_commit([engine.join([uid], now=now)])
    data = {"fleet": fleet.name, "fleet_id": str(fleet.pk), "token": token.prefix}
    store.add_events([NewEvent(uid, now, "enrolled", data)])
    if given is not None:
        take_uid(given, now=now)


def _place_for(
    token: VerifiedToken, original: Membership | None, uid: UUID, now: datetime
) -> tuple[Fleet, ArrivalMode]:
    """The fleet and mode of a newcomer. Raises EnrolmentRefused.

    original: of whom it had the uid until the server gave it one of its own. It is the same installation, so it goes
    where that one is, and its token need not enrol any more.
    """
    if original is not None and _belongs(original, token):
        _check_rate(token, now)
        return original.fleet, ArrivalMode(original.mode)
    fleet = _check_enrolment(token, uid, now)
    return fleet, _arrival_mode(fleet, token)


def _change_fleet(member: Membership, token: VerifiedToken, now: datetime) -> None:
    fleet = _check_enrolment(token, member.agent_id, now)
    before = member.fleet
    left = engine.exclude(
        [member.agent_id], reason=f"It came back by a token of the fleet {fleet}.", now=now
    )
    member.fleet, member.token_id = fleet, token.id
    member.mode, member.enrolled_at = _arrival_mode(fleet, token), now
    member.save(update_fields=["fleet", "token", "mode", "enrolled_at"])
    advance_on_commit([*left, engine.join([member.agent_id], now=now)])
    data = {"from": before.name, "to": fleet.name, "fleet_id": str(fleet.pk), "by": token.prefix}
    store.add_events([NewEvent(member.agent_id, now, "moved", data)])


def _check_enrolment(token: VerifiedToken, uid: UUID, now: datetime) -> Fleet:
    if token.why_not is not None:
        raise EnrolmentRefused(token.why_not, token.prefix)
    if token.kind is TokenKind.HOST and _has_another_holder(token, uid):
        raise EnrolmentRefused(RefusalReason.TAKEN, token.prefix)
    _check_rate(token, now)
    return Fleet.objects.get(pk=token.fleet_id)


def _check_rate(token: VerifiedToken, now: datetime) -> None:
    if _enrolments_this_minute(token.id, now) > settings.ENROLMENTS_PER_MINUTE:
        raise EnrolmentRefused(RefusalReason.RATE, token.prefix)


def _has_another_holder(token: VerifiedToken, uid: UUID) -> bool:
    """Whether another agent came in by this host token and is known still: one host runs one collector.

    The lock lets two that come at the same moment in one after the other.
    """
    list(Token.objects.select_for_update(no_key=True).filter(pk=token.id).values_list("pk"))
    return Membership.objects.filter(token_id=token.id).exclude(agent_id=uid).exists()


def _enrolments_this_minute(token_id: UUID, now: datetime) -> int:
    key = f"enrolments:{token_id}:{now:%Y%m%d%H%M}"
    cache.add(key, 0, timeout=120)
    try:
        return cache.incr(key)
    except ValueError:  # evicted between the two calls
        return 1


def _arrival_mode(fleet: Fleet, token: VerifiedToken) -> ArrivalMode:
    """What a newcomer becomes. At enrolment nothing is known yet of a configuration that it may run already.

    So the fleet's setting holds for everyone, but for hosts of quick deploy: their collector was installed for us.
    """
    return ArrivalMode.MANAGED if token.kind is TokenKind.HOST else ArrivalMode(fleet.arrival_mode)


def _unanswered_hash(uid: UUID) -> str:
    attempts = Attempt.objects.filter(agent_id=uid, state=AttemptState.OFFERED)
    return attempts.order_by("-id").values_list("hash", flat=True).first() or ""


def _note_use(token: Token, now: datetime) -> None:
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USED_EVERY:
        Token.objects.filter(long_ago, pk=token.pk).update(last_used_at=now)
