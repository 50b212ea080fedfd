"""Failures that have one cause, and what sets those that failed apart. Pure.

Four hundred collectors that fail say four hundred things: other process ids, addresses and orders of the same list.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Final
from uuid import UUID

from agents.lastwords import gist_of

_LONGEST: Final = 4_000
_HEX: Final = "[0-9a-fA-F]"
_GROUPS: Final = rf"{_HEX}{{1,4}}(?::{_HEX}{{1,4}})*"
_FOLDERS: Final = r"""(?:[^\\/:*?"<>|\r\n]+[\\/]+)*[\w.@+$~-]*"""
_MASKS: Final = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(rf"\b{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}\b"), "<id>"),
    (re.compile(rf"\b(?={_HEX}*\d){_HEX}{{12,}}\b|\b0x{_HEX}+\b"), "<id>"),
    (re.compile(rf"\[(?:{_HEX}{{0,4}}:){{2,}}[0-9a-fA-F.]*(?:%\w+)?\](?::\d+)?"), "<address>"),
    # IPv6 without brackets holds a digit and stands alone, unlike exporters::otlp.
    (
        re.compile(
            rf"(?<![\w:.>])(?=[0-9a-fA-F:]*\d)(?:(?:{_HEX}{{1,4}}:){{7}}{_HEX}{{1,4}}|(?:{_GROUPS})?::(?:{_GROUPS})?)"
            r"(?::\d{1,3}(?:\.\d{1,3}){3})?(?:%\w+)?(?::\d+)?(?!\w|\.\d|<)"
        ),
        "<address>",
    ),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:->\S+)?\b"), "<address>"),
    (re.compile(rf"(?<!\w)[A-Za-z]:[\\/]+{_FOLDERS}"), "<path>"),
    (re.compile(rf"(?<![\w\\])\\\\+[\w.$-]{{2,}}\\+{_FOLDERS}"), "<path>"),
    (re.compile(r"(?<![\w./>])\.{1,2}(?:/[\w.@+-]+)+/?"), "<path>"),
    (re.compile(r"(?<![\w.>])(?:/[\w.@+-]+){2,}/?"), "<path>"),
    # One alone, but no host behind // and no name behind a type, as in otlp/2.
    (re.compile(r"(?<![\w./>])/[\w.@+-]+/?"), "<path>"),
    # As Go prints them: 1m2.5s. Neither these nor numbers are names behind a type.
    (re.compile(r"(?<![\w.])(?<![a-z_]/)(?:\d+(?:\.\d+)?(?:h|ms|m|s|µs|ns))+\b"), "<duration>"),
    (
        re.compile(
            r"(?<![\w.])(?<![a-z_]/)(?:\d+\.\d+|\d[0-9a-f]*|(?<==)[a-f]+\d[0-9a-f]*)(?=\b|[a-zµ]{1,2}\b)"
        ),
        "<n>",
    ),
)
_LIST: Final = re.compile(r"\[([^\[\]]{1,2000})\]")
_SPACE: Final = re.compile(r"\s+")


def pattern_of(error: str) -> str:
    """What is common to errors of one cause: times, ids, addresses, paths and numbers are masked, lists are sorted."""
    return _masked(gist_of(error)[:_LONGEST])


@lru_cache(maxsize=1024)  # pages that renew themselves ask for the same ones again and again
def _masked(text: str) -> str:
    for found, mask in _MASKS:
        text = found.sub(mask, text)
    return _SPACE.sub(" ", _LIST.sub(_sorted, text)).strip()


def _sorted(found: "re.Match[str]") -> str:
    separator = "," if "," in found[1] else " "
    return f"[{' '.join(sorted(one.strip() for one in found[1].split(separator)))}]"


@dataclass(frozen=True, slots=True)
class Failure:
    """One target that failed, with its own words."""

    uid: UUID
    error: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Cluster:
    """Failures of one cause; example: the whole text of the first."""

    pattern: str
    example: str
    uids: tuple[UUID, ...]
    first_at: datetime
    last_at: datetime

    @property
    def count(self) -> int:
        """How many failed so."""
        return len(self.uids)


def clusters(failures: Iterable[Failure]) -> list[Cluster]:
    """The largest first; of equal ones the older."""
    groups: dict[str, list[Failure]] = defaultdict(list)
    pattern = cache(pattern_of)  # many say the very same
    for failure in failures:
        groups[pattern(failure.error)].append(failure)
    made = [_cluster(pattern, group) for pattern, group in groups.items()]
    return sorted(made, key=lambda one: (-one.count, one.first_at))


def _cluster(pattern: str, group: Sequence[Failure]) -> Cluster:
    ordered = sorted(group, key=lambda failure: failure.at)
    return Cluster(
        pattern=pattern,
        example=ordered[0].error,
        uids=tuple(failure.uid for failure in ordered),
        first_at=ordered[0].at,
        last_at=ordered[-1].at,
    )


Traits = Mapping[str, str]
"""What a collector says of itself, and its labels."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A trait that those that failed share more often than those that did not. later: how many more will meet it."""

    key: str
    value: str
    failed: int
    of_failed: int
    others: int
    of_others: int
    later: int = 0

    @property
    def gap(self) -> float:
        """The difference of the two shares: 1 when all that failed have it, and nobody else."""
        return self.failed / self.of_failed - self.others / max(1, self.of_others)


_LEAST_GAP: Final = 0.5
_LEAST_SHARE: Final = 0.8
_MOST_VALUES: Final = 0.5
"""A key of which every other collector has a value of its own (a host name) explains nothing."""


def contrasts(
    failed: Sequence[Traits], others: Sequence[Traits], *, most: int = 5
) -> list[Contrast]:
    """What explains it best first. Needs two that failed and one that did not, else there is nothing to compare.

    How many will meet it later is not looked at: Contrast.later stays 0.
    With equal gaps the trait of fewer others comes first, then the shorter key.
    """
    if len(failed) < 2 or not others:
        return []
    among_failed, among_others = _counted(failed), _counted(others)
    unique = _unique_keys([*failed, *others])
    found = [
        Contrast(key, value, count, len(failed), among_others[key, value], len(others))
        for (key, value), count in among_failed.items()
        if key not in unique and count / len(failed) >= _LEAST_SHARE
    ]
    return sorted(
        (one for one in found if one.gap >= _LEAST_GAP),
        key=lambda one: (-one.gap, one.others, len(one.key), one.key),
    )[:most]


def _counted(many: Iterable[Traits]) -> Counter[tuple[str, str]]:
    return Counter(pair for traits in many for pair in traits.items())


def _unique_keys(many: Sequence[Traits]) -> set[str]:
    values: dict[str, set[str]] = defaultdict(set)
    having: Counter[str] = Counter()
    for traits in many:
        for key, value in traits.items():
            values[key].add(value)
            having[key] += 1
    return {key for key, n in having.items() if n > 2 and len(values[key]) > _MOST_VALUES * n}
