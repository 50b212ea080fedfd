"""PURE. What the numbers should be, and how those of several runs are brought together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

REFERENCE: Final = "opamp-go"
OURS: Final = ("gateway", "serve", "serve x2", "embedded")
Numbers = Mapping[str, Mapping[str, float]]
"""By server: what was measured, by name."""


FEW: Final = 1_000
"""The cost of an agent among so many is what it is compared with among all."""
FLAT: Final = 1.25
"""So many times that it may cost at most to be called flat: more than runs of one server differ by themselves."""
_GROWING: Final = {"connect_us": "connect_growth", "beat_us": "beat_growth"}


@dataclass(frozen=True, slots=True)
class Target:
    """One number of one server, and what it may be at most: a ratio to the reference's, or a value in its unit.

    phase: in which the number is measured, and whose profile tells what holds it.
    """

    server: str
    measure: str
    title: str
    unit: str
    most: float
    phase: str
    is_ratio: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target with what was measured. value: in the unit, or the ratio."""

    target: Target
    value: float
    measured: float
    reference: float | None

    @property
    def is_met(self) -> bool:
        """Whether it is good enough."""
        return self.value <= self.target.most

    @property
    def missed_by(self) -> str:
        """How far off it is, for people; "" when it is met."""
        if self.is_met:
            return ""
        return f"{self.value / self.target.most:.1f} times the target"


def _targets() -> Sequence[Target]:
    beat, full = "CPU per heartbeat at 1,000/s", "CPU per heartbeat, saturated"
    rows = [
        Target("gateway", "beat_us", beat, "µs", 1.3, "heartbeats", is_ratio=True),
        Target("gateway", "saturated_us", full, "µs", 1.3, "saturated", is_ratio=True),
        Target("serve", "beat_us", beat, "µs", 2.0, "heartbeats", is_ratio=True),
        Target("serve", "saturated_us", full, "µs", 4.0, "saturated", is_ratio=True),
    ]
    for server in ("gateway", "serve"):
        rows += [Target(server, *each) for each in _EACH]
    page = "p99 of a heartbeat's answer beside a 2 s query"
    servers = ("serve", "serve x2")
    return [*rows, *(Target(server, "page_p99_ms", page, "ms", 20, "page") for server in servers)]


_EACH: Final = (
    ("memory_kb", "memory per connected agent", "kB", 45, "connect"),
    ("stored_s", "all connected, 8 kB of each stored", "s", 10, "connect"),
    ("push_s", "10 kB reach all, from the commit", "s", 1, "push"),
    ("applied_s", "from Start to the last APPLIED", "s", 15, "rollout"),
    ("connect_growth", f"CPU to connect one, among all to among {FEW:,}", "x", FLAT, "connect"),
    ("beat_growth", f"CPU per heartbeat, among all to among {FEW:,}", "x", FLAT, "heartbeats"),
)


TARGETS: Final = tuple(_targets())
TARGETED: Final = frozenset({REFERENCE, *(target.server for target in TARGETS)})
"""Servers whose numbers decide something."""


def medians(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """The median of each number over the runs of each server."""
    return {
        server: {
            name: median(run[name] for run in several if name in run)
            for name in sorted(set().union(*several))
        }
        for server, several in runs.items()
        if several
    }


def growth_of(few: Mapping[str, float], all_of_them: Mapping[str, float]) -> dict[str, float]:
    """How many times what it costs among few an agent costs among all; nothing for what was not measured."""
    return {
        growth: all_of_them[measure] / few[measure]
        for measure, growth in _GROWING.items()
        if measure in all_of_them and few.get(measure)
    }


def verdicts(numbers: Numbers) -> list[Verdict]:
    """The targets for which something was measured."""
    found = (_verdict(target, numbers) for target in TARGETS)
    return [verdict for verdict in found if verdict is not None]


def _verdict(target: Target, numbers: Numbers) -> Verdict | None:
    measured = numbers.get(target.server, {}).get(target.measure)
    reference = numbers.get(REFERENCE, {}).get(target.measure)
    if measured is None or (target.is_ratio and not reference):
        return None
    value = measured / reference if target.is_ratio and reference else measured
    return Verdict(target, value, measured, reference)
