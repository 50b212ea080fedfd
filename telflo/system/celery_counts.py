"""What a worker did and what beat sent, counted by Celery's signals.

Tasks of a prefork worker end in its children, so each tells the parent through a pipe: writes of so few bytes are never
torn, a child that is killed holds no lock, and a full pipe loses counts and nothing else.
"""

import fcntl
import json
import os
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any, Final

from celery import signals
from django.conf import settings

from telflo.base import logs, tracing
from telflo.base.measures import SECONDS, Histogram, Numbers, families, sample

FAMILIES: Final = families(
    "telflo_",
    gauges={
        "task_lag_seconds": "Time since a worker ended its last task; beat sends one every 5 s.",
        "beat_lag_seconds": "Time since beat sent its last task.",
    },
    counters={
        "tasks": "Background tasks that ended, by task and state.",
        "beat_sent": "Tasks that beat sent.",
    },
    histograms={"task_seconds": "Time that background tasks take."},
)
_PIPE_BYTES: Final = 1024 * 1024
_READ_BYTES: Final = 65_536


class TaskCounts:
    """What the tasks of this process and of its children came to. Make it before the children."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        fcntl.fcntl(self._writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._rest = b""
        self._ended: Counter[tuple[str, str]] = Counter()
        self._seconds = Histogram(SECONDS)
        self._last_s = 0.0
        self._running: dict[str, tuple[float, ExitStack]] = {}

    def connect(self) -> None:
        """Listen to Celery."""
        signals.task_prerun.connect(self._begun, weak=False)
        signals.task_postrun.connect(self._over, weak=False)

    def numbers(self) -> Numbers:
        """Everything so far. One thread."""
        self._read()
        lag = [sample(time.monotonic() - self._last_s)] if self._last_s else []
        return {
            "telflo_tasks": [
                sample(count, task=task, state=state)
                for (task, state), count in sorted(self._ended.items())
            ],
            "telflo_task_seconds": [sample(self._seconds.value())],
            "telflo_task_lag_seconds": lag,
        }

    def _begun(self, task_id: str, task: Any, **_more: Any) -> None:
        around = ExitStack()
        around.enter_context(logs.about(task=task.name, task_id=task_id))
        around.enter_context(tracing.span("task", task=task.name))
        self._running[task_id] = (time.perf_counter(), around)

    def _over(self, task_id: str, task: Any, state: str | None = None, **_more: Any) -> None:
        began_s, around = self._running.pop(task_id, (time.perf_counter(), ExitStack()))
        around.close()
        # monotonic() is the same clock in all processes of a machine.
        seconds = time.perf_counter() - began_s
        line = [task.name, (state or "unknown").lower(), seconds, time.monotonic()]
        try:
            os.write(self._writing, json.dumps(line).encode() + b"\n")
        except BlockingIOError:
            return

    def _read(self) -> None:
        text = self._rest
        try:
            while part := os.read(self._reading, _READ_BYTES):
                text += part
        except BlockingIOError:
            pass
        *lines, self._rest = text.split(b"\n")
        for line in lines:
            name, state, seconds, ended_s = json.loads(line)
            self._ended[name, state] += 1
            self._seconds.observe(seconds)
            self._last_s = max(self._last_s, ended_s)


class BeatCounts:
    """What beat sends. Made in its process."""

    def __init__(self) -> None:
        self._names = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
        self._sent = 0
        self._last_s = 0.0

    def connect(self) -> None:
        """Listen to Celery."""
        signals.after_task_publish.connect(self._published, weak=False)

    def numbers(self) -> Numbers:
        """Everything so far. Any thread."""
        lag = [sample(time.monotonic() - self._last_s)] if self._last_s else []
        return {"telflo_beat_sent": [sample(self._sent)], "telflo_beat_lag_seconds": lag}

    def _published(self, sender: str, **_more: Any) -> None:
        if sender in self._names:
            self._sent += 1
            self._last_s = time.monotonic()
