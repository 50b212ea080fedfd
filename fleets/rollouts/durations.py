"""Times as people type them: `90 s`, `5 min`, `2 h`, `1 d`. Pure; telflo.ui.numbers.lasting writes them."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d{1,7})\s*([a-z]*)")


class BadDuration(ValueError):
    """The text is no time; says what would be."""


def parse_duration(text: str) -> timedelta:
    """Read a time; a number alone is seconds. Raises BadDuration."""
    found = _DURATION.fullmatch(text.strip().lower())
    length = _UNITS.get(found[2] or "s") if found else None
    if found is None or length is None:
        raise BadDuration("Write a time as 90 s, 5 min, 2 h or 1 d.")
    return timedelta(seconds=int(found[1]) * length)
