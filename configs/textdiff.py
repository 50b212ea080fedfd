"""PURE. The unified diff of two texts as values for display, at a bounded cost whatever the texts."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

_MOST_WORK = 2_000_000
"""Above this (pairs of equal lines, times lines) a part is shown as replaced as a whole."""


class Change(NamedTuple):
    """Lines [old_start, old_end) of the one text became [new_start, new_end) of the other; from 0."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff. Numbers count from 1; `old` is None for an added line, `new` for a deleted one."""

    kind: Literal["context", "add", "delete"]
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Changes that stand close together, with the lines around them."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    lines: tuple[Line, ...]

    @property
    def header(self) -> str:
        """As in a patch: @@ -1,3 +1,4 @@."""
        return f"@@ -{self.old_start},{self.old_count} +{self.new_start},{self.new_count} @@"


@dataclass(frozen=True, slots=True)
class TextDiff:
    """What changed. `is_coarse`: a large part was too costly to align and is shown as replaced."""

    hunks: tuple[Hunk, ...]
    added: int
    deleted: int
    is_coarse: bool

    def as_patch(self) -> str:
        """The diff as text, as `diff -u` writes it (without file names)."""
        signs = {"context": " ", "add": "+", "delete": "-"}
        lines = [
            line
            for hunk in self.hunks
            for line in (hunk.header, *(signs[part.kind] + part.text for part in hunk.lines))
        ]
        return "\n".join(lines) + "\n" if lines else ""


def diff_texts(
    before: str,
    after: str,
    *,
    shown_before: str | None = None,
    shown_after: str | None = None,
    context: int = 3,
) -> TextDiff:
    """Compare line by line. `shown_*` (as many lines) is displayed instead: a redacted text whose secret changed
    then still shows that the line changed.
    """
    old, new = _lines(before), _lines(after)
    changes, is_coarse = changes_of(old, new)
    shown_old = old if shown_before is None else _lines(shown_before)
    shown_new = new if shown_after is None else _lines(shown_after)
    hunks = tuple(
        _hunk(group, shown_old, shown_new, context) for group in _groups(changes, context)
    )
    return TextDiff(
        hunks,
        added=sum(change.new_end - change.new_start for change in changes),
        deleted=sum(change.old_end - change.old_start for change in changes),
        is_coarse=is_coarse,
    )


def _lines(text: str) -> list[str]:
    """Lines as editors count them. A break at the end of the text begins no further line."""
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


# ── Aligning ──


def changes_of(old: Sequence[str], new: Sequence[str]) -> tuple[list[Change], bool]:
    """What differs between lines, in order, and whether some part was not aligned."""
    changes: list[Change] = []
    is_coarse = False
    for gap in _gaps(old, new):
        part = _trimmed(gap, old, new)
        if part.old_start == part.old_end and part.new_start == part.new_end:
            continue
        if _work(part, old, new) > _MOST_WORK:
            is_coarse = True
            changes.append(part)
        else:
            changes += _aligned(part, old, new)
    return changes, is_coarse


def _gaps(old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    """The parts between lines that are unique in both texts and stand in the same order ("patience")."""
    whole = _trimmed(Change(0, len(old), 0, len(new)), old, new)
    at_old, at_new = whole.old_start, whole.new_start
    for line_old, line_new in _anchors(whole, old, new):
        yield Change(at_old, line_old, at_new, line_new)
        at_old, at_new = line_old + 1, line_new + 1
    yield Change(at_old, whole.old_end, at_new, whole.new_end)


def _trimmed(part: Change, old: Sequence[str], new: Sequence[str]) -> Change:
    """The part without equal lines at its start and its end."""
    a, b, c, d = part
    while a < b and c < d and old[a] == new[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and old[b - 1] == new[d - 1]:
        b, d = b - 1, d - 1
    return Change(a, b, c, d)


def _anchors(part: Change, old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    unique_old = _unique(old, part.old_start, part.old_end)
    unique_new = _unique(new, part.new_start, part.new_end)
    pairs = [(unique_old[line], at) for line, at in unique_new.items() if line in unique_old]
    return _longest_rising(sorted(pairs))


def _unique(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    counts = Counter(lines[start:end])
    return {lines[at]: at for at in range(start, end) if counts[lines[at]] == 1}


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs whose second numbers rise too (patience sorting)."""
    tops: list[int] = []
    top_pairs: list[int] = []
    before: list[int] = []
    for index, (_, at_new) in enumerate(pairs):
        pile = bisect_left(tops, at_new)
        before.append(top_pairs[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [at_new]
        top_pairs[pile : pile + 1] = [index]
    run: list[tuple[int, int]] = []
    index = top_pairs[-1] if top_pairs else -1
    while index >= 0:
        run.append(pairs[index])
        index = before[index]
    return run[::-1]


def _work(part: Change, old: Sequence[str], new: Sequence[str]) -> int:
    """About how many steps an alignment takes at worst."""
    counts = Counter(new[part.new_start : part.new_end])
    matches = sum(counts[line] for line in old[part.old_start : part.old_end])
    return matches * min(part.old_end - part.old_start, part.new_end - part.new_start)


def _aligned(part: Change, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    matcher = SequenceMatcher(
        None, old[part.old_start : part.old_end], new[part.new_start : part.new_end], autojunk=False
    )
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            yield Change(
                part.old_start + a, part.old_start + b, part.new_start + c, part.new_start + d
            )


# ── Hunks ──


def _groups(changes: list[Change], context: int) -> Iterator[list[Change]]:
    """Changes whose surroundings touch belong together."""
    group: list[Change] = []
    for change in changes:
        if group and change.old_start - group[-1].old_end > 2 * context:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _hunk(group: list[Change], old: Sequence[str], new: Sequence[str], context: int) -> Hunk:
    lead = min(context, group[0].old_start, group[0].new_start)
    tail = min(context, len(old) - group[-1].old_end)
    old_start, new_start = group[0].old_start - lead, group[0].new_start - lead
    old_end, new_end = group[-1].old_end + tail, group[-1].new_end + tail
    lines = tuple(_hunk_lines(group, old, new, (old_start, new_start, old_end)))
    old_count, new_count = old_end - old_start, new_end - new_start
    # A side without lines is numbered by the line before it, as diff -u does.
    return Hunk(
        old_start + bool(old_count), old_count, new_start + bool(new_count), new_count, lines
    )


def _hunk_lines(
    group: list[Change], old: Sequence[str], new: Sequence[str], bounds: tuple[int, int, int]
) -> Iterator[Line]:
    at_old, at_new, old_end = bounds
    for change in [*group, Change(old_end, old_end, 0, 0)]:
        for _ in range(at_old, change.old_start):
            yield Line("context", at_old + 1, at_new + 1, new[at_new])
            at_old, at_new = at_old + 1, at_new + 1
        for at in range(change.old_start, change.old_end):
            yield Line("delete", at + 1, None, old[at])
        for at in range(change.new_start, change.new_end):
            yield Line("add", None, at + 1, new[at])
        at_old, at_new = change.old_end, change.new_end
