"""Tokens that let collectors in: issued, rotated, retired, revoked. Access is checked by the caller.

A secret is 256 random bits, so a plain SHA-256 of it is enough to keep; the prefix is kept for people.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from agents import notify
from fleets.models import Deployment, Fleet, Handover, Membership, Token, TokenKind
from telflo.base import activity, clock, hints
from telflo.base.activity import Actor
from telflo.base.errors import Conflict, DomainError
from telflo.base.secrets import new_secret

PREFIXES: Final = {
    TokenKind.ENROLMENT: "tlf_e_",
    TokenKind.HOST: "tlf_e_",
    TokenKind.AGENT: "tlf_a_",
}
PREFIX_LENGTH: Final = 12
"""How much of a secret is kept for people: its kind and six characters."""
WARN_DAYS: Final = (30, 7, 1)
_LONGEST_NAME: Final = 100
_GENERATION: Final = re.compile(r" \((\d{1,6})\)\Z")
LONGEST_OVERLAP: Final = timedelta(days=365)


class Expiry(StrEnum):
    """How long a new token enrols, in the words of the pages and the API."""

    NEVER = "never"
    HALF_YEAR = "180d"
    YEAR = "1y"
    TWO_YEARS = "2y"


_DAYS: Final = {Expiry.HALF_YEAR: 180, Expiry.YEAR: 365, Expiry.TWO_YEARS: 730}


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token and its secret, which is nowhere else: show it in this one answer (decision 12)."""

    token: Token
    secret: str

    def __repr__(self) -> str:
        """Without the secret: it must not get into logs."""
        return f"IssuedToken({self.token})"


def issue_token(
    *,
    fleet: Fleet,
    name: str,
    expires: Expiry | datetime,
    actor: Actor,
    kind: TokenKind = TokenKind.ENROLMENT,
    deployment: Deployment | None = None,
) -> IssuedToken:
    """Make a token of a fleet. `expires` ends enrolment, not the access of those enrolled. Raises DomainError."""
    now = clock.now()
    _check_open(fleet)
    token, secret = _new(fleet=fleet, name=_check_name(name), kind=kind, actor=actor, now=now)
    token.enrol_until = _enrol_until(expires, now)
    token.deployment = deployment
    with transaction.atomic():
        token.save(force_insert=True)
        activity.record(actor=actor, action="token.issue", obj=token, after=_shown(token))
        _touch(token)
    return IssuedToken(token, secret)


def rotate_token(
    *, token: Token, overlap: timedelta, actor: Actor, revoke_old: bool = False
) -> IssuedToken:
    """Issue a successor; the old one enrols until the overlap is over and then retires. Raises DomainError.

    The successor enrols for as long as the old one was made to. Until the overlap is over, collectors that use the old
    one and accept connection settings are offered it. revoke_old: the old one is revoked then, not only retired.
    """
    now = clock.now()
    _check_open(token.fleet)
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise DomainError("An overlap lasts up to 365 days.", field="overlap_seconds")
    with transaction.atomic():
        token = (
            Token.objects.select_for_update(of=("self",), no_key=True)
            .select_related("fleet")
            .get(pk=token.pk)
        )
        if token.kind == TokenKind.AGENT:
            raise Conflict("A collector's own credential is renewed by itself.", code="token_kind")
        if token.revoked_at or token.retired_at:
            raise Conflict(
                "This token was rotated already, or is retired or revoked. Rotate its successor, or issue a new one.",
                code="token_over",
            )
        heir, secret = _new(
            fleet=token.fleet,
            name=_name_of_heir(token),
            kind=TokenKind(token.kind),
            actor=actor,
            now=now,
        )
        if token.enrol_until is not None:
            heir.enrol_until = now + (token.enrol_until - token.created_at)
        heir.parent, heir.deployment_id = token, token.deployment_id
        heir.save(force_insert=True)
        token.retired_at = now + overlap
        if overlap:
            Handover.objects.create(token=heir, secret=secret, until=token.retired_at)
        token.revoke_at = token.retired_at if revoke_old else None
        token.save(update_fields=["retired_at", "revoke_at"])
        after = {**_shown(heir), "replaces": token.prefix, "overlap_s": overlap.total_seconds()}
        if revoke_old:
            after["then"] = "revoked"
        activity.record(actor=actor, action="token.rotate", obj=heir, after=after)
        users = list(members_of(token).values_list("agent_id", flat=True))
        transaction.on_commit(partial(notify.poke, users), robust=True)
        _touch(heir)
    return IssuedToken(heir, secret)


