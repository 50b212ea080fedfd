"""Several server processes behind one port: each has its own socket (SO_REUSEPORT), a dead one is replaced."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

from channels.layers import channel_layers

logger = logging.getLogger(__name__)

_SHORT_LIFE_S: Final = 5.0
_SHORT_LIVES: Final = 5
_STOP_S: Final = 60


class Processes:
    """Keeps `count` children running `work` until a signal, then ends them all."""

    def __init__(self, count: int, work: Callable[[], None]) -> None:
        self._count = count
        self._work = work
        self._children: dict[int, float] = {}
        self._stopping = 0
        self._short_lives = 0
        self._alive = os.pipe()
        """Only the parent keeps the end for writing: the other one tells its children that it is gone."""

    def run(self) -> int:
        """Fork, watch, replace; answers the exit code. Blocks until all are gone."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGALRM, self._on_overtime)
        for _ in range(self._count):
            self._fork()
        while self._children:
            pid, status = os.wait()
            born_s = self._children.pop(pid, None)
            if born_s is not None and not self._stopping:
                self._replace(pid, status, time.monotonic() - born_s)
        return 1 if self._short_lives >= _SHORT_LIVES else 0

    def _fork(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self._children[pid] = time.monotonic()
            return
        code = 1
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            os.close(self._alive[1])
            threading.Thread(target=_end_with, args=(self._alive[0],), daemon=True).start()
            # One that was made before the fork gives all processes one address, and one takes what is for another.
            channel_layers.backends.clear()
            self._work()
            code = 0
        except BaseException:
            logger.exception("A server process ended.")
        finally:
            os._exit(code)

    def _replace(self, pid: int, status: int, lived_s: float) -> None:
        code = os.waitstatus_to_exitcode(status)
        logger.error("Server process %d ended with %d; another takes its place.", pid, code)
        self._short_lives = self._short_lives + 1 if lived_s < _SHORT_LIFE_S else 0
        if self._short_lives >= _SHORT_LIVES:
            logger.error("Server processes end as soon as they start: giving up.")
            self._end(signal.SIGTERM)
        else:
            self._fork()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._stopping and number == signal.SIGINT:
            self._end(signal.SIGKILL)
            os._exit(130)
        self._end(signal.SIGTERM)

    def _on_overtime(self, _number: int, _frame: FrameType | None) -> None:
        """A child did not end in time: it is killed, or the stop would never end."""
        logger.error("%d server processes did not end in %d s.", len(self._children), _STOP_S)
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        self._stopping += 1
        signal.alarm(_STOP_S)
        for pid in list(self._children):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def _end_with(parent: int) -> None:
    """A child whose parent was killed stops in order, instead of holding the port with nobody to end it."""
    os.read(parent, 1)
    os.kill(os.getpid(), signal.SIGTERM)
