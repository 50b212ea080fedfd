"""The numbers of the first page, for the page and the API. Every number is one grouped query."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, QuerySet

from agents.models import Agent, AgentStatus, Status
from agents.snapshot import ConfigStatus
from fleets.models import Membership, RenderedConfig

OFFLINE: Final = (Status.DISCONNECTED, Status.STALE)


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
class Numbers:
    """Collectors by status and by health, versions in use, builds in use (most used first)."""

    by_status: Mapping[str, int]
    by_health: Mapping[str, int]
    versions: Sequence[VersionInUse]

    @property
    def collectors(self) -> int:
        """All of them."""
        return sum(self.by_status.values())

    @property
    def connected(self) -> int:
        """Those that can be reached now: the statuses of the others come before every other status."""
        return self.collectors - sum(self.by_status.get(word, 0) for word in OFFLINE)

    @property
    def in_sync(self) -> int:
        """Those that run what they should."""
        return self.by_status.get(Status.IN_SYNC, 0)


def read_numbers() -> Numbers:
    """All numbers, in five queries."""
    statuses = AgentStatus.objects.order_by()
    return Numbers(
        by_status=dict(statuses.values_list("status").annotate(n=Count("pk"))),
        by_health=dict(statuses.values_list("health").annotate(n=Count("pk"))),
        versions=_versions_in_use(statuses),
    )


def _versions_in_use(statuses: QuerySet[AgentStatus]) -> list[VersionInUse]:
    """What runs: the hash acknowledged last, else what ran well before."""
    applied = statuses.filter(remote_config_status=ConfigStatus.APPLIED)
    by_hash: dict[str, int] = dict(
        applied.values_list("remote_config_hash").annotate(n=Count("pk"))
    )
    others = Membership.objects.exclude(previous=None).exclude(
        agent__status__remote_config_status=ConfigStatus.APPLIED
    )
    by_id: dict[UUID, int] = dict(
        others.order_by().values_list("previous_id").annotate(n=Count("pk"))
    )
    rendered = RenderedConfig.objects.filter(hash__in=by_hash) | RenderedConfig.objects.filter(
        id__in=by_id
    )
    versions: dict[UUID, tuple[str, int]] = {}
    collectors: Counter[UUID] = Counter()
    counted_hashes = set()
    for pk, digest, version, name, number in rendered.order_by("-created_at").values_list(
        "id", "hash", "version_id", "version__configuration__name", "version__number"
    ):
        versions[version] = (name, number)
        collectors[version] += by_id.get(pk, 0)
        if digest not in counted_hashes:  # versions that share bytes: the newest stands for them
            counted_hashes.add(digest)
            collectors[version] += by_hash.get(digest, 0)
    return [
        VersionInUse(version, *versions[version], collectors=count)
        for version, count in collectors.most_common()
        if count
    ]


def builds_in_use(limit: int) -> list[tuple[str, str, int]]:
    """Name, version and number of the collector builds that are used most."""
    known = Agent.objects.exclude(collector_version="")
    rows = known.values_list("collector_name", "collector_version").annotate(n=Count("pk"))
    return list(rows.order_by("-n")[:limit])


