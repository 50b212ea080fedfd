"""How a token stands at a moment: one word for pages and the API, the same in Python and in queries."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Q

from fleets.models import Token
from fleets.tokens import WARN_DAYS

SOON: Final = timedelta(days=max(WARN_DAYS))


class TokenState(StrEnum):
    """The words of the status vocabulary for tokens."""

    ACTIVE = "active"
    EXPIRES_SOON = "expires_soon"
    EXPIRED = "expired"
    RETIRED = "retired"
    REVOKED = "revoked"


def ends_at(token: Token) -> datetime | None:
    """When it stops enrolling, by its expiry or by the end of a rotation's overlap; None for never."""
    ends = [moment for moment in (token.enrol_until, token.retired_at) if moment is not None]
    return min(ends, default=None)


def token_state(token: Token, now: datetime) -> TokenState:
    """Its word at `now`: the most final one that holds."""
    if token.revoked_at is not None:
        return TokenState.REVOKED
    if token.retired_at is not None and token.retired_at <= now:
        return TokenState.RETIRED
    if token.enrol_until is not None and token.enrol_until <= now:
        return TokenState.EXPIRED
    ends = ends_at(token)
    return TokenState.EXPIRES_SOON if ends and ends - now <= SOON else TokenState.ACTIVE


def usable(now: datetime) -> Q:
    """Tokens that enrol at `now`: active or soon to expire."""
    return Q(revoked_at=None) & not_retired(now) & not_expired(now)


def expired(now: datetime) -> Q:
    """Tokens in the state EXPIRED."""
    return Q(revoked_at=None) & not_retired(now) & Q(enrol_until__lte=now)


def retired(now: datetime) -> Q:
    """Tokens in the state RETIRED."""
    return Q(revoked_at=None, retired_at__lte=now)


def not_retired(now: datetime) -> Q:
    """Not retired, or not yet."""
    return Q(retired_at=None) | Q(retired_at__gt=now)


def not_expired(now: datetime) -> Q:
    """Without an expiry, or before it."""
    return Q(enrol_until=None) | Q(enrol_until__gt=now)
