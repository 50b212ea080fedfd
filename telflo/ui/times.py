"""Times as people read them. The browser repeats this in src/time/relative.ts: keep both alike."""

from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY


def span(seconds: float) -> str:
    """Write a length of time in its largest whole unit: `8 s`, `5 min`, `2 h`, `12 d`, `3 y`."""
    whole = int(abs(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h"
    if whole < 2 * _YEAR:
        return f"{whole // _DAY} d"
    return f"{whole // _YEAR} y"


def relative(moment: datetime, now: datetime, style: str = "bare") -> str:
    """Write how long ago, or how far ahead, `moment` is.

    Styles: `bare` gives `5 min` for the past, `ago` gives `5 min ago`. The future is `in 6 d`
    in both.
    """
    seconds = (now - moment).total_seconds()
    if seconds <= -1:
        return f"in {span(seconds)}"
    return f"{span(seconds)} ago" if style == "ago" else span(seconds)


def absolute(moment: datetime) -> str:
    """Write a moment in full, in its own zone: `22 Nov 2026, 14:26 CET`."""
    return f"{moment.day} {moment:%b %Y, %H:%M %Z}".strip()


def clock_or_date(moment: datetime, now: datetime) -> str:
    """Write a moment short: `14:19` on the same day, `18 Nov` in the same year, else `18 Nov 2025`."""
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    return (
        f"{moment.day} {moment:%b}" if moment.year == now.year else f"{moment.day} {moment:%b %Y}"
    )
