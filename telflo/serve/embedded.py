"""Celery inside the server process: a worker and the clock in daemon threads (tried: decision 24, architecture.md)."""

import logging
import threading
from typing import Final

from celery.beat import Scheduler, Service
from celery.worker import WorkController, state

from telflo.celery import app

logger = logging.getLogger(__name__)

_CONCURRENCY: Final = 2
_STOP_S: Final = 10.0


class EmbeddedCelery:
    """A worker with two threads, and beat. No signal handlers, no files."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._worker: WorkController | None = None
        self._beat: Service | None = None

    def start(self) -> None:
        """Start both; they run until stop()."""
        state.should_stop = state.should_terminate = None
        self._worker = WorkController(
            app=app,
            hostname="embedded",
            pool_cls="threads",
            concurrency=_CONCURRENCY,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            loglevel="WARNING",
        )
        self._beat = Service(app, scheduler_cls=Scheduler, max_interval=1)
        for name, work in (("worker", self._worker.start), ("beat", self._beat.start)):
            thread = threading.Thread(target=work, name=f"telflo-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End both, letting running tasks finish for a few seconds."""
        if self._beat is not None:
            self._beat.stop()
        state.should_stop = 0  # type: ignore[assignment]  # celery-types knows None alone
        for thread in self._threads:
            thread.join(_STOP_S)
            if thread.is_alive():
                logger.warning("%s did not stop in time.", thread.name)
