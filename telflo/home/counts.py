"""The numbers of the first page, for the page and the API."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from agents.models import Agent, Status
from agents.snapshot import ConfigStatus
from agents.status import CUT_OFF, health_now
from fleets.models import RenderedConfig


@dataclass(frozen=True, slots=True)
class VersionInUse:
    """A version and how many collectors run it."""

    id: UUID
    configuration: str
    number: int
    collectors: int

    def __str__(self) -> str:
        """For people: "edge v4"."""
        return f"{self.configuration} v{self.number}"


@dataclass(frozen=True, slots=True)
class FleetNumbers:
    """Members of one fleet."""

    by_status: Counter[str] = field(default_factory=Counter)
    by_health: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Collectors by status, by health, by fleet; versions in use, the most used first."""

    by_status: Counter[str]
    by_health: Counter[str]
    by_fleet: Mapping[UUID | None, FleetNumbers]
    versions: Sequence[VersionInUse]

    @property
    def collectors(self) -> int:
        """All of them."""
        return self.by_status.total()

    @property
    def connected(self) -> int:
        """Those that can be reached now: the statuses of the others come before every other status."""
        return self.collectors - sum(self.by_status[word] for word in CUT_OFF)

    @property
    def in_sync(self) -> int:
        """Those that run what they should."""
        return self.by_status[Status.IN_SYNC]


def read_numbers() -> Numbers:
    """All numbers, in two queries: the hot rows are read once, whatever is counted."""
    fleets: dict[UUID | None, FleetNumbers] = {}
    by_hash: Counter[str] = Counter()
    by_id: Counter[UUID] = Counter()
    for fleet, previous, status, health, answer, digest, n in _groups():
        numbers = fleets.setdefault(fleet, FleetNumbers())
        numbers.by_status[status] += n
        numbers.by_health[health_now(health, status)] += n
        # What runs is what was acknowledged last, else what ran well before.
        if answer == ConfigStatus.APPLIED:
            by_hash[digest] += n
        elif previous is not None:
            by_id[previous] += n
    return Numbers(
        by_status=sum((numbers.by_status for numbers in fleets.values()), Counter()),
        by_health=sum((numbers.by_health for numbers in fleets.values()), Counter()),
        by_fleet=fleets,
        versions=_versions_in_use(by_hash, by_id),
    )


def _groups() -> Iterable[tuple[Any, ...]]:
    """Collectors by everything that is counted: fleet, version before, status, health, last answer, its hash."""
    # From the agents: SQLite then takes all columns of the hot rows from their index (status_counted).
    return (
        Agent.objects.filter(status__isnull=False)
        .order_by()
        .values_list(
            "membership__fleet_id",
            "membership__previous_id",
            "status__status",
            "status__health",
            "status__remote_config_status",
            "status__remote_config_hash",
        )
        .annotate(n=Count("*"))
    )


def _versions_in_use(by_hash: Counter[str], by_id: Counter[UUID]) -> list[VersionInUse]:
    """The versions behind hashes and ids of rendered configurations."""
    rendered = RenderedConfig.objects.filter(Q(hash__in=by_hash.keys()) | Q(id__in=by_id.keys()))
    versions: dict[UUID, tuple[str, int]] = {}
    collectors: Counter[UUID] = Counter()
    counted_hashes = set()
    for pk, digest, version, name, number in rendered.order_by("-created_at").values_list(
        "id", "hash", "version_id", "version__configuration__name", "version__number"
    ):
        versions[version] = (name, number)
        collectors[version] += by_id[pk]
        if digest not in counted_hashes:  # versions that share bytes: the newest stands for them
            counted_hashes.add(digest)
            collectors[version] += by_hash[digest]
    return [
        VersionInUse(version, *versions[version], collectors=count)
        for version, count in collectors.most_common()
        if count
    ]


def builds_in_use(limit: int) -> list[tuple[str, str, int]]:
    """Name, version and number of the collector builds that are used most."""
    known = Agent.objects.exclude(collector_version="")
    rows = known.values_list("collector_name", "collector_version").annotate(n=Count("*"))
    return list(rows.order_by("-n")[:limit])
