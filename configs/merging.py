"""PURE. Two texts that grew out of one, made one again; where both changed the same place, both stand there, marked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from configs.textdiff import Change, changes_of

_MINE: Final = "<<<<<<< yours"
_BETWEEN: Final = "======="
_THEIRS: Final = ">>>>>>> "


@dataclass(frozen=True, slots=True)
class Merged:
    """The text, and in how many places of it a person has to choose."""

    text: str
    conflicts: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Changes of both sides that touch: the lines [start, end) of the text before."""

    start: int
    end: int
    mine: tuple[Change, ...] = ()
    theirs: tuple[Change, ...] = ()


def merge(base: str, mine: str, theirs: str, *, name: str) -> Merged:
    """What both sides made of `base`. name: whose the other text is, for the marks."""
    before, one, other = (text.split("\n") for text in (base, mine, theirs))
    lines: list[str] = []
    conflicts = at = 0
    for place in _places(changes_of(before, one)[0], changes_of(before, other)[0]):
        lines += before[at : place.start]
        ours, others = _side(place, place.mine, one), _side(place, place.theirs, other)
        if not place.theirs or ours == others:
            lines += ours
        elif not place.mine:
            lines += others
        else:
            conflicts += 1
            lines += [_MINE, *ours, _BETWEEN, *others, f"{_THEIRS}{name}"]
        at = place.end
    return Merged("\n".join([*lines, *before[at:]]), conflicts)


def _places(mine: Sequence[Change], theirs: Sequence[Change]) -> Iterator[_Place]:
    """The changes in order, those that touch as one place."""
    place: _Place | None = None
    found = sorted([*((one, True) for one in mine), *((one, False) for one in theirs)])
    for change, is_mine in found:
        if place is None or change.old_start > place.end:
            if place is not None:
                yield place
            place = _Place(change.old_start, change.old_end)
        place = _Place(
            place.start,
            max(place.end, change.old_end),
            (*place.mine, change) if is_mine else place.mine,
            place.theirs if is_mine else (*place.theirs, change),
        )
    if place is not None:
        yield place


def _side(place: _Place, changes: Sequence[Change], lines: Sequence[str]) -> list[str]:
    """What one side has in the place: what it changed there, and what it left as it was around that."""
    if not changes:
        return []
    first, last = changes[0], changes[-1]
    start = first.new_start - (first.old_start - place.start)
    end = last.new_end + (place.end - last.old_end)
    return list(lines[start:end])
