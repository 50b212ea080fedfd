"""PURE. Settings as fields, from config.schema.yaml and the definitions in metadata.yaml."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

from configs.catalog.building.gotypes import CUSTOM, MORE, TAKES, WORDS
from configs.catalog.building.places import WHOLE, Place, place_of
from configs.collector.catalog_types import Field, FieldType
from configs.collector.values import Scalar

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Published:
    """What a package publishes of its settings; None for a file that it has not."""

    schema: Document | None = None
    metadata: Document | None = None

    @property
    def has_settings(self) -> bool:
        """Whether it says anything of settings."""
        metadata = self.metadata or {}
        return self.schema is not None or "config" in metadata or "exported_configs" in metadata

    def definition(self, name: str) -> Document | None:
        """A definition by its name. Those of metadata.yaml say more."""
        exported = _map((self.metadata or {}).get("exported_configs")).get(name)
        defined = _map((self.schema or {}).get("$defs")).get(name)
        for one in (exported, defined):
            if isinstance(one, Mapping):
                return one
        return self.whole() if name == WHOLE else None

    def whole(self) -> Document | None:
        """The settings of the package's component."""
        own = (self.metadata or {}).get("config")
        if isinstance(own, Mapping):
            return own
        has_root = self.schema is not None and not _ROOTS.isdisjoint(self.schema)
        return self.schema if has_root else None


_ROOTS: Final = frozenset({"type", "properties", "allOf", "$ref", "additionalProperties"})
_GENERATED: Final = "internal/metadata"
"""Where generated settings of a package are, should it have none of its own: which metrics are on."""
_BUILDERS: Final = ("metrics_builder_config", "logs_builder_config")
_ENABLED: Final = Field(FieldType.TRUTH)
_OLD: Final = re.compile(r"\W*deprecated\b", re.IGNORECASE)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD: Final = re.compile(r"\w+")
_DEEPEST: Final = 24
_SOMETHING_ELSE: Final = "what its documentation names"


class Schemas:
    """Makes fields of what packages publish. Each definition is made once.

    read: what a package publishes, by its Go import path; None when it cannot be had.
    """

    def __init__(self, read: Callable[[str], Published | None]) -> None:
        self._read = read
        self._made: dict[Place, Field] = {}
        self._open: list[Place] = []

    def settings_of(self, package: str) -> Field | None:
        """All settings of a component; None when its package publishes none."""
        published = self._read(package)
        whole = published.whole() if published else None
        if whole is None:
            return None
        made = self._field(whole, package)
        return made if made.type is FieldType.MAP else replace(made, type=FieldType.MAP)

    def _at(self, place: Place) -> Field:
        if place in self._made:
            return self._made[place]
        if place in TAKES:
            return TAKES[place]
        if place in self._open or len(self._open) > _DEEPEST:
            return Field()  # a definition that holds itself has no end
        self._open.append(place)
        made = self._defined(place)
        self._open.pop()
        if place in MORE:
            made = replace(made, is_loose=True)
        self._made[place] = made
        return made

    def _defined(self, place: Place) -> Field:
        published = self._read(place.package)
        found = published.definition(place.name) if published else None
        if found is not None:
            return self._field(found, place.package)
        return self._generated(place) if place.name == WHOLE else Field()

    def _generated(self, place: Place) -> Field:
        """What mdatagen made for a package that says nothing itself; it takes more than that."""
        package = f"{place.package}/{_GENERATED}"
        published = self._read(package)
        names = _map((published.schema if published else None) or {}).get("$defs") or {}
        parts = [self._at(Place(package, one)) for one in _BUILDERS if one in names]
        return (
            replace(_together([Field(FieldType.MAP), *parts]), is_open=True) if parts else Field()
        )

    def _field(self, node: Document, package: str) -> Field:
        made = _together([self._own(node, package), *self._embedded(node, package)])
        is_optional = node.get("x-optional") is True or node.get("optional") is True
        if is_optional and made.type is FieldType.MAP and made.fields:
            made = replace(made, fields={"enabled": _ENABLED, **made.fields})
        return _refined(made, node)

    def _embedded(self, node: Document, package: str) -> Iterator[Field]:
        """Structs inside that lend their fields; one that is not known leaves the map open."""
        named = (
            one for one in map(_map, _map(node.get("properties")).values()) if _is_embedded(one)
        )
        for one in (*_list(node.get("allOf")), *named):
            part = self._field(_map(one), package)
            yield part if part.type is FieldType.MAP else Field(FieldType.MAP, is_open=True)

    def _own(self, node: Document, package: str) -> Field:
        if isinstance(node.get("$ref"), str):
            return self._at(place_of(node["$ref"], package))
        custom, word = str(node.get("x-customType")), str(node.get("type"))
        if custom in CUSTOM:
            return CUSTOM[custom]
        if node.get("format") == "duration":
            return CUSTOM["time.Duration"]
        basis = WORDS.get(word) or _guessed(node)
        if basis.type is FieldType.MAP:
            return self._map(node, package)
        items = node.get("items", node.get("values"))
        if basis.type is FieldType.LIST and isinstance(items, Mapping):
            return replace(basis, items=self._field(items, package))
        return basis

    def _map(self, node: Document, package: str) -> Field:
        every = _map(node.get("properties"))
        properties = {name: one for name, one in every.items() if not _is_embedded(_map(one))}
        # A name with a capital is a field of Go that takes what is left over.
        names = [name for name in properties if not name[:1].isupper()]
        required = _list(node.get("required"))
        fields = {
            name: replace(
                self._field(_map(properties[name]), package),
                is_required=name in required,
                deprecated=_deprecated(_map(properties[name]), names),
            )
            for name in names
        }
        rest = node.get("additionalProperties", node.get("values"))
        items = self._field(rest, package) if isinstance(rest, Mapping) else None
        is_open = rest is True or len(names) < len(properties)
        return Field(FieldType.MAP, fields=fields, items=items, is_open=is_open)


def _is_embedded(node: Document) -> bool:
    """Whether a property lends its fields to the map it stands in (`embed`, in metadata.yaml)."""
    return node.get("embed") is True


def _guessed(node: Document) -> Field:
    is_map = "properties" in node or "allOf" in node
    return Field(FieldType.MAP) if is_map else Field()


def _together(parts: Iterable[Field]) -> Field:
    """One field of several: their keys together."""
    return reduce(_with, parts)


def _with(one: Field, other: Field) -> Field:
    if one.type is FieldType.ANY:
        return other if other.fields else one
    return replace(
        one,
        fields={**other.fields, **one.fields},
        items=one.items or other.items,
        is_open=one.is_open or other.is_open,
        is_loose=one.is_loose or other.is_loose,
    )


def _refined(made: Field, node: Document) -> Field:
    """With what the node says about this use."""
    words = tuple(one for one in _list(node.get("enum")) if isinstance(one, str))
    default = node.get("default")
    return replace(
        made,
        enum=words or made.enum,
        default=default if _is_scalar(default) and default is not None else made.default,
        minimum=_number(node.get("minimum"), made.minimum),
        maximum=_number(node.get("maximum"), made.maximum),
    )


def _deprecated(node: Document, beside: Iterable[str]) -> str:
    """What to use instead of a deprecated field: a name beside it that its description mentions."""
    text = node.get("description")
    if not isinstance(text, str) or not _OLD.match(text):
        return ""
    mentioned = {_HUMP.sub("_", word).lower() for word in _WORD.findall(text)}
    return next((name for name in beside if name in mentioned), _SOMETHING_ELSE)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, Scalar)


def _number(value: Any, otherwise: float | None) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else otherwise


def _map(value: Any) -> Document:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
