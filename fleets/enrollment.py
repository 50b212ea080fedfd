"""Who holds a secret: it becomes a verified token, which may connect and may or may not enrol (decisions 8, 9)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q

from fleets.errors import TokenRefused
from fleets.models import RefusalReason, Token, TokenKind
from fleets.refusals import prefix_of
from telflo.base.secrets import hash_secret

USED_EVERY: Final = timedelta(minutes=1)
"""last_used_at is written no more often than this."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token that may connect.

    agent_uid: who alone may use it. Whether unknown agents may come in by it changes with time: why_not_enrol().
    """

    id: UUID
    fleet_id: UUID
    kind: TokenKind
    prefix: str
    agent_uid: UUID | None = None


def verify_token(secret: str, *, now: datetime) -> VerifiedToken:
    """Who holds this secret. Raises TokenRefused. One query, and a write at most once a minute."""
    if not secret:
        raise TokenRefused(RefusalReason.MISSING)
    tokens = Token.objects.select_related("fleet")
    token = tokens.filter(secret_hash=hash_secret(secret)).first()
    if token is None:
        raise TokenRefused(RefusalReason.UNKNOWN, prefix_of(secret))
    if token.revoked_at is not None:
        raise TokenRefused(RefusalReason.REVOKED, token.prefix)
    has_expired = token.enrol_until is not None and token.enrol_until <= now
    if has_expired and token.fleet.expiry_ends_access:
        raise TokenRefused(RefusalReason.EXPIRED, token.prefix)
    _note_use(token, now)
    return VerifiedToken(
        id=token.pk,
        fleet_id=token.fleet_id,
        kind=TokenKind(token.kind),
        prefix=token.prefix,
        agent_uid=token.agent_uid,
    )


def why_not_enrol(token_ids: Collection[UUID], now: datetime) -> dict[UUID, RefusalReason | None]:
    """Why no unknown agent may come in by these tokens now, None where one may. Those that are gone are absent."""
    if not token_ids:
        return {}
    return {token.pk: _why_not(token, now) for token in Token.objects.filter(pk__in=token_ids)}


def _why_not(token: Token, now: datetime) -> RefusalReason | None:
    if token.may_enrol(now):
        return None
    if token.revoked_at is not None:
        return RefusalReason.REVOKED
    has_expired = token.enrol_until is not None and token.enrol_until <= now
    return RefusalReason.EXPIRED if has_expired else RefusalReason.RETIRED


def _note_use(token: Token, now: datetime) -> None:
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - USED_EVERY:
        Token.objects.filter(long_ago, pk=token.pk).update(last_used_at=now)
