"""What runs beside everything else until the process ends: one failure does not end it."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from opamp.metrics import Counters

logger = logging.getLogger(__name__)

_RETRY_S: Final = 2.0


async def for_ever(loop: Callable[[], Awaitable[None]], counters: Counters) -> None:
    """Run it again whenever it ends; what it raises is counted and logged, and the next try waits a little."""
    while True:
        try:
            await loop()
        except Exception:
            counters.loop_failures += 1
            logger.warning("%s failed; it goes on.", loop.__qualname__, exc_info=True)
            await asyncio.sleep(_RETRY_S * random.uniform(0.5, 1.0))  # noqa: S311
