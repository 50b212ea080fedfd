"""What agents are to be offered now, as values for the gateway."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from fleets.models import ArrivalMode, Membership, Quarantine
from fleets.offer import Offer
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


def give_back_offers(claims: Mapping[UUID, str], *, now: datetime) -> None:
    """Claimed offers (uid to hash) that were not sent after all: they may be claimed again."""
    engine.give_back(claims, now=now)


def desired_hashes(uids: Collection[UUID]) -> dict[UUID, str]:
    """What these agents should be offered, from the memberships' truth (I4); "" for nothing. One query.

    A quarantined hash counts as nothing, so that gateways do not ask for it again and again.
    """
    failed = Quarantine.objects.filter(agent=OuterRef("agent"), hash=OuterRef("desired__hash"))
    members = Membership.objects.filter(agent_id__in=uids).annotate(has_failed=Exists(failed))
    return {
        uid: desired if desired and mode == ArrivalMode.MANAGED and not has_failed else ""
        for uid, mode, desired, has_failed in members.values_list(
            "agent_id", "mode", "desired__hash", "has_failed"
        )
    }
