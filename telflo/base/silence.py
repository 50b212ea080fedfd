"""A PostgreSQL that went silent: no answer, no error, and the network goes on acknowledging what is sent.

A pooler or balancer that died may do so for hours, and no timeout of the kernel or of the server ends it. So whoever
waits looks at the clock itself, and gives the connection up.
"""

import logging
import math
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from psycopg import Connection, OperationalError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Waiting = Generator[Any, Any, Result]
"""As psycopg has them: yields what it waits for, is sent what is ready: 0, several times a second, for nothing."""


class Patience:
    """How long an answer to one statement is waited for in this process, in seconds. It may change while one waits."""

    def __init__(self) -> None:
        self.seconds = math.inf

    def is_over(self, began_s: float) -> bool:
        """Whether one who waits since then (time.monotonic()) has waited for long enough."""
        return time.monotonic() - began_s >= self.seconds


patience = Patience()
"""Without an end unless a server sets one: commands may build indexes."""


def heard(waiting: Waiting[Result], give_up: Callable[[], Exception]) -> Waiting[Result]:
    """Wait as long as there is patience, then raise what give_up answers."""
    began_s = time.monotonic()
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            if not ready and patience.is_over(began_s):
                raise give_up()
            wanted = waiting.send(ready)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what `waiting` returned


class HeardConnection(Connection[Any]):
    """A connection that is closed, with an OperationalError, when the database leaves a statement unanswered."""

    def wait(self, gen: Waiting[Result], *args: Any, **named: Any) -> Result:
        """See psycopg: everything that waits for the database waits here, but for connecting."""
        return super().wait(heard(gen, self._give_up), *args, **named)

    def _give_up(self) -> Exception:
        """Close this one, and those that lie in its pool: they went the same way."""
        pool = getattr(self, "_pool", None)
        self.close()
        if pool is not None:
            pool.drain()
        text = (
            f"The database did not answer for {patience.seconds:g} s; the connection was given up."
        )
        logger.warning(text)
        return OperationalError(text)
