"""PURE. Lifetimes as people write them: never, 180d, 1y, or a date and time."""

import re
from datetime import datetime, timedelta

from telflo.base.errors import DomainError

_LIFETIME = re.compile(r"(?P<count>\d{1,5})(?P<unit>[hdy])")
_LONGEST = timedelta(days=36_500)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "y": timedelta(days=365)}


def expiry(text: str, now: datetime) -> datetime | None:
    """When something made `now` ends; None for "never". Raises DomainError (field "expires")."""
    text = text.strip()
    if text == "never":
        return None
    match = _LIFETIME.fullmatch(text)
    at = _after(now, int(match["count"]) * _UNITS[match["unit"]]) if match else _instant(text)
    if at <= now:
        raise DomainError("The expiry is in the past.", field="expires", code="past")
    return at


def _after(now: datetime, lifetime: timedelta) -> datetime:
    if lifetime > _LONGEST:
        raise DomainError(
            "A lifetime is at most 100 years. Write never for longer.",
            field="expires",
            code="too-long",
        )
    return now + lifetime


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise DomainError(
            f'"{text}" is no lifetime. Write never, 180d, 1y, or a time such as 2027-01-31T12:00:00Z.',
            field="expires",
            code="invalid",
        )
    return at
