"""PURE. Whether two values mean the same to a collector, however they are written."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from configs.collector.references import unescaped
from configs.collector.values import Expansion, Scalar, Value, entries_of, is_map

HIDDEN: Final = frozenset({"[REDACTED]", "<redacted>"})
"""What collectors print instead of a secret, and what our own pages show."""

_DURATION: Final = re.compile(
    r"[-+]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)"
)
_STEP: Final = re.compile(r"([0-9.]+)(ns|us|µs|μs|ms|s|m|h)")
_UNITS: Final = (("ns", 1), ("us", 10**3), ("µs", 10**3), ("μs", 10**3), ("ms", 10**6))
_NANOSECONDS: Final = dict((*_UNITS, ("s", 10**9), ("m", 60 * 10**9), ("h", 3600 * 10**9)))
_TIMES: Final = re.compile(
    r"(?:^|_)(?:timeout|interval|duration|delay|period|wait|tick|ttl|age|elapsed_time|expiration|older_than|received"
    r"|lifetime|time)$"
)
_GO_PRINTS: Final = re.compile(r"-?(?:[0-9]+h)?(?:[0-9]+m)[0-9.]+s|-?[0-9]+\.[0-9]+(?:s|ms|µs)")
_CASELESS: Final = frozenset({"level", "verbosity"})
"""Keys whose words collectors print in another case than people write them: `normal`, `Normal`."""
_LONGEST: Final = 40
_MOST: Final = 1e19


def is_same_scalar(one: Scalar, other: Scalar, key: str = "", *, is_certain: bool = False) -> bool:
    """Whether two single values mean the same below this key; is_certain: as for is_same."""
    if one == other and isinstance(one, bool) == isinstance(other, bool):
        return True
    if not is_certain and (_is_hidden(one) or _is_hidden(other)):
        return True
    if isinstance(one, Expansion) or isinstance(other, Expansion):
        return _is_same_text(one, other) if is_certain else _may_be_same(one, other)
    if isinstance(one, str) and isinstance(other, str):
        if key in _CASELESS and one.lower() == other.lower():
            return True
        if is_certain and unescaped(one) == unescaped(other):
            return True
    return _is_same_time(one, other, key)


def is_same(one: Value, other: Value, key: str = "", *, is_certain: bool = False) -> bool:
    """Whether two values mean the same below this key.

    is_certain: both are texts of people, and mean the same whatever the hosts are like. Else one of them is what a
    collector prints: what is hidden equals anything, and so does what a reference may turn out to be.
    """
    if not is_certain and (_is_anything(one, beside=other) or _is_anything(other, beside=one)):
        return True
    if is_map(one) and is_map(other):
        left, right = entries_of(one), entries_of(other)
        return left.keys() == right.keys() and all(
            is_same(left[name], right[name], name, is_certain=is_certain) for name in left
        )
    if isinstance(one, tuple) and isinstance(other, tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(
            is_same(left, right, key, is_certain=is_certain) for left, right in pairs
        )
    if isinstance(one, tuple | Mapping) or isinstance(other, tuple | Mapping):
        return False
    return is_same_scalar(one, other, key, is_certain=is_certain)


def nanoseconds(value: Scalar) -> Decimal | None:
    """A duration as Go writes it (`1h30m`), or a bare number, which counts nanoseconds; None for all else."""
    if isinstance(value, bool) or value is None or isinstance(value, Expansion):
        return None
    if isinstance(value, int | float):
        return Decimal(value) if abs(value) < _MOST else None
    if len(value) > _LONGEST or not _DURATION.fullmatch(value):
        return None
    try:
        total = sum(Decimal(number) * _NANOSECONDS[unit] for number, unit in _STEP.findall(value))
    except InvalidOperation:
        return None
    return Decimal(-total if value.startswith("-") else total)


def _is_anything(value: Value, *, beside: Value) -> bool:
    """Whether it is one reference, where the other value is none."""
    is_whole = isinstance(value, Expansion) and value.is_whole
    return is_whole and not isinstance(beside, Expansion)


def _is_same_text(one: Scalar, other: Scalar) -> bool:
    """`${X}` is `${env:X}`, `$$` is the `$` that begins nothing."""
    if not isinstance(one, Expansion) or not isinstance(other, Expansion):
        return False
    return _parts(one) == _parts(other)


def _parts(text: Expansion) -> list[str | tuple[str, str, str | None]]:
    return [
        unescaped(part) if isinstance(part, str) else (part.scheme, part.target, part.default)
        for part in text.parts
    ]


def _is_hidden(value: Scalar) -> bool:
    return isinstance(value, str) and value in HIDDEN


def _may_be_same(one: Scalar, other: Scalar) -> bool:
    if isinstance(one, Expansion) and isinstance(other, Expansion):
        return one.text == other.text
    expansion, known = (one, other) if isinstance(one, Expansion) else (other, one)
    assert isinstance(expansion, Expansion)
    return expansion.is_whole or (isinstance(known, str) and expansion.may_be(known))


def _is_same_time(one: Scalar, other: Scalar, key: str) -> bool:
    """Only where it is certain that a time is meant: by the key, or since Go alone writes times so (`1m0s`)."""
    is_time = _TIMES.search(key) or any(
        isinstance(value, str) and _GO_PRINTS.fullmatch(value) for value in (one, other)
    )
    if not is_time:
        return False
    left, right = nanoseconds(one), nanoseconds(other)
    return left is not None and left == right
