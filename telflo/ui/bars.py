"""Bars and the ledger: counts by state as SVG rectangles, so that no inline style is needed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from telflo.ui.numbers import grouped
from telflo.ui.vocabulary import VOCABULARY, Lamp

FULL = 1000.0
GAP = 3.0
LEAST = 6.0
# States whose number is coloured in the ledger: a person has to do something about them.
_URGENT = frozenset({"failed", "drifted"})


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar. `tone` is a fill class without its `f-`: ok, move, a1, none, …"""

    label: str
    count: int
    tone: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Rect:
    """A segment's place in a bar that is 1000 units wide."""

    x: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True)
class LedgerCell:
    """One status of the ledger: its lamp, its number, where the number leads, a small line."""

    lamp: Lamp
    count: int
    url: str
    detail: str
    urgent: bool


def lay_out(segments: Iterable[Segment]) -> list[Rect]:
    """Spread the non-empty segments over 1000 units, 3 apart, each at least 6 wide.

    Rare states stay visible: what they get over their share is taken from the wide ones.
    """
    shown = [s for s in segments if s.count > 0]
    widths = _widths([s.count for s in shown], FULL - GAP * max(len(shown) - 1, 0))
    rects, x = [], 0.0
    for segment, width in zip(shown, widths, strict=True):
        rects.append(Rect(round(x, 1), round(width, 1), segment.tone))
        x += width + GAP
    return rects


def _widths(counts: Sequence[int], room: float) -> list[float]:
    """Share `room` by `counts`, with a least width; few segments, so a second pass is enough."""
    total = sum(counts)
    raw = [room * count / total for count in counts]
    wide = sum(width for width in raw if width > LEAST)
    left = room - sum(LEAST for width in raw if width <= LEAST)
    return [width * left / wide if width > LEAST else LEAST for width in raw]


def describe(segments: Iterable[Segment]) -> str:
    """Say a bar in words: `1,200 in sync, 5 failed`."""
    parts = [f"{grouped(s.count)} {s.label.lower()}" for s in segments if s.count > 0]
    return ", ".join(parts) or "none"


def segments_of(kind: str, counts: Mapping[str, int]) -> list[Segment]:
    """Turn counts by state into segments, in the vocabulary's order, states of one tone merged."""
    by_tone: dict[str, list[tuple[str, int]]] = {}
    for state, lamp in VOCABULARY[kind].items():
        if counts.get(state):
            by_tone.setdefault(lamp.tone, []).append((lamp.word, counts[state]))
    return [
        Segment(_either([word for word, _ in pairs]), sum(count for _, count in pairs), tone)
        for tone, pairs in by_tone.items()
    ]


def _either(words: Sequence[str]) -> str:
    """Join words: `Drifted or stale`."""
    return " or ".join(words).capitalize()


def ledger_cells(
    counts: Mapping[str, int], *, url: str, details: Mapping[str, str] | None = None
) -> list[LedgerCell]:
    """Return the nine statuses as ledger cells; each links to `url` filtered by its status."""
    lines = details or {}
    return [
        LedgerCell(
            lamp=lamp,
            count=counts.get(state, 0),
            url=f"{url}?status={state}",
            detail=lines.get(state, ""),
            urgent=state in _URGENT and counts.get(state, 0) > 0,
        )
        for state, lamp in VOCABULARY["status"].items()
    ]
