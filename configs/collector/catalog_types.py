"""PURE. What is known about the components of one collector version, as values: a catalog is built elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from configs.collector.names import Kind
from configs.collector.values import Scalar


class FieldType(StrEnum):
    """What a field takes. A duration is a text as Go writes it; ANY is for what is not known."""

    MAP = "map"
    LIST = "list"
    TEXT = "string"
    INTEGER = "int"
    UNSIGNED = "uint"
    NUMBER = "float"
    TRUTH = "bool"
    DURATION = "duration"
    ANY = "any"


class Stability(StrEnum):
    """How far a component is for a signal, in the words of the collector."""

    DEVELOPMENT = "development"
    ALPHA = "alpha"
    BETA = "beta"
    STABLE = "stable"
    DEPRECATED = "deprecated"
    UNMAINTAINED = "unmaintained"


NOT_RELIABLE: Final = frozenset(
    {Stability.DEVELOPMENT, Stability.DEPRECATED, Stability.UNMAINTAINED}
)


@dataclass(frozen=True, slots=True)
class Field:
    """A setting, and what is inside it.

    fields: the known keys of a map · items: what the items of a list are, or the values of a map with keys of any name
    · is_open: a map that takes other keys than `fields` too · default: None when there is none or it is not known
    · enum: the words it takes · minimum, maximum: of a number · deprecated: what to use instead, "" when it is not.
    """

    type: FieldType = FieldType.ANY
    fields: Mapping[str, "Field"] = field(default_factory=dict)
    items: "Field | None" = None
    is_open: bool = False
    default: Scalar = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    is_required: bool = False
    is_secret: bool = False
    deprecated: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a version.

    type: its present name in this version · aliases: older names that it is accepted by, with a warning in the
    collector's log · signals: signal -> stability, of receivers, processors and exporters · pairs: (from, to) ->
    stability, of connectors · stability: of an extension · config: its settings, None when they are not known
    · is_verified: the settings are known to be complete, so that another key is certainly wrong · gate: the feature
    gate without which it does not run · doc_url: its page.
    """

    kind: Kind
    type: str
    aliases: frozenset[str] = frozenset()
    signals: Mapping[str, Stability] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], Stability] = field(default_factory=dict)
    stability: Stability | None = None
    config: Field | None = None
    is_verified: bool = False
    deprecated: str = ""
    gate: str = ""
    doc_url: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The components of a collector version.

    is_complete: it lists all that the distribution has, so that any other type is certainly unknown to it.
    """

    version: str
    components: Mapping[Kind, Mapping[str, Component]]
    distribution: str = ""
    is_complete: bool = False
    by_alias: Mapping[tuple[Kind, str], Component] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the aliases."""
        aliases = {
            (kind, alias): one
            for kind, members in self.components.items()
            for one in members.values()
            for alias in one.aliases
        }
        object.__setattr__(self, "by_alias", aliases)

    def find(self, kind: Kind, name: str) -> Component | None:
        """The component of a type, by its present or an older name."""
        return self.components.get(kind, {}).get(name) or self.by_alias.get((kind, name))

    def types(self, kind: Kind) -> tuple[str, ...]:
        """The present names of a kind's components."""
        return tuple(self.components.get(kind, {}))
