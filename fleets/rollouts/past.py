"""How what failed on collectors before can be offered there again, from the database: one query."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from fleets.models import Membership, Quarantine
from fleets.rollouts.placing import Again, way_again

PREVIOUS_FAILED: Final = Exists(
    Quarantine.objects.filter(agent=OuterRef("agent"), hash=OuterRef("previous__hash"))
)
"""Whether what a member ran before failed on it too."""


def ways_again(failed: Mapping[UUID, str], applied: Mapping[UUID, str]) -> dict[UUID, Again]:
    """For each of these agents. failed: the hash that failed there · applied: what it acknowledged last as applied."""
    if not failed:
        return {}
    members = Membership.objects.filter(agent_id__in=list(failed))
    rows = members.values_list("agent_id", "previous__hash", PREVIOUS_FAILED)
    return {
        uid: way_again(
            failed=failed[uid],
            applied=applied[uid],
            previous=previous or "",
            has_previous_failed=has_failed,
        )
        for uid, previous, has_failed in rows
    }
