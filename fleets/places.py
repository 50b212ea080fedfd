"""How many newcomers each token still lets in this minute, counted in the cache by all processes together (A5)."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

ANSWER_S: Final = 4.0
"""So long all questions of a batch together may take: names that nobody resolves and a cache that is merely slow have
no timeout of their own.
"""
PAUSE_S: Final = 5.0
"""A cache that did not answer is left alone for so long: each question to one that hangs takes its whole timeout."""

Places = Mapping[UUID, int]


class Counting:
    """Asks on one thread, so whatever hangs holds up nobody else."""

    def __init__(self, *, answer_s: float = ANSWER_S, pause_s: float = PAUSE_S) -> None:
        self._answer_s = answer_s
        self._pause_s = pause_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="telflo-places")
        self._paused_until_s = 0.0
        self._hanging: Future[Places] | None = None

    def free_places(self, wanted: Places, now: datetime) -> Places | None:
        """How many of the wanted enrolments each token has left; None while the cache does not answer.

        May block for answer_s, then for pause_s not at all: call it outside of a transaction.
        """
        if not wanted:
            return {}
        if self._is_away():
            return None
        asked = self._thread.submit(_count, wanted, now, time.monotonic() + self._answer_s)
        try:
            return asked.result(self._answer_s)
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            self._paused_until_s = time.monotonic() + self._pause_s
            if not asked.cancel():
                self._hanging = asked
            logger.warning("New collectors cannot be counted: they have to wait.", exc_info=error)
            return None

    def _is_away(self) -> bool:
        is_hanging = self._hanging is not None and not self._hanging.done()
        return is_hanging or time.monotonic() < self._paused_until_s


def _count(wanted: Places, now: datetime, until_s: float) -> Places:
    places = {}
    for token_id, number in wanted.items():
        if time.monotonic() > until_s:  # nobody waits for the rest any more
            raise TimeoutError
        places[token_id] = _left(token_id, number, now)
    return places


def _left(token_id: UUID, number: int, now: datetime) -> int:
    key = f"enrolments:{token_id}:{now:%Y%m%d%H%M}"
    cache.add(key, 0, timeout=120)
    try:
        total = cache.incr(key, number)
    except ValueError:  # evicted between the two calls
        total = number
    return number - max(0, total - settings.ENROLMENTS_PER_MINUTE)


counting: Final = Counting()
