"""PURE. Defaults out of a configuration that a collector printed, and keys that its schema forgot."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from configs.collector.catalog_types import Field, FieldType
from configs.collector.equality import nanoseconds

_REDACTED = "[REDACTED]"


def with_defaults(field: Field, printed: Any) -> Field:
    """The settings with what a collector printed for a component that was given none.

    A key that the schema does not have is added, of the type that it was printed in, which also is that of a setting
    whose type the schema does not tell.
    """
    if replace(field, default=None) == Field() and not isinstance(printed, Mapping | list):
        field = Field(_type_of(printed))
    if not isinstance(printed, Mapping) or field.type not in {FieldType.MAP, FieldType.ANY}:
        return field if field.type is FieldType.MAP else _with_default(field, printed)
    if field.type is FieldType.ANY or (field.items is not None and not field.fields):
        return field
    new = {name: Field(_type_of(one)) for name, one in printed.items() if name not in field.fields}
    fields = {
        name: with_defaults(one, printed[name]) if name in printed else one
        for name, one in {**field.fields, **new}.items()
    }
    return replace(field, fields=fields)


def _with_default(field: Field, printed: Any) -> Field:
    is_told = isinstance(printed, bool | int | float | str) and printed != _REDACTED
    if not is_told or field.is_secret:
        return field
    return replace(field, default=_short(printed) if field.type is FieldType.DURATION else printed)


def _short(duration: Any) -> Any:
    """A duration as people write it: Go prints 1m0s for 1m."""
    if not isinstance(duration, str):
        return duration
    for long, short in (("m0s", "m"), ("h0m", "h")):
        if duration.endswith(long):
            duration = duration.removesuffix(long) + short
    return duration


def _type_of(printed: Any) -> FieldType:
    match printed:
        case bool():
            return FieldType.TRUTH
        case int():
            return FieldType.INTEGER
        case float():
            return FieldType.NUMBER
        case list():
            return FieldType.LIST
        case Mapping():
            return FieldType.MAP
        case str() if printed != _REDACTED:
            return FieldType.TEXT if nanoseconds(printed) is None else FieldType.DURATION
        case _:
            return FieldType.ANY
