"""Who uses a component: configurations whose newest version has it in a pipeline, and builds that report it; and all
that builds report.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery

from agents.models import Agent, ComponentSet
from agents.views.rows import build_name
from configs.checking import Parts
from configs.collector.catalog_types import Component
from configs.collector.names import renamed
from configs.models import Configuration, ConfigVersion
from fleets.rollouts.needs import needs_of, offered_by

MOST: Final = 1_000
"""How many configurations are looked at, and how many texts and builds are kept in memory."""

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Build:
    """Collectors of one build that report it. version: as the list of collectors filters by it."""

    name: str
    version: str
    collectors: int


@dataclass(frozen=True, slots=True)
class ComponentUse:
    """configurations: id, name, number of the newest version."""

    configurations: Sequence[tuple[UUID, str, int]]
    builds: Sequence[Build]

    @property
    def collectors(self) -> int:
        """All that report it."""
        return sum(one.collectors for one in self.builds)


def usage_of(component: Component) -> ComponentUse:
    """Who uses it, in four queries."""
    names = {renamed(component.kind, one) for one in (component.type, *component.aliases)}
    wanted = {(component.kind.value, one) for one in names}
    return ComponentUse(_configurations(wanted), _builds(wanted))


def reported() -> Parts:
    """What the newest builds under management say that they have, in one query, and one more for those that are new."""
    hashes = ComponentSet.objects.order_by("-created_at").values_list("pk", flat=True)[:MOST]
    return frozenset(chain.from_iterable(sets.of(hashes, _read_sets).values()))


class Kept:
    """What was read of something that never changes, by its key. The oldest go first."""

    def __init__(self) -> None:
        self._parts: dict[Any, Parts] = {}

    def of(
        self, keys: Iterable[K], read: Callable[[list[K]], Iterable[tuple[K, Parts]]]
    ) -> Mapping[K, Parts]:
        """The parts by key; `read` brings those that are not here yet."""
        wanted = list(keys)
        found = {one: parts for one in wanted if (parts := self._parts.get(one)) is not None}
        found.update(read([one for one in wanted if one not in found]))
        self._parts.update(found)
        for oldest in list(self._parts)[:-MOST]:
            self._parts.pop(oldest, None)
        return found


versions, sets = Kept(), Kept()
"""Of texts, by the id of their version, and of builds, by their hash: in this process."""


def _configurations(wanted: set[tuple[str, str]]) -> list[tuple[UUID, str, int]]:
    newest = ConfigVersion.objects.filter(configuration=OuterRef("pk")).order_by("-number")
    rows = list(
        Configuration.objects.filter(archived_at__isnull=True)
        .annotate(
            version=Subquery(newest.values("pk")[:1]), number=Subquery(newest.values("number")[:1])
        )
        .filter(version__isnull=False)
        .order_by("name")
        .values_list("pk", "name", "number", "version")[:MOST]
    )
    parts = versions.of((version for *_, version in rows), _read_versions)
    return [
        (key, name, number)
        for key, name, number, version in rows
        if wanted & parts.get(version, set())
    ]


def _read_versions(ids: list[UUID]) -> Iterable[tuple[UUID, Parts]]:
    for one in ConfigVersion.objects.filter(pk__in=ids).only("pk", "yaml"):
        yield one.pk, needs_of(one.yaml).used


def _builds(wanted: set[tuple[str, str]]) -> list[Build]:
    rows = list(
        Agent.objects.filter(components__isnull=False)
        .values_list("components", "collector_name", "collector_version")
        .annotate(count=Count("pk"))
        .order_by("collector_name", "collector_version")
    )
    parts = sets.of({digest for digest, *_ in rows}, _read_sets)
    counts: dict[tuple[str, str], int] = {}
    for digest, name, version, count in rows:
        if wanted & parts.get(digest, set()):
            counts[name, version] = counts.get((name, version), 0) + count
    return [Build(build_name(*key), key[1], count) for key, count in counts.items()]


def _read_sets(hashes: list[str]) -> Iterable[tuple[str, Parts]]:
    for digest, tree in ComponentSet.objects.filter(pk__in=hashes).values_list("pk", "tree"):
        yield digest, offered_by(tree)
