"""How many newcomers each token still lets in this minute, counted in the cache by all processes together (A5)."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PAUSE_S: Final = 5.0
"""A cache that did not answer is left alone for so long: each question to one that hangs takes its whole timeout."""


@dataclass(slots=True)
class _Pause:
    ends_s: float = 0.0


_pause = _Pause()


def free_places(wanted: Mapping[UUID, int], now: datetime) -> Mapping[UUID, int] | None:
    """How many of the wanted enrolments each token has left; None while the cache does not answer.

    May block for the cache's timeout, once: call it outside of a transaction.
    """
    if wanted and time.monotonic() < _pause.ends_s:
        return None
    try:
        return {token_id: _left(token_id, number, now) for token_id, number in wanted.items()}
    except (RedisError, OSError) as error:
        _pause.ends_s = time.monotonic() + PAUSE_S
        logger.warning("New collectors cannot be counted: they have to wait.", exc_info=error)
        return None


def _left(token_id: UUID, number: int, now: datetime) -> int:
    key = f"enrolments:{token_id}:{now:%Y%m%d%H%M}"
    cache.add(key, 0, timeout=120)
    try:
        total = cache.incr(key, number)
    except ValueError:  # evicted between the two calls
        total = number
    return number - max(0, total - settings.ENROLMENTS_PER_MINUTE)
