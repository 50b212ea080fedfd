"""Who is sent ahead to an address and CA of this server by which no agent came yet, as offers tell them.

Released supervisors follow an offer untried and have no way back but a restart, so a mistake would lose all at once.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Case, Exists, Q, QuerySet, When
from django.db.models.functions import Now

from fleets.connection_offer import MOST_SCOUTS
from fleets.models import AgentConnection
from fleets.own_address import own_place

SCOUTS_FOR: Final = timedelta(minutes=1)
"""Who is still connected so long after it was sent to another address does not follow offers, and is not lost."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Nobody came by the present address and CA yet. lost: who was sent there and is gone, as uid and name · most: so
    many are sent.
    """

    lost: tuple[tuple[UUID, str], ...]
    most: int = MOST_SCOUTS


def ahead() -> Ahead | None:
    """How that stands; None once one has arrived. Two queries at most."""
    place = own_place()
    if _arrived_at(place).exists():
        return None
    lost = scouts_of(place).filter(agent__status__connected=False).order_by("offered_at")
    return Ahead(tuple(lost.values_list("agent_id", "agent__display_name")[:MOST_SCOUTS]))


def has_arrived(place: str) -> Exists:
    """Whether any agent came by this place as it was offered it."""
    return Exists(_arrived_at(place))


def has_scouts(place: str) -> Case:
    """Whether as many were sent to a place as may be before one arrives. They are counted only while none has: the
    database looks at one condition after the other.
    """
    return Case(
        When(has_arrived(place), then=False),
        When(Exists(scouts_of(place)[MOST_SCOUTS - 1 :]), then=True),
        default=False,
    )


def scouts_of(place: str) -> QuerySet[AgentConnection]:
    """Agents that were sent to this place and did not come by it: just now, or gone since."""
    is_recent = Q(offered_at__gt=Now() - SCOUTS_FOR)
    sent = AgentConnection.objects.filter(
        place=place, unused_offers__gt=0, credential__isnull=False
    )
    return sent.filter(is_recent | Q(agent__status__connected=False))


def _arrived_at(place: str) -> QuerySet[AgentConnection]:
    return AgentConnection.objects.filter(place=place, unused_offers=0, credential__isnull=False)
