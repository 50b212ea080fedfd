"""Change windows: when something new may start. Pure: the caller brings the time."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)")


class BadWindow(ValueError):
    """The window cannot be read; says what would be."""


@dataclass(frozen=True, slots=True)
class Window:
    """Days (0 for Monday) and hours in a time zone. until before, or at, since: it goes past midnight."""

    days: frozenset[int]
    since: time
    until: time
    zone: str = "UTC"

    def is_open(self, now: datetime) -> bool:
        """Whether something may start at this moment (aware)."""
        local = now.astimezone(ZoneInfo(self.zone))
        moment, today = local.time(), local.weekday()
        if self.since < self.until:
            return today in self.days and self.since <= moment < self.until
        if moment >= self.since:
            return today in self.days
        return moment < self.until and (today - 1) % 7 in self.days

    @property
    def days_text(self) -> str:
        """For parse_window()."""
        return ",".join(DAYS[day] for day in sorted(self.days))

    @property
    def hours_text(self) -> str:
        """For parse_window()."""
        until = "24:00" if self.until == time.min else f"{self.until:%H:%M}"
        return f"{self.since:%H:%M}-{until}"


def parse_window(days: str, hours: str, zone: str) -> Window:
    """Read `mon,tue` or `mon-fri`, `09:00-17:00`, `Europe/Berlin`. Raises BadWindow."""
    found = _HOURS.fullmatch(hours.strip())
    if not found:
        raise BadWindow(f"“{hours}” are no hours. Write them as 09:00-17:00.")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadWindow(f"There is no time zone “{zone}”. Write one as Europe/Berlin.") from None
    since, until = hours.strip().split("-")
    ends = time.min if until == "24:00" else time.fromisoformat(until)
    return Window(_days(days), time.fromisoformat(since), ends, zone)


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise BadWindow(f"“{part}” are no days. Write them as mon-fri or sat,sun.")
        start, length = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7
        found |= {(start + step) % 7 for step in range(length + 1)}
    return frozenset(found)
