"""PURE. What is known about the collectors that a configuration is for; where nothing is known, rules are silent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from configs.collector.names import Kind


@dataclass(frozen=True, slots=True)
class Target:
    """The hosts and the organisation's policy.

    is_production: debugging output is out of place · replicas: how many collectors share the load, 1 when each works
    for itself · memory_mib: of the smallest host · components: types by kind that every build has, under present names
    · required_extensions: types without which nobody can manage the collector · gates: feature gates that are on
    · denied: (kind, type) that policy forbids · denied_schemes: of references, such as file or http · reported: (kind,
    type), under present names, that some build says it has, whatever the catalog lists.
    """

    is_production: bool = False
    replicas: int = 1
    memory_mib: int | None = None
    components: Mapping[Kind, Collection[str]] | None = None
    required_extensions: frozenset[str] = frozenset()
    gates: frozenset[str] = frozenset()
    denied: frozenset[tuple[Kind, str]] = field(default_factory=frozenset)
    denied_schemes: frozenset[str] = frozenset()
    reported: frozenset[tuple[str, str]] = frozenset()
