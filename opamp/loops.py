"""What runs beside everything else until the process ends: one failure does not end it."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from opamp.metrics import Counters
from telflo.base.outage import Outage

logger = logging.getLogger(__name__)

_RETRY_S: Final = 2.0


async def for_ever(
    loop: Callable[[], Awaitable[None]],
    counters: Counters,
    is_temporary: Callable[[Exception], bool],
) -> None:
    """Run it again whenever it ends; what it raises is counted and logged, and the next try waits a little.

    A database that is away is no fault of ours: said once, and not counted.
    """
    outage = Outage(logger, f"{loop.__qualname__} cannot go on for now; it tries again.")
    while True:
        try:
            await loop()
        except Exception as error:
            if is_temporary(error):
                outage.failed(error)
            else:
                counters.loop_failures += 1
                logger.warning("%s failed; it goes on.", loop.__qualname__, exc_info=True)
            await pause()
        else:
            outage.works()


async def pause() -> None:
    """What is waited for before the next try, not by all at once."""
    await asyncio.sleep(_RETRY_S * random.uniform(0.5, 1.0))  # noqa: S311