def retire_token(*, token: Token, actor: Actor, reason: str = "") -> Token:
    """No new enrolments by it from now on; collectors that it enrolled stay (decision 9)."""
    now = clock.now()
    with transaction.atomic():
        token = (
            Token.objects.select_for_update(of=("self",), no_key=True)
            .select_related("fleet")
            .get(pk=token.pk)
        )
        if token.revoked_at:
            raise Conflict("This token is revoked already.", code="token_over")
        if token.retired_at is None or token.retired_at > now:
            token.retired_at = now
            token.save(update_fields=["retired_at"])
            activity.record(
                actor=actor, action="token.retire", obj=token, reason=reason, after=_shown(token)
            )
            _touch(token)
    return token


def revoke_token(*, token: Token, actor: Actor, reason: str = "") -> Token:
    """Refuse it from now on and close the connections that use it; those collectors keep running (decision 9)."""
    with transaction.atomic():
        token = (
            Token.objects.select_for_update(of=("self",), no_key=True)
            .select_related("fleet")
            .get(pk=token.pk)
        )
        if token.revoked_at is None:
            revoke_tokens([token], actor=actor, reason=reason)
    return token


def revoke_tokens(tokens: Iterable[Token], *, actor: Actor, reason: str) -> None:
    """The same for several, in the caller's transaction."""
    now = clock.now()
    for token in tokens:
        token.revoked_at, token.revoked_reason = now, reason[:500]
        token.save(update_fields=["revoked_at", "revoked_reason"])
        Handover.objects.filter(token=token).delete()
        activity.record(
            actor=actor, action="token.revoke", obj=token, reason=reason, after=_shown(token)
        )
        close = partial(notify.close_tokens, [token.pk], "The token is revoked.")
        transaction.on_commit(close, robust=True)
        _touch(token)


def end_enrolment(fleet: Fleet, *, actor: Actor, reason: str) -> None:
    """Of a fleet that goes out of use, in the caller's transaction: nobody comes in by its tokens any more.

    Those by which collectors of other fleets come, or came before they had a credential of their own, are retired and
    credentials stay (decisions 8, 9); the rest is revoked.
    """
    used = Q(memberships__isnull=False) | Q(moved__isnull=False)
    kept = list(fleet.tokens.filter(used, revoked_at=None).distinct())
    revoke_tokens(
        fleet.tokens.filter(revoked_at=None).exclude(pk__in=[token.pk for token in kept]),
        actor=actor,
        reason=reason,
    )
    for token in kept:
        if token.kind != TokenKind.AGENT:
            retire_token(token=token, actor=actor, reason=reason)


def let_in_elsewhere(fleet: Fleet) -> "QuerySet[Membership]":
    """Members of other fleets that came by tokens of this one."""
    return Membership.objects.filter(token__fleet=fleet).exclude(fleet=fleet)


def end_overlaps(now: datetime) -> int:
    """Revoke what was to be revoked by now, and forget secrets that are not handed over any more; answers how many."""
    forgotten, _ = Handover.objects.filter(until__lte=now).delete()
    with transaction.atomic():
        due = Token.objects.select_for_update(of=("self",), no_key=True).select_related("fleet")
        tokens = list(due.filter(revoke_at__lte=now, revoked_at=None).order_by("pk"))
        revoke_tokens(
            tokens, actor=Actor.worker("sweep"), reason="The overlap of its rotation is over."
        )
    return forgotten + len(tokens)


