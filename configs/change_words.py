"""Semantic differences as people and programs see them: short, secrets masked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from configs.collector.difference import Change, Deed
from configs.collector.values import Value, is_map
from configs.masking import masked_at

MOST_CHANGES: Final = 200
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One difference. was, now: as text, None where there is nothing · is_section: a whole section came or went, whose
    text is long.
    """

    path: str
    deed: str
    was: str | None
    now: str | None
    is_section: bool = False


def shown_changes(changes: Sequence[Change]) -> list[ShownChange]:
    """The first MOST_CHANGES of them."""
    return [
        ShownChange(
            one.place,
            one.deed.value,
            None if one.deed == "added" else _shown(one, one.before),
            None if one.deed == "removed" else _shown(one, one.after),
            _is_section(one),
        )
        for one in changes[:MOST_CHANGES]
    ]


def _is_section(change: Change) -> bool:
    if change.deed not in (Deed.ADDED, Deed.REMOVED):
        return False
    return is_map(change.after if change.deed is Deed.ADDED else change.before)


def _shown(change: Change, value: Value) -> str:
    masked = masked_at(change.path, value)
    text = masked if isinstance(masked, str) else _text_of(masked)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _text_of(value: Any) -> str:
    """Ids in a row as people write them, anything else as JSON."""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
