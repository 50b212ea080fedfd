"""PURE. When what did not arrive is tried again, and when a subscription is left alone."""

from datetime import datetime, timedelta
from typing import Final

_DELAYS_S: Final = (10, 30, 90, 270, 810, 2_430, 7_290, 21_600, 21_600, 21_600)
"""Three times as long after each try, at most 6 h: eleven tries within 21 h."""
_JITTER: Final = 0.2
PAUSE_AFTER: Final = timedelta(hours=20)
PAUSE_FAILURES: Final = 10


def next_try(tries: int, *, chance: float, wanted: timedelta | None = None) -> timedelta | None:
    """How long after the try number `tries` (from 1) the next one is; None: it was the last.

    chance: a random number from 0 to 1, so that what failed together does not come again together. wanted: the
    receiver's Retry-After.
    """
    if tries > len(_DELAYS_S):
        return None
    delay_s = _DELAYS_S[tries - 1] * (1 - _JITTER + 2 * _JITTER * chance)
    asked_s = min(wanted.total_seconds(), _DELAYS_S[-1]) if wanted else 0.0
    return timedelta(seconds=max(delay_s, asked_s))


def is_hopeless(failures: int, failing_since: datetime | None, now: datetime) -> bool:
    """Whether so much failed, one after the other, and for so long, that nothing more is sent until a person looks."""
    if failing_since is None or failures < PAUSE_FAILURES:
        return False
    return now - failing_since >= PAUSE_AFTER
