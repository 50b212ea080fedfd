"""PURE. What is known about the components of one collector version, as values: a catalog is built elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
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
    · is_open: a map that takes other keys than `fields` too · is_loose: values of another type, or other words than
    those of `enum`, may be taken too; but no map or list in the place of such a word, and in that of a map with
    `items` alone only a list of maps · default: None when there is none or it is not known · enum: the words it takes
    · minimum, maximum: of a number · deprecated: what to use instead, "" when it is not.
    """

    type: FieldType = FieldType.ANY
    fields: Mapping[str, "Field"] = field(default_factory=dict)
    items: "Field | None" = None
    is_open: bool = False
    is_loose: bool = False
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
    gate without which it does not run · doc_url: its page · module: the Go module that holds it · distributions: those
    that have it · facts_from, settings_from: the version that names and stability, or the settings, are taken from
    when this version's own could not be had, "" when they are its own.
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
    module: str = ""
    distributions: tuple[str, ...] = ()
    facts_from: str = ""
    settings_from: str = ""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The components of a collector version.

    is_complete: it lists all that the distribution has, so that any other type is certainly unknown to it · unnamed:
    what else is in it, by the names of modules without underlines, since nobody told the types · sources: where the
    facts are from.
    """

    version: str
    components: Mapping[Kind, Mapping[str, Component]]
    distribution: str = ""
    is_complete: bool = False
    unnamed: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    by_alias: Mapping[tuple[Kind, str], Component] = field(init=False, repr=False)
    by_bare: Mapping[tuple[Kind, str], Component] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the aliases, and names that are another version's: 2026's have underlines where older ones had none."""
        every = tuple(self.every())
        aliases = {(one.kind, alias): one for one in every for alias in one.aliases}
        bare = {(one.kind, _bare(one.type)): one for one in every if one.facts_from}
        object.__setattr__(self, "by_alias", aliases)
        object.__setattr__(self, "by_bare", bare)

    def find(self, kind: Kind, name: str) -> Component | None:
        """The component of a type, by its present or an older name."""
        by_name = self.components.get(kind, {}).get(name)
        return by_name or self.by_alias.get((kind, name)) or self.by_bare.get((kind, _bare(name)))

    def may_have(self, kind: Kind, name: str) -> bool:
        """Whether the distribution may know this type."""
        is_unnamed = _bare(name) in self.unnamed.get(kind, ())
        return not self.is_complete or is_unnamed or self.find(kind, name) is not None

    def types(self, kind: Kind) -> tuple[str, ...]:
        """The present names of a kind's components."""
        return tuple(self.components.get(kind, {}))

    def every(self) -> Iterator[Component]:
        """All components, by kind and in their order."""
        for members in self.components.values():
            yield from members.values()

    def for_another_version(self) -> "Catalog":
        """The same for collectors of a version near it: nothing in it is certain there."""
        loosened = {
            kind: {name: replace(one, is_verified=False) for name, one in members.items()}
            for kind, members in self.components.items()
        }
        return replace(self, components=loosened, is_complete=False)


def _bare(name: str) -> str:
    return name.replace("_", "")
