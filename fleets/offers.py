"""What agents are to be offered now, as values for the gateway."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from fleets.offer import Claim, Offer
from fleets.rendering import offer_of
from fleets.rollouts import engine


def claim_offers(agents: Mapping[UUID, int], *, now: datetime) -> dict[UUID, Offer]:
    """Offers for those of these agents (uid to session epoch) that may get one, each with its attempt written.

    What is answered must be sent, or be given back: it is in flight from here on.
    """
    if not agents:
        return {}
    claimed = engine.claim(agents, now=now)
    offers: dict[UUID, Offer] = {}
    values: dict[UUID, Offer] = {}
    for uid, rendered in claimed.items():
        if rendered.pk not in values:
            values[rendered.pk] = offer_of(rendered)
        offers[uid] = values[rendered.pk]
    return offers


def give_back_offers(claims: Mapping[UUID, Claim], *, now: datetime) -> None:
    """Claimed offers (by uid) that were not sent after all: they may be claimed again."""
    engine.give_back(claims, now=now)
