"""Which collectors need attention: one meaning for the overview, fleets, lists, filters and the API."""

from datetime import datetime
from typing import Final

from django.db.models import Q

from agents.models import Health, Status
from agents.status import CUT_OFF
from agents.store import CALM_AFTER_RESTART

IN_TROUBLE: Final = (Status.FAILED, Status.ROLLED_BACK, Status.DRIFTED, Status.STALE)
"""Statuses that a person has to look at."""
MEANING: Final = (
    "Collectors that failed a version, went back to the one before, drifted, went silent"
    " or say that they are unhealthy"
)
"""The same for people."""


def needs_attention(now: datetime, status: str = "status__") -> Q:
    """Those with such a status, or ill. status: the way to the status rows from the rows that are filtered."""
    return Q(**{f"{status}status__in": IN_TROUBLE}) | is_ill(now, status)


def is_ill(now: datetime, status: str = "status__") -> Q:
    """Those that say that they are unhealthy, and can be reached; but not who restarts because we said so."""
    return (
        Q(**{f"{status}health": Health.UNHEALTHY})
        & ~Q(**{f"{status}status__in": CUT_OFF})
        & (
            Q(**{f"{status}restarted_at": None})
            | Q(**{f"{status}restarted_at__lte": now - CALM_AFTER_RESTART})
        )
    )
