"""Counts of fleets by status, health and version, as bars and as numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, QuerySet
from django.urls import reverse

from agents.attention import needs_attention
from agents.models import Health, Status
from configs.models import ConfigVersion
from fleets.models import Membership
from fleets.running import count_members
from telflo.base import clock
from telflo.ui.bars import Segment
from telflo.ui.vocabulary import COLLECTOR, HEALTH

_SHADES: Final = 5
MOVING: Final = (Status.PENDING, Status.APPLYING)


@dataclass(frozen=True, slots=True)
class VersionName:
    """A version as bars name it."""

    id: UUID
    configuration: str
    number: int

    def __str__(self) -> str:
        """For people: "edge v4"."""
        return f"{self.configuration} v{self.number}"


@dataclass(slots=True)
class FleetNumbers:
    """One fleet's members, counted. attention: those that need it, by agents/attention.py."""

    by_status: Counter[str] = field(default_factory=Counter)
    by_health: Counter[str] = field(default_factory=Counter)
    by_version: Counter[UUID | None] = field(default_factory=Counter)
    attention: int = 0

    @property
    def collectors(self) -> int:
        """All members."""
        return self.by_status.total()

    @property
    def in_sync(self) -> int:
        """Those that run what they should."""
        return self.by_status[Status.IN_SYNC]

    @property
    def moving(self) -> int:
        """Those on their way to a version."""
        return sum(self.by_status[word] for word in MOVING)

    @property
    def healthy(self) -> int:
        """Those that say so now."""
        return self.by_health[Health.HEALTHY]


def numbers_of(memberships: QuerySet[Membership]) -> dict[UUID, FleetNumbers]:
    """The numbers of all fleets that have members among these, in three queries."""
    numbers: dict[UUID, FleetNumbers] = {}
    for kind, n in count_members(memberships).items():
        found = numbers.setdefault(kind.place.fleet_id, FleetNumbers())
        found.by_status[kind.status] += n
        found.by_health[kind.health] += n
        found.by_version[kind.place.version_id] += n
    needing = memberships.filter(needs_attention(clock.now(), "agent__status__")).order_by()
    for fleet, n in needing.values_list("fleet_id").annotate(n=Count("*")):
        numbers[fleet].attention = n
    return numbers


def names_of(numbers: Iterable[FleetNumbers]) -> dict[UUID, VersionName]:
    """The names of all versions that run somewhere among these, in one query."""
    ids = {version for one in numbers for version in one.by_version if version is not None}
    rows = ConfigVersion.objects.filter(id__in=ids).values_list(
        "id", "configuration__name", "number"
    )
    return {key: VersionName(key, name, number) for key, name, number in rows}


def status_segments(numbers: FleetNumbers, slug: str) -> list[Segment]:
    """One segment for each status that occurs, each with its rows behind it."""
    return [
        Segment(lamp.word, numbers.by_status[word], lamp.tone, rows_url(slug, status=word))
        for word, lamp in COLLECTOR.items()
        if numbers.by_status[word]
    ]


def health_segments(numbers: FleetNumbers, slug: str) -> list[Segment]:
    """One segment for each state of health that occurs."""
    return [
        Segment(lamp.word, numbers.by_health[word], lamp.tone, rows_url(slug, health=word))
        for word, lamp in HEALTH.items()
        if numbers.by_health[word]
    ]


def version_segments(
    numbers: FleetNumbers, names: Mapping[UUID, VersionName], slug: str, configuration: str
) -> list[Segment]:
    """Versions from the newest to the oldest, the newest strongest; what is not ours comes last."""
    known = sorted(
        ((names[key], n) for key, n in numbers.by_version.items() if key and key in names),
        key=lambda pair: (
            pair[0].configuration != configuration,
            pair[0].configuration,
            -pair[0].number,
        ),
    )
    segments = [
        Segment(
            _short(name, configuration),
            n,
            f"a{min(place, _SHADES)}",
            rows_url(slug, version=str(name.id)),
        )
        for place, (name, n) in enumerate(known, start=1)
    ]
    others = sum(n for key, n in numbers.by_version.items() if key not in names)
    return [*segments, Segment("none of ours", others, "idle")] if others else segments


def rows_url(slug: str, **filters: str) -> str:
    """The list of the fleet's collectors that are meant."""
    return f"{reverse('agents:list')}?{urlencode({'fleet': slug, **filters})}"


def _short(name: VersionName, configuration: str) -> str:
    return f"v{name.number}" if name.configuration == configuration else str(name)
