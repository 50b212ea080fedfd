"""How much memory a value takes: the write buffer's bytes (A5). Pure."""

from datetime import datetime
from enum import Enum
from sys import getsizeof
from typing import Any, Final
from uuid import UUID

from opamp.protocol.limits import Limits

_FEW: Final = (Enum, bool, int, float, datetime, UUID, Limits, type(None))
"""Of these there are few, or they are so small that the size of what holds them is enough."""
_HELD: Final[dict[type, tuple[str, ...] | None]] = {}
"""The attributes that hold the parts of an object, by its type; None for those of _FEW."""


def weight(value: Any) -> int:
    """The bytes of a tree of objects with slots, dicts, lists and tuples; each object counts once.

    The size of a message says little about it: what is kept of a tree of empty components is 36 times as large, of a
    text with one emoji four times, of a plain body as large (measured).
    """
    total, seen, left = 0, set[int](), [value]
    for one in left:  # it grows meanwhile
        kind = type(one)
        if kind is str:  # too many to remember them
            total += getsizeof(one) if one else 0  # there is one empty text
            continue
        held = _HELD[kind] if kind in _HELD else _held(kind)
        if held is None or id(one) in seen:
            continue
        seen.add(id(one))
        total += getsizeof(one)
        if kind is dict:
            left += one
            left += one.values()
        elif kind is tuple or kind is list:
            left += one
        else:
            left += [getattr(one, name) for name in held]
    return total


def _held(kind: type) -> tuple[str, ...] | None:
    names = None if issubclass(kind, _FEW) else tuple(getattr(kind, "__slots__", ()))
    _HELD[kind] = names
    return names
