"""PURE. Catalogs as bytes and back: gzipped JSON with every distinct field once, opened when somebody looks at it."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from configs.catalog.errors import CatalogError
from configs.catalog.links import page_of
from configs.collector.catalog_types import Catalog, Component, Field, FieldType, Stability
from configs.collector.names import Kind

FORMAT: Final = 1
_PLAIN: Final = Field()
_FLAGS: Final[Mapping[str, str]] = {
    "is_open": "open",
    "is_loose": "loose",
    "is_required": "required",
    "is_secret": "secret",
}
_VALUES: Final = ("default", "minimum", "maximum", "deprecated")
_KEPT: Final[Mapping[str, str]] = {**_FLAGS, **{name: name for name in _VALUES}}
"""Attributes of a field, and their names in the file."""
_TEXTS: Final = ("deprecated", "gate", "module", "facts_from", "settings_from")


def as_bytes(catalog: Catalog) -> bytes:
    """The same bytes for the same catalog."""
    numbers = _Numbers()
    components = {
        kind.value: [
            _component(one, numbers) for _, one in sorted(catalog.components.get(kind, {}).items())
        ]
        for kind in Kind
    }
    document = {
        "format": FORMAT,
        "version": catalog.version,
        "distribution": catalog.distribution,
        "complete": catalog.is_complete,
        "unnamed": {kind: sorted(names) for kind, names in sorted(catalog.unnamed.items())},
        "sources": list(catalog.sources),
        "components": components,
        "fields": numbers.written,
    }
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return gzip.compress(text.encode(), mtime=0)


def from_bytes(data: bytes) -> Catalog:
    """The catalog in these bytes. Raises CatalogError for anything else."""
    try:
        document = json.loads(gzip.decompress(data))
        if document["format"] != FORMAT:
            raise CatalogError(f"It has format {document['format']}; this version reads {FORMAT}.")
        return _catalog(document)
    except (
        OSError,
        EOFError,
        zlib.error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as fault:
        raise CatalogError("This is no catalog: build it again.") from fault


class _Numbers:
    """Gives each distinct field a number; those inside come first."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []
        self._known: dict[str, int] = {}

    def of(self, field: Field) -> int:
        body = self._body(field)
        key = json.dumps(body, sort_keys=True)
        if key not in self._known:
            self._known[key] = len(self.written)
            self.written.append(body)
        return self._known[key]

    def _body(self, field: Field) -> dict[str, Any]:
        body: dict[str, Any] = {"type": field.type.value}
        if field.fields:
            body["fields"] = {name: self.of(one) for name, one in sorted(field.fields.items())}
        if field.items is not None:
            body["items"] = self.of(field.items)
        if field.enum:
            body["enum"] = list(field.enum)
        body.update({word: True for name, word in _FLAGS.items() if getattr(field, name)})
        set_ = {name: getattr(field, name) for name in _VALUES}
        body.update({name: one for name, one in set_.items() if one != getattr(_PLAIN, name)})
        return body


def _component(one: Component, numbers: _Numbers) -> dict[str, Any]:
    body: dict[str, Any] = {"type": one.type}
    if one.aliases:
        body["aliases"] = sorted(one.aliases)
    if one.signals:
        body["signals"] = {signal: level.value for signal, level in one.signals.items()}
    if one.pairs:
        body["pairs"] = [[*pair, level.value] for pair, level in sorted(one.pairs.items())]
    if one.stability is not None:
        body["stability"] = one.stability.value
    if one.config is not None:
        body["config"] = numbers.of(one.config)
    if one.is_verified:
        body["verified"] = True
    if one.distributions:
        body["distributions"] = list(one.distributions)
    body.update({name: value for name in _TEXTS if (value := getattr(one, name))})
    return body


def _catalog(document: Mapping[str, Any]) -> Catalog:
    table = _Table(document["fields"])
    return Catalog(
        version=document["version"],
        distribution=document["distribution"],
        is_complete=document["complete"],
        unnamed={Kind(kind): frozenset(names) for kind, names in document["unnamed"].items()},
        sources=tuple(document["sources"]),
        components={
            kind: {
                one["type"]: _component_of(kind, one, table, document["version"])
                for one in document["components"][kind.value]
            }
            for kind in Kind
        },
    )


def _component_of(kind: Kind, body: Mapping[str, Any], table: "_Table", version: str) -> Component:
    page = page_of(body.get("module", ""), body.get("facts_from") or version)
    stability, config = body.get("stability"), body.get("config")
    return Component(
        kind,
        body["type"],
        aliases=frozenset(body.get("aliases", ())),
        signals={name: Stability(one) for name, one in body.get("signals", {}).items()},
        pairs={(one, other): Stability(level) for one, other, level in body.get("pairs", ())},
        stability=None if stability is None else Stability(stability),
        config=None if config is None else table.field(config),
        is_verified=body.get("verified", False),
        doc_url=page,
        distributions=tuple(body.get("distributions", ())),
        **{name: body[name] for name in _TEXTS if name in body},
    )


class _Table:
    """The fields by their numbers. Each is made when somebody looks at it."""

    def __init__(self, bodies: list[Mapping[str, Any]]) -> None:
        self._bodies = bodies
        self._made: dict[int, Field] = {}

    def field(self, number: int) -> Field:
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = self._field(self._bodies[number])
        return made

    def _field(self, body: Mapping[str, Any]) -> Field:
        fields, items = body.get("fields"), body.get("items")
        return Field(
            FieldType(body["type"]),
            fields=_Unopened(fields, self) if fields else {},
            items=None if items is None else self.field(items),
            enum=tuple(body.get("enum", ())),
            **{name: body[word] for name, word in _KEPT.items() if word in body},
        )


class _Unopened(Mapping[str, Field]):
    """The fields of a map, which are made at the first look."""

    __slots__ = ("_made", "_numbers", "_table")

    def __init__(self, numbers: Mapping[str, int], table: _Table) -> None:
        self._numbers, self._table = numbers, table
        self._made: dict[str, Field] | None = None

    def _opened(self) -> dict[str, Field]:
        if self._made is None:
            self._made = {name: self._table.field(one) for name, one in self._numbers.items()}
        return self._made

    def __getitem__(self, name: str) -> Field:
        return self._opened()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def get(self, name: str, default: Any = None) -> Any:
        """The field of a name."""
        return self._opened().get(name, default)

    def items(self) -> Any:
        """Names with fields."""
        return self._opened().items()
