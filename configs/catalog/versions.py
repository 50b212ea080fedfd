"""PURE. Versions of collectors: their order, and which one is nearest to another."""

import re
from collections.abc import Iterable
from typing import Final

_VERSION: Final = re.compile(r"v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:[-+].*)?")

_MOST: Final = 10_000
"""More than any part of a version is."""

Number = tuple[int, int, int]


def number_of(version: str) -> Number | None:
    """The three numbers of `0.158.0` or `v0.158.0-rc.1`; None for another text."""
    found = _VERSION.fullmatch(version.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def newest_first(versions: Iterable[str]) -> tuple[str, ...]:
    """Versions in order; other texts are left out."""
    numbered = {one: number for one in versions if (number := number_of(one)) is not None}
    return tuple(sorted(numbered, key=numbered.__getitem__, reverse=True))


def nearest_of(version: str, known: Iterable[str]) -> str | None:
    """The known version that is nearest by its numbers, the older of two; None when none is known."""
    wanted = number_of(version)
    there = newest_first(known)
    if wanted is None or not there:
        return there[0] if there else None
    return min(reversed(there), key=lambda one: distance(version, one))


def distance(one: str, other: str) -> int:
    """How far two versions are from each other; of no use but to compare. Texts that are no versions are at 0.0.0."""
    return abs(_place(one) - _place(other))


def _place(version: str) -> int:
    major, minor, patch = number_of(version) or (0, 0, 0)
    return (major * _MOST + minor) * _MOST + patch
