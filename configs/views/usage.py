"""Where versions run now, as pages show it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Case, When

from configs.models import Configuration, ConfigVersion
from fleets.models import Fleet, Membership
from fleets.running import Place, running_versions


@dataclass(frozen=True, slots=True)
class FleetUse:
    """A fleet to which a version of the configuration is assigned, or in which one runs."""

    name: str
    slug: str
    assigned: int | None
    collectors: int
    runs: Sequence[tuple[int, int]]
    """Numbers of versions with how many collectors run each, newest first."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Collectors by version (its id), and the fleets concerned."""

    by_version: dict[UUID, int]
    fleets: Sequence[FleetUse]

    @property
    def collectors(self) -> int:
        """All that run some version of it."""
        return sum(self.by_version.values())


def usage_of(configuration: Configuration) -> Usage:
    """Where the configuration runs, in four queries."""
    numbers = dict(configuration.versions.values_list("id", "number"))
    running = {
        place: n
        for place, n in running_versions(Membership.objects.all()).items()
        if place.version_id in numbers
    }
    by_version: dict[UUID, int] = {}
    for place, n in running.items():
        if place.version_id is not None:
            by_version[place.version_id] = by_version.get(place.version_id, 0) + n
    return Usage(by_version, _fleets(configuration, numbers, running))


def _fleets(
    configuration: Configuration, numbers: dict[UUID, int], running: dict[Place, int]
) -> list[FleetUse]:
    assigned = Fleet.objects.active().filter(version__configuration=configuration)
    found = assigned | Fleet.objects.filter(id__in={place.fleet_id for place in running})
    rows = found.values_list("id", "name", "slug", "version_id").order_by("name")
    return [
        FleetUse(
            name=name,
            slug=slug,
            assigned=numbers.get(version),
            collectors=sum(n for _, n in runs),
            runs=runs,
        )
        for fleet, name, slug, version in rows
        for runs in [_runs(fleet, numbers, running.items())]
    ]


def _runs(
    fleet: UUID, numbers: dict[UUID, int], running: Iterable[tuple[Place, int]]
) -> list[tuple[int, int]]:
    return sorted(
        (
            (numbers[place.version_id], n)
            for place, n in running
            if place.fleet_id == fleet and place.version_id in numbers
        ),
        reverse=True,
    )


def takers_of(version: ConfigVersion, most: int) -> list[tuple[str, str]]:
    """Names and slugs of fleets that can be given this version, those with its configuration first. One query."""
    has_others = Case(When(version__configuration=version.configuration_id, then=0), default=1)
    found = Fleet.objects.active().exclude(version=version).order_by(has_others, "name")
    return list(found.values_list("name", "slug")[:most])


def collectors_by_configuration() -> dict[UUID, int]:
    """How many collectors run some version of each configuration, in three queries."""
    running = running_versions(Membership.objects.all())
    ids = {place.version_id for place in running if place.version_id is not None}
    of_version = dict(
        Configuration.objects.filter(versions__in=ids).values_list("versions__id", "id")
    )
    counts: dict[UUID, int] = {}
    for place, n in running.items():
        configuration = of_version.get(place.version_id) if place.version_id else None
        if configuration is not None:
            counts[configuration] = counts.get(configuration, 0) + n
    return counts