def members_of(*tokens: Token) -> "QuerySet[Membership]":
    """The members that use them: how many lose the server when they are revoked."""
    return Membership.objects.filter(token__in=[token.pk for token in tokens])


def moved_from(*tokens: Token) -> "QuerySet[Membership]":
    """The members that came by them and were moved by offers, to a credential of their own or to a successor.

    Supervisors forget offers when they restart: while their files hold the old token they come back by it.
    What a file holds nobody tells: who was moved to the successor counts even when its file has it by now.
    """
    return Membership.objects.filter(moved_from__in=[token.pk for token in tokens])


@dataclass(frozen=True, slots=True)
class ExpiryWarning:
    """A token whose enrolment ends soon: `days` is the nearest of 30, 7 and 1 that is not passed."""

    token: Token
    days: int


def expiry_warnings(now: datetime) -> list[ExpiryWarning]:
    """Tokens that still enrol and will not in 30, 7 or 1 days, the nearest first."""
    soon = now + timedelta(days=max(WARN_DAYS))
    tokens = Token.objects.select_related("fleet").filter(
        Q(retired_at=None) | Q(retired_at__gt=now),
        revoked_at=None,
        enrol_until__gt=now,
        enrol_until__lte=soon,
        fleet__archived_at=None,
    )
    found = []
    for token in tokens.filter(kind=TokenKind.ENROLMENT).order_by("enrol_until"):
        assert token.enrol_until is not None
        left = token.enrol_until - now
        days = min(days for days in WARN_DAYS if left <= timedelta(days=days))
        found.append(ExpiryWarning(token, days))
    return found


def revoked_among(token_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these tokens by which nobody may stay connected any more: for gateways that compare.

    Revoked, or expired in a fleet where that ends access.
    """
    over = Q(enrol_until__lte=clock.now(), fleet__expiry_ends_access=True)
    ended = Token.objects.filter(over | Q(revoked_at__isnull=False), pk__in=list(token_ids))
    return set(ended.values_list("pk", flat=True))


def _new(
    *, fleet: Fleet, name: str, kind: TokenKind, actor: Actor, now: datetime
) -> tuple[Token, str]:
    made = new_secret(PREFIXES[kind])
    token = Token(
        kind=kind,
        fleet=fleet,
        name=name,
        prefix=made.secret[:PREFIX_LENGTH],
        secret_hash=made.secret_hash,
        created_by=actor.user,
        created_at=now,
    )
    return token, made.secret


def _check_open(fleet: Fleet) -> None:
    if fleet.archived_at is not None:
        raise Conflict(f"The fleet {fleet} is archived, so nothing can enrol.", code="archived")


def _check_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise DomainError(f"A token's name has 1 to {_LONGEST_NAME} characters.", field="name")
    return name


def _name_of_heir(token: Token) -> str:
    """The same name with its generation, "edge (2)" after "edge": the next that is free in the fleet."""
    stem = _GENERATION.sub("", token.name) or token.name
    alike = token.fleet.tokens.filter(name__startswith=stem).values_list("name", flat=True)
    found = [
        one
        for name in alike
        if (one := _GENERATION.search(name)) and one.string[: one.start()] == stem
    ]
    taken = [int(one[1]) for one in found]
    suffix = f" ({max(taken, default=1) + 1})"
    return stem[: _LONGEST_NAME - len(suffix)] + suffix


def _enrol_until(expires: Expiry | datetime, now: datetime) -> datetime | None:
    if isinstance(expires, Expiry):
        return None if expires is Expiry.NEVER else now + timedelta(days=_DAYS[expires])
    if expires <= now:
        raise DomainError("The expiry has passed already. Choose a later time.", field="expires")
    return expires


def _shown(token: Token) -> dict[str, str | None]:
    until = token.enrol_until
    return {
        "name": token.name,
        "prefix": token.prefix,
        "kind": token.kind,
        "enrol_until": until.isoformat() if until else None,
    }


def _touch(token: Token) -> None:
    hints.touch_on_commit(["tokens", f"fleet:{token.fleet_id}"])
