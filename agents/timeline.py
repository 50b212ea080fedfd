"""What of a timeline belongs together, so that one restart is one entry and a crash loop is one entry with a number.

Pure: values in, values out, newest first. Seen with real supervisors: an apply brings StatusStopping, StatusStarting
and StatusOK within a tenth of a second, a crash loop the same error every 5 s with another process id.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from agents.snapshot import STEPS
from agents.status import SHUTDOWN_ERROR

BURST: Final = timedelta(seconds=10)
"""Steps this close to the next report of health led to it."""
_DIGITS: Final = re.compile(r"\d+")


class Condition(StrEnum):
    """What a report of health says of the collector."""

    WELL = "well"
    STEP = "step"
    """On its way up or down: neither well nor ill."""
    SHUT_DOWN = "shut_down"
    ILL = "ill"


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: its kind and data as stored (agents/store/events.py). steps: statuses that led to it, oldest first."""

    kind: str
    at: datetime
    data: Mapping[str, Any]
    steps: tuple[str, ...] = ()
    times: int = 1

    @property
    def condition(self) -> Condition | None:
        """What it says of health; None for events of another kind."""
        return condition_of(self.data) if self.kind == "health" else None


def condition_of(data: Mapping[str, Any]) -> Condition:
    """What the data of a health event say."""
    if data.get("healthy"):
        return Condition.WELL
    if data.get("last_error") == SHUTDOWN_ERROR:
        return Condition.SHUT_DOWN
    return Condition.STEP if data.get("status") in STEPS else Condition.ILL


def fold(events: Iterable[Happening]) -> list[Happening]:
    """The events, newest first, without those that a newer one tells as well."""
    shown: list[Happening] = []
    health: int | None = None
    for event in events:
        if event.condition is None:
            shown.append(event)
            continue
        merged = None if health is None else _merged(shown, health, event)
        if health is None or merged is None:
            health = len(shown)
            shown.append(event)
        else:
            shown[health] = merged
    return shown


def _merged(shown: Sequence[Happening], place: int, older: Happening) -> Happening | None:
    """The newer report of health with the older one in it; None when the older one stands for itself."""
    newer, is_next = shown[place], place == len(shown) - 1
    is_burst = newer.at - older.at <= BURST
    if older.condition is Condition.STEP and is_burst:
        return replace(newer, steps=(str(older.data["status"]), *newer.steps))
    if older.condition is not newer.condition:
        return None
    if older.condition is Condition.WELL and is_burst:
        return newer
    if older.condition is Condition.ILL and is_next and _text(older) == _text(newer):
        return replace(newer, times=newer.times + older.times)
    return None


def _text(event: Happening) -> str:
    """Its error without numbers: process ids and ports differ each time."""
    return _DIGITS.sub("", str(event.data.get("last_error", "")))
