"""Background work on notices. Thin; running twice or late is harmless."""

import time
from typing import Final

from celery import shared_task
from django.core.cache import cache

from notices import delivering
from telflo.base import clock
from telflo.base.deadlocks import again_after_deadlock
from telflo.base.outbox import Outbox, Post

_ALONE: Final = "notices.deliver"
_ALONE_S: Final = 60
_AT_MOST_S: Final = 20.0


@shared_task(name="notices.tasks.deliver_notices")
def deliver_notices() -> int:
    """Send what is new and what is due; answers how many deliveries were tried.

    One at a time: receivers that hang hold one worker and no more, for rollouts need the others.
    """
    if not cache.add(_ALONE, "1", _ALONE_S):
        return 0
    try:
        return _deliver()
    finally:
        cache.delete(_ALONE)


def _deliver() -> int:
    end_s, sent = time.monotonic() + _AT_MOST_S, 0
    while True:
        again_after_deadlock(delivering.spread)(clock.now())
        tried = delivering.deliver_batch(clock.now())
        sent += tried
        if not tried or time.monotonic() >= end_s:
            return sent


def send(_key: str) -> None:
    """Have a worker deliver. Raises what the broker's client raises, and may hang with it."""
    deliver_notices.apply_async(retry=False)


to_worker: Post = Outbox(send)


def deliver_soon() -> None:
    """Have what is new delivered. A broker that is away or hangs costs seconds and holds nobody up: the sweep finds it.

    Who waited for it here would keep a database connection that others need to let collectors in.
    """
    to_worker.post("new")
