"""PURE. When so many collectors of a fleet are in trouble that somebody is told, and when it is over.

What lasts is told once. A limit is reached for a while before it is told, and left by a fifth for as long before its
end is told, so that a number that swings around the limit tells nothing new.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

_FORM: Final = re.compile(r"([1-9]\d{0,5})\s*(%?)")


@dataclass(frozen=True, slots=True)
class Limit:
    """So many collectors of a fleet, or such a share of them in percent."""

    number: int
    is_percent: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "5" or "10%". Raises ValueError, in words."""
        found = _FORM.fullmatch(text.strip())
        if found is None or (found[2] and int(found[1]) > 100):
            raise ValueError("Give a number such as 5, or a share such as 10%.")
        return cls(int(found[1]), bool(found[2]))

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.number}{'%' if self.is_percent else ''}"

    def is_reached(self, count: int, total: int) -> bool:
        """Whether `count` of `total` are so many."""
        return bool(count) and count * self._scale >= self.number * self._whole(total)

    def is_left(self, count: int, total: int) -> bool:
        """Whether it is fewer than four fifths of that."""
        return not count or 5 * count * self._scale < 4 * self.number * self._whole(total)

    @property
    def _scale(self) -> int:
        return 100 if self.is_percent else 1

    def _whole(self, total: int) -> int:
        return total if self.is_percent else 1


class Phase(StrEnum):
    """RISING: reached, not told yet · RAISED: told · FALLING: told, and left a moment ago."""

    RISING = "rising"
    RAISED = "raised"
    FALLING = "falling"


class Turn(StrEnum):
    """What there is to tell."""

    BEGINS = "begins"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Where it stands, and since when it does."""

    phase: Phase
    since: datetime


def judge(
    alarm: Alarm | None, limit: Limit, count: int, total: int, *, now: datetime, hold: timedelta
) -> tuple[Alarm | None, Turn | None]:
    """The alarm after this look, and what there is to tell. None: all is well."""
    if alarm is None or alarm.phase is Phase.RISING:
        if not limit.is_reached(count, total):
            return None, None
        alarm = alarm or Alarm(Phase.RISING, now)
        is_due = now - alarm.since >= hold
        return (Alarm(Phase.RAISED, now), Turn.BEGINS) if is_due else (alarm, None)
    if not limit.is_left(count, total):
        is_still = alarm.phase is Phase.RAISED
        return (alarm if is_still else Alarm(Phase.RAISED, now)), None
    falling = alarm if alarm.phase is Phase.FALLING else Alarm(Phase.FALLING, now)
    return (None, Turn.ENDS) if now - falling.since >= hold else (falling, None)
