"""PURE. What becomes of a text that somebody wants to put into the draft of a configuration, which all share."""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of it."""

    BEGUN = "begun"
    """There was no draft."""
    WRITTEN = "written"
    KEPT = "kept"
    """The draft holds it already."""
    CHANGED = "changed"
    """Refused: somebody changed the draft meanwhile."""
    GONE = "gone"
    """Refused: the draft was saved as a version, or discarded."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """A draft's text, and which state it is. Of what somebody wants to put there: the state that they have seen, None
    when they saw that there is no draft.
    """

    text: str
    collector_version: str
    lock_version: int | None


def fate_of(wanted: Buffer, there: Buffer | None) -> Fate:
    """Nobody overwrites what they have not seen; the same text twice is no conflict, since an answer may be lost."""
    if there is None:
        return Fate.BEGUN if wanted.lock_version is None else Fate.GONE
    if (wanted.text, wanted.collector_version) == (there.text, there.collector_version):
        return Fate.KEPT
    return Fate.WRITTEN if wanted.lock_version == there.lock_version else Fate.CHANGED
