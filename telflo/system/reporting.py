"""Each process writes what its parts are and count, every few seconds, from a thread of its own."""

import asyncio
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from opamp.domain import with_connections
from telflo.base import clock, hints, logs, tracing
from telflo.base.ids import new_id
from telflo.base.measures import Numbers, families, sample
from telflo.base.outage import Outage
from telflo.system.models import EVERY, KEPT, LIVE, ProcessKind, ServerProcess

logger = logging.getLogger(__name__)

TOPIC: Final = "system"
FAMILIES: Final = families(
    "telflo_process_",
    gauges={
        "resident_bytes": "Memory that the process has in use.",
        "loop_lag_seconds": "How long the event loop made a callback wait: the longest in 5 s.",
        "back_seconds": "How long ago it reached the database again, once it could not for a while.",
    },
    counters={
        "cpu_seconds": "Processor time that the process used.",
        "lost_hints": "Hints to pages and gateways that did not go out: Redis did not take them.",
    },
)
_STATM: Final = Path("/proc/self/statm")
_LOOP_S: Final = 1.0
_PRUNE_EVERY: Final = 120
_UPDATED: Final = ("seen_at", "clock_at", "numbers")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that this process does: what it counts, and whether it still runs."""

    kind: ProcessKind
    numbers: Callable[[], Numbers] = dict
    is_alive: Callable[[], bool] = lambda: True
    id: UUID = field(default_factory=new_id)


@dataclass(slots=True)
class Reporter:
    """Writes the rows of its parts until stop(). The first part also tells what the process as a whole uses."""

    parts: Sequence[Part]
    loop: asyncio.AbstractEventLoop | None = None
    """The loop whose lag is watched."""
    started_at: datetime = field(default_factory=clock.now)
    _loop_lag_s: float = 0.0
    _storing: Outage = field(
        default_factory=lambda: Outage(logger, "What this process counts could not be stored.")
    )
    _reports: int = 0
    _back_s: float | None = None
    """time.monotonic() when it could write again after a gap."""
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. Logs and traces of this process carry the name of its first part from now on."""
        kind = self.parts[0].kind.value
        logs.speak_as(kind)
        tracing.start(kind, settings.TELFLO_VERSION)
        _here[:] = [self]
        self._thread = threading.Thread(target=self._run, name="telflo-reporter", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and take the rows away: this is an orderly stop."""
        if self._thread is None:
            return
        self._ended.set()
        self._thread.join(EVERY.total_seconds())
        _here.clear()
        with suppress(Exception):  # without a database the rows go by their age
            self._leave()

    def rows(self) -> list[ServerProcess]:
        """What this process would write now; times are its own."""
        moment = clock.now()
        return [
            ServerProcess(
                id=part.id,
                kind=part.kind,
                host=socket.gethostname(),
                pid=os.getpid(),
                version=settings.TELFLO_VERSION,
                started_at=self.started_at,
                seen_at=moment,
                clock_at=moment,
                numbers=part.numbers() | (self._usage() if part is self.parts[0] else {}),
            )
            for part in self.parts
            if part.is_alive()
        ]

    @with_connections
    def report(self) -> None:
        """Write the rows once, in one statement; seen_at is the database's time. Raises DatabaseError.

        After a gap they tell from then on how long ago it ended.
        """
        if self._reports and not self._was_seen_lately():
            self._back_s = time.monotonic()
        rows = self.rows()
        for row in rows:
            row.seen_at = Now()
        ServerProcess.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=_UPDATED
        )
        if self._reports % _PRUNE_EVERY == 0:
            ServerProcess.objects.filter(seen_at__lt=Now() - KEPT).delete()
        self._reports += 1

    def _was_seen_lately(self) -> bool:
        """By the database's clock. Asked first, so that a database that hangs does so here and not while writing."""
        lately = ServerProcess.objects.filter(pk=self.parts[0].id, seen_at__gte=Now() - LIVE)
        return lately.exists()

    @with_connections
    def _leave(self) -> None:
        ServerProcess.objects.filter(pk__in=[part.id for part in self.parts]).delete()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.report()
            except Exception as error:  # noqa: BLE001 - logged there, and tried again
                self._storing.failed(error)
            else:
                self._storing.works()
                if self.parts[0].kind == ProcessKind.WEB:
                    hints.touch([TOPIC])
            self._wait()

    def _wait(self) -> None:
        """Until the next report; meanwhile the loop is asked how quick it is."""
        lags_s = [0.0]
        for _ in range(round(EVERY.total_seconds() / _LOOP_S)):
            if self._ended.wait(_LOOP_S):
                return
            if self.loop is not None:
                lags_s.append(_lag_of(self.loop))
        self._loop_lag_s = max(lags_s)

    def _usage(self) -> Numbers:
        used: Numbers = {
            "telflo_process_cpu_seconds": [sample(time.process_time())],
            "telflo_process_lost_hints": [sample(hints.lost())],
        }
        if self._back_s is not None:
            used["telflo_process_back_seconds"] = [sample(time.monotonic() - self._back_s)]
        if self.loop is not None:
            used["telflo_process_loop_lag_seconds"] = [sample(self._loop_lag_s)]
        if _STATM.exists():
            pages = int(_STATM.read_text().split()[1])
            used["telflo_process_resident_bytes"] = [sample(pages * os.sysconf("SC_PAGE_SIZE"))]
        return used


_here: list[Reporter] = []


def own_rows() -> list[ServerProcess]:
    """The parts of this process with their numbers of this moment; none where nothing reports (tests, runserver)."""
    return [row for reporter in _here for row in reporter.rows()]


@contextmanager
def reporting(part: Part) -> Iterator[None]:
    """Report one part while the block runs."""
    reporter = Reporter([part])
    reporter.start()
    try:
        yield
    finally:
        reporter.stop()


def _lag_of(loop: asyncio.AbstractEventLoop) -> float:
    """How long the loop takes to come to a callback; at most a second is waited for it."""
    reached = threading.Event()
    began_s = time.perf_counter()
    try:
        loop.call_soon_threadsafe(reached.set)
    except RuntimeError:  # closed: the server is stopping
        return 0.0
    reached.wait(_LOOP_S)
    return time.perf_counter() - began_s
