"""Which versions run where: counts for pages and the API, by the same rule as the filter of the collectors' list."""

from collections import Counter
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from agents.snapshot import ConfigStatus
from fleets.models import Membership, RenderedConfig

_STATUS = "agent__status__remote_config_status"
_HASH = "agent__status__remote_config_hash"


class Place(NamedTuple):
    """A version in a fleet. `version_id` is None for what is not ours, or not known."""

    fleet_id: UUID
    version_id: UUID | None


def running_versions(memberships: QuerySet[Membership]) -> Counter[Place]:
    """How many members run each version: the one acknowledged last, else the one before. Two queries."""
    rows = list(
        memberships.order_by()
        .values_list("fleet_id", "desired_id", "previous_id", _STATUS, _HASH)
        .annotate(n=Count("pk"))
    )
    ids = {key for row in rows for key in (row[1], row[2]) if key}
    hashes = {row[4] for row in rows if row[4]}
    found = RenderedConfig.objects.filter(Q(id__in=ids) | Q(hash__in=hashes)).values_list(
        "id", "hash", "version_id"
    )
    by_id = {key: (digest, version) for key, digest, version in found}
    by_hash = dict(by_id.values())
    counts: Counter[Place] = Counter()
    for fleet, desired, previous, status, digest, number in rows:
        if status == ConfigStatus.APPLIED:
            version = _meant(digest, by_id.get(desired), by_id.get(previous), by_hash)
        else:
            version = by_id[previous][1] if previous else None
        counts[Place(fleet, version)] += number
    return counts


def _meant(
    digest: str,
    desired: tuple[str, UUID] | None,
    previous: tuple[str, UUID] | None,
    by_hash: dict[str, UUID],
) -> UUID | None:
    """Two versions may share bytes: then the one that is meant is the one that runs."""
    for known in (desired, previous):
        if known and known[0] == digest:
            return known[1]
    return by_hash.get(digest)
