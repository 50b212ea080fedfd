"""What a pre-flight check looks at: members in groups that are alike, and what is judged besides them. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final

from configs.collector.catalog_types import Catalog
from fleets.rollouts.needs import Component, Needs, Said
from fleets.rollouts.placing import Place, TargetFacts, gets_it, place_target
from fleets.rollouts.strategy import Strategy


class Fate(StrEnum):
    """What a rollout does with a member; each has exactly one."""

    NOW = "now"
    OFFLINE = "offline"
    RUNNING = "running"
    UNABLE = "unable"
    OBSERVED = "observed"
    QUARANTINED = "quarantined"


_FATES: Final = {
    Place.WAITING: Fate.NOW,
    Place.PENDING_OFFLINE: Fate.OFFLINE,
    Place.SUCCEEDED: Fate.RUNNING,
}


@cache
def fate_of(facts: TargetFacts) -> Fate:
    """As fleets/rollouts/placing.py will place it; there are no more facts than a few flags."""
    place = place_target(facts).place
    if place is not Place.EXCLUDED:
        return _FATES[place]
    if not facts.is_managed:
        return Fate.OBSERVED
    return Fate.QUARANTINED if facts.accepts_config else Fate.UNABLE


Member = tuple[str, str]
"""Its name, and its uid as hexadecimal text, with dashes or without."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Members of the fleet that differ in nothing that is asked here but who they are.

    count: how many they are · those: tells who, asked for only where that matters · build: the hash of their
    components, "" while they report none · collector: its version, "" for one that is not known · attributes: of those
    that the strategy looks at.
    """

    facts: TargetFacts
    count: int
    those: Callable[[], Sequence[Member]]
    build: str = ""
    collector: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_connected(self) -> bool:
        """As sized() asks."""
        return self.facts.is_connected

    @property
    def gets_it(self) -> bool:
        """As sized() asks."""
        return gets_it(self.facts)

    @property
    def fate(self) -> Fate:
        """What a rollout does with each."""
        return fate_of(self.facts)

    @property
    def uids(self) -> Iterable[bytes]:
        """As sized() draws by them."""
        every = bytes.fromhex("".join([uid for _, uid in self.those()]).replace("-", ""))
        return (every[at : at + 16] for at in range(0, len(every), 16))


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged besides the members.

    before: what the fleet's stable version needs, None without one · builds: what each build offers, by hash ·
    underway: the rollout that this one would end, as people name it · is_open: whether the change window is · has_run:
    a rollout brought a collector this text, and it was well · by_version: what is wrong with it on collectors of one
    version · catalog: of the collectors that get it, None where they are of several versions.
    """

    strategy: Strategy
    needs: Needs
    before: Needs | None = None
    builds: Mapping[str, frozenset[Component]] = field(default_factory=dict)
    underway: str = ""
    is_open: bool = True
    has_run: bool = False
    by_version: Mapping[str, Sequence[Said]] = field(default_factory=dict)
    catalog: Catalog | None = None
