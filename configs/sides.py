"""PURE. A difference of two texts as two columns: each line beside the one that took its place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest

from configs.textdiff import Hunk, Line


@dataclass(frozen=True, slots=True)
class SideRow:
    """One row. kind: same, changed, add, del, or hunk for a gap; a side without a line has None."""

    kind: str
    before: Line | None
    after: Line | None


def side_by_side(hunks: Sequence[Hunk]) -> Iterator[SideRow]:
    """All rows, those of each hunk behind a row that stands for the lines that are left out."""
    for hunk in hunks:
        yield SideRow("hunk", None, None)
        for is_same, lines in groupby(hunk.lines, key=lambda line: line.kind == "context"):
            if is_same:
                yield from (SideRow("same", line, line) for line in lines)
            else:
                yield from _paired(list(lines))


def _paired(lines: Sequence[Line]) -> Iterator[SideRow]:
    """Lines that went beside those that came."""
    went = [line for line in lines if line.kind == "delete"]
    came = [line for line in lines if line.kind == "add"]
    for before, after in zip_longest(went, came):
        kind = "changed" if before and after else "del" if before else "add"
        yield SideRow(kind, before, after)
