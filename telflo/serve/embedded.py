"""Celery inside the server process: a worker and the clock in daemon threads (tried: decision 24, architecture.md)."""

import logging
import os
import threading
from collections.abc import Sequence
from typing import Final

from celery.beat import Scheduler, Service
from celery.worker import WorkController, state

from telflo.celery import app
from telflo.system.celery_counts import BeatCounts, TaskCounts
from telflo.system.models import ProcessKind
from telflo.system.reporting import Part

logger = logging.getLogger(__name__)

_CONCURRENCY: Final = 2
_STOP_S: Final = 10.0


class EmbeddedCelery:
    """A worker with two threads, and beat. No signal handlers, no files."""

    def __init__(self) -> None:
        self._beat = Service(app, scheduler_cls=Scheduler, max_interval=1)
        self._tasks, self._sent = TaskCounts(), BeatCounts()
        self._worker = threading.Thread(target=self._work, name="telflo-worker", daemon=True)
        self._clock = threading.Thread(target=self._beat.start, name="telflo-beat", daemon=True)

    def parts(self) -> Sequence[Part]:
        """Both as parts of the process, for the System page."""
        return (
            Part(ProcessKind.WORKER, self._tasks.numbers, self._worker.is_alive),
            Part(ProcessKind.BEAT, self._sent.numbers, self._clock.is_alive),
        )

    def start(self) -> None:
        """Start both; they run until stop()."""
        self.start_worker()
        self.start_beat()

    def start_worker(self) -> None:
        """Start the worker alone."""
        self._tasks.connect()
        self._worker.start()

    def start_beat(self) -> None:
        """Start the clock alone."""
        self._sent.connect()
        self._clock.start()

    def ask_to_stop(self) -> None:
        """Tell both to end while the server lets its agents go. The next start's sweep does what is left undone."""
        self._beat.stop()
        state.should_stop = 0  # type: ignore[assignment]  # celery-types knows None alone

    def stop(self) -> None:
        """End both, letting running tasks finish for a few seconds."""
        self.ask_to_stop()
        for thread in (self._worker, self._clock):
            if thread.ident is not None:
                thread.join(_STOP_S)
            if thread.is_alive():
                logger.warning("%s did not stop in time.", thread.name)

    def _work(self) -> None:
        # The server's own start has run the checks that matter; the worker's would cost a second.
        os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
        WorkController(
            app=app,
            hostname="embedded",
            pool_cls="threads",
            concurrency=_CONCURRENCY,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            loglevel="WARNING",
        ).start()
