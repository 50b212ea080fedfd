"""PURE. What a process counts, as values that fit into JSON: families, samples, a histogram that costs little."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any, Final

Sample = list[Any]
"""[labels, value]: the value is a number, or what Histogram.value() answers."""
Numbers = dict[str, list[Sample]]
"""Samples by the name of their family."""

SECONDS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
)
ROWS: Final = (1, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000)


class Kind(StrEnum):
    """The kinds of Prometheus that are used here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: its name (counters without `_total`), its kind, and what it says."""

    name: str
    kind: Kind
    help: str


def families(
    prefix: str,
    *,
    gauges: Mapping[str, str] | None = None,
    counters: Mapping[str, str] | None = None,
    histograms: Mapping[str, str] | None = None,
) -> tuple[Family, ...]:
    """Families from short name to what it says."""
    kinds = {Kind.GAUGE: gauges, Kind.COUNTER: counters, Kind.HISTOGRAM: histograms}
    return tuple(
        Family(prefix + name, kind, text)
        for kind, texts in kinds.items()
        for name, text in (texts or {}).items()
    )


class Histogram:
    """Observations by size. Not safe for several threads: each has one writer."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, size: float) -> None:
        """Count one observation; a bound belongs to the bucket below it."""
        self._counts[bisect_left(self._bounds, size)] += 1
        self._sum += size

    def value(self) -> dict[str, Any]:
        """As JSON: upper bounds, how many observations in each bucket (one more than bounds), their sum."""
        return {"bounds": list(self._bounds), "counts": list(self._counts), "sum": self._sum}


def sample(value: Any, **labels: str) -> Sample:
    """One sample."""
    return [labels, value]


def by_label(label: str, counts: Mapping[str, int]) -> list[Sample]:
    """A sample for each key of a Counter; a copy, since the counter goes on."""
    return [[{label: key}, count] for key, count in sorted(dict(counts).items())]


def buckets(value: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The cumulative buckets of Histogram.value() as Prometheus has them: upper bound, count up to it."""
    bounds = [*(f"{bound:g}" for bound in value["bounds"]), "+Inf"]
    return list(zip(bounds, accumulate(value["counts"]), strict=True))


def total(numbers: Numbers, name: str) -> float:
    """The sum of a family's samples that are plain numbers; 0 where there are none."""
    return sum(value for _, value in numbers.get(name, ()) if isinstance(value, int | float))
