"""Which versions run where: counts for pages and the API, by the same rule as the filter of the collectors' list."""

from collections import Counter
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from agents.snapshot import ConfigStatus
from agents.status import health_now
from fleets.models import Membership, RenderedConfig

_GROUPS = (
    "fleet_id",
    "desired_id",
    "previous_id",
    "agent__status__remote_config_status",
    "agent__status__remote_config_hash",
    "agent__status__status",
    "agent__status__health",
)


class Place(NamedTuple):
    """A version in a fleet. `version_id` is None for what is not ours, or not known."""

    fleet_id: UUID
    version_id: UUID | None


class Kind(NamedTuple):
    """Members that look alike in lists and bars. health: the one that counts."""

    place: Place
    status: str
    health: str


def running_versions(memberships: QuerySet[Membership]) -> Counter[Place]:
    """How many members run each version: the one acknowledged last, else the one before. Two queries."""
    counts: Counter[Place] = Counter()
    for kind, number in count_members(memberships).items():
        counts[kind.place] += number
    return counts


def count_members(memberships: QuerySet[Membership]) -> Counter[Kind]:
    """How many members of each kind there are. Two queries: the status rows are read once, whatever is counted."""
    rows = list(memberships.order_by().values_list(*_GROUPS).annotate(n=Count("*")))
    ids = {key for row in rows for key in (row[1], row[2]) if key}
    hashes = {row[4] for row in rows if row[4]}
    found = RenderedConfig.objects.filter(Q(id__in=ids) | Q(hash__in=hashes)).values_list(
        "id", "hash", "version_id"
    )
    by_id = {key: (digest, version) for key, digest, version in found}
    by_hash = dict(by_id.values())
    counts: Counter[Kind] = Counter()
    for fleet, desired, previous, answer, digest, status, health, number in rows:
        if answer == ConfigStatus.APPLIED:
            version = _meant(digest, by_id.get(desired), by_id.get(previous), by_hash)
        else:
            version = by_id[previous][1] if previous else None
        counts[Kind(Place(fleet, version), status, health_now(health, status))] += number
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
