"""PURE. A component's settings held against what the catalog knows of them (rules P02, P03, P08, P17 to P19)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from configs.collector.catalog_types import Component, Field, FieldType
from configs.collector.equality import nanoseconds
from configs.collector.findings import Fix, Severity
from configs.collector.rules.edits import Edits
from configs.collector.rules.hit import Hit, place, shown
from configs.collector.values import Expansion, Path, Scalar, Time, Value

Fault = tuple[str, Hit]
"""Rule and place."""
_NUMBERS: Final = frozenset({FieldType.INTEGER, FieldType.UNSIGNED, FieldType.NUMBER})
_WORDS: Final[Mapping[FieldType, str]] = {
    FieldType.MAP: "a map",
    FieldType.LIST: "a list",
    FieldType.TEXT: "a text",
    FieldType.INTEGER: "a whole number",
    FieldType.UNSIGNED: "a whole number, not below 0",
    FieldType.NUMBER: "a number",
    FieldType.TRUTH: "true or false",
    FieldType.DURATION: "a duration such as 30s or 1h30m",
}


@dataclass(frozen=True, slots=True)
class SchemaWalk:
    """Finds faults in one component. Only where its settings are known for certain they are errors."""

    known: Component
    edits: Edits

    def faults(self, body: Value, path: Path) -> Iterator[Fault]:
        """All of them, in the order of the settings."""
        if self.known.config is not None:
            yield from self._inside(body, self.known.config, path)

    def _inside(self, value: Value, field: Field, path: Path) -> Iterator[Fault]:
        if isinstance(value, Expansion) or field.type is FieldType.ANY:
            return  # what a reference stands for is known on the host alone
        if isinstance(value, Mapping) and field.type is FieldType.MAP:
            yield from self._map(value, field, path)
        elif isinstance(value, tuple) and field.type is FieldType.LIST:
            for at, one in enumerate(value):
                yield from self._inside(one, field.items or Field(), (*path, at))
        elif value is None and field.type is FieldType.MAP:
            yield from self._missing({}, field, path)
        elif value is not None and _takes_pairs(field):
            yield from self._pairs(value, field.items or Field(), path)
        elif isinstance(value, Mapping | tuple) and (not field.is_loose or field.enum):
            yield self._fault(
                "P08", f"{self._of(path)} takes {_WORDS[field.type]}.", path, on_key=True
            )
        elif isinstance(value, Scalar) and value is not None and not field.is_loose:
            yield from self._scalar(value, field, path)

    def _pairs(self, value: Value, item: Field, path: Path) -> Iterator[Fault]:
        """A list of maps, each a name with its value, in the place of a map."""
        pair = Field(FieldType.MAP, fields={"name": Field(FieldType.TEXT), "value": item})
        if isinstance(value, tuple):
            for at, one in enumerate(value):
                yield from self._inside(one, pair, (*path, at))
        else:
            message = f"{self._of(path)} takes a map, or a list of maps with name and value."
            yield self._fault("P08", message, path, on_key=True)

    def _map(self, value: Mapping[str, Value], field: Field, path: Path) -> Iterator[Fault]:
        for key, one in value.items():
            inner, here = field.fields.get(key) or field.items, (*path, key)
            if inner is not None:
                if inner.deprecated:
                    yield self._deprecated(inner, here)
                yield from self._inside(one, inner, here)
            elif field.fields and not field.is_open:
                yield self._unknown(key, field, here)
        yield from self._missing(value, field, path)

    def _missing(self, value: Mapping[str, Value], field: Field, path: Path) -> Iterator[Fault]:
        for key, inner in field.fields.items():
            if inner.is_required and value.get(key) is None:
                yield self._fault(
                    "P18", f"{self._of(path)} needs {key}. Add it.", path, on_key=True
                )

    def _unknown(self, key: str, field: Field, path: Path) -> Fault:
        close = get_close_matches(key.lower(), field.fields, n=1)
        fix = self.edits.renamed(f"Write {close[0]}", path, close[0]) if close else None
        if close and close[0] == key.lower():
            message = f"Keys are case-sensitive: write {close[0]} instead of {shown(key)}."
            return self._fault("P03", message, path, on_key=True, fix=fix)
        hint = f"Did you mean {close[0]}?" if close else f"Known are {_listed(field)}."
        message = f"{self.known.type} knows no key {shown(key)} here. {hint}"
        return self._fault("P02", message, path, on_key=True, fix=fix)

    def _deprecated(self, field: Field, path: Path) -> Fault:
        # Its own name is that of a setting elsewhere, which schemas do not tell.
        is_moved = field.deprecated == path[-1]
        instead = "It has another place now" if is_moved else f"Use {field.deprecated}"
        message = f"{self._of(path)} is deprecated. {instead}."
        return "P19", Hit(message, path, True, Severity.WARNING)

    def _scalar(self, value: Scalar, field: Field, path: Path) -> Iterator[Fault]:
        if field.type is FieldType.LIST and isinstance(value, str) and _takes_texts(field):
            return  # divided at its commas
        if field.type is FieldType.DURATION and _is_number(value):
            yield from self._nanoseconds(value, path)
        elif not _fits(value, field.type):
            yield self._wrong_type(value, field, path)
        elif field.enum and isinstance(value, str) and value not in field.enum:
            yield self._not_among(value, field, path)
        elif _is_number(value):
            yield from self._out_of_range(value, field, path)

    def _nanoseconds(self, value: Scalar, path: Path) -> Iterator[Fault]:
        if value == 0:
            return
        message = f"{self._of(path)} is {value} nanoseconds. Write a unit, such as {value}s."
        fix = self.edits.replaced(f"Write {value}s", path, f"{value}s")
        yield "P08", Hit(message, path, severity=Severity.WARNING, fix=fix)

    def _wrong_type(self, value: Scalar, field: Field, path: Path) -> Fault:
        if isinstance(value, float) and field.type in _NUMBERS:
            message = f"{self._of(path)} takes {_WORDS[field.type]}: the fraction is cut off. Write a whole number."
            return "P08", Hit(message, path, severity=Severity.WARNING)
        message = f"{self._of(path)} takes {_WORDS[field.type]}."
        return self._fault("P08", message, path, fix=self._retyped(value, field, path))

    def _retyped(self, value: Scalar, field: Field, path: Path) -> Fix | None:
        if field.type is FieldType.TEXT and not isinstance(value, bool):
            return self.edits.quoted("Put it in quotes", path)
        if isinstance(value, str) and field.type in _NUMBERS and value.isdecimal():
            return self.edits.replaced("Take the quotes off", path, value, raw=True)
        if isinstance(value, str) and field.type is FieldType.TRUTH and value.lower() in _TRUTHS:
            word = _TRUTHS[value.lower()]
            return self.edits.replaced(f"Write {word}", path, word, raw=True)
        return None

    def _not_among(self, value: str, field: Field, path: Path) -> Fault:
        close = get_close_matches(value.lower(), field.enum, n=1)
        fix = self.edits.replaced(f"Write {close[0]}", path, close[0]) if close else None
        words = ", ".join(filter(None, field.enum))  # "" means: not set
        return self._fault("P17", f"{self._of(path)} is one of {words}.", path, fix=fix)

    def _out_of_range(self, value: Scalar, field: Field, path: Path) -> Iterator[Fault]:
        assert isinstance(value, int | float)
        if field.minimum is not None and value < field.minimum:
            yield self._fault("P17", f"{self._of(path)} is at least {field.minimum:g}.", path)
        if field.maximum is not None and value > field.maximum:
            yield self._fault("P17", f"{self._of(path)} is at most {field.maximum:g}.", path)

    def _of(self, path: Path) -> str:
        return place(path[1:])

    def _fault(
        self, rule: str, message: str, path: Path, *, on_key: bool = False, fix: Fix | None = None
    ) -> Fault:
        severity = Severity.ERROR if self.known.is_verified else Severity.WARNING
        return rule, Hit(message, path, on_key, severity, fix)


_TRUTHS: Final = {
    "yes": "true",
    "on": "true",
    "true": "true",
    "no": "false",
    "off": "false",
    "false": "false",
}
_MOST_LISTED: Final = 12


def _listed(field: Field) -> str:
    names = list(field.fields)
    return ", ".join(names[:_MOST_LISTED]) + (" …" if len(names) > _MOST_LISTED else "")


def _takes_texts(field: Field) -> bool:
    return field.items is None or field.items.type in {FieldType.TEXT, FieldType.ANY}


def _takes_pairs(field: Field) -> bool:
    """Whether it is a map of any names that may be written as a list."""
    is_map = field.type is FieldType.MAP and field.items is not None and not field.fields
    return is_map and field.is_loose


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fits(value: Scalar, wanted: FieldType) -> bool:
    """Whether a single value is of a type; collectors convert nothing (P08)."""
    match wanted:
        case FieldType.TEXT:
            return isinstance(value, str) and not isinstance(value, Time)
        case FieldType.TRUTH:
            return isinstance(value, bool)
        case FieldType.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case FieldType.UNSIGNED:
            return isinstance(value, int) and not isinstance(value, bool) and value >= 0
        case FieldType.NUMBER:
            return _is_number(value)
        case FieldType.DURATION:
            return isinstance(value, str) and nanoseconds(value) is not None
        case _:
            return False
