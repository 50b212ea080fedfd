"""What is sent to a service that may hang, from a thread of its own: nobody who has something to send waits."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)


class Post(Protocol):
    """Where what is to be sent goes."""

    def post(self, key: str) -> None:
        """Have it sent. Never raises."""


class Outbox:
    """Sends keys one after the other; one that waits already is not sent twice, so they bound what waits.

    For what something else finds too when it was not sent: what waits when the process ends is lost.
    """

    def __init__(self, send: Callable[[str], object]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._is_sending = False
        self._is_failing = False

    def post(self, key: str) -> None:
        """Have it sent soon. Never waits, never raises. Any thread."""
        with self._lock:
            self._waiting[key] = None
            if self._is_sending:
                return
            self._is_sending = True
        try:
            threading.Thread(target=self._run, name="telflo-outbox", daemon=True).start()
        except Exception as error:  # noqa: BLE001 - no more threads, no memory: logged there
            with self._lock:
                self._is_sending = False  # the next post tries again
            self._failed(error)

    def _run(self) -> None:
        while (key := self._next()) is not None:
            try:
                self._send(key)
            except Exception as error:  # noqa: BLE001 - logged there
                self._failed(error)
            else:
                self._is_failing = False

    def _next(self) -> str | None:
        """The one that waits longest; None ends the thread, and the next post starts another."""
        with self._lock:
            key = next(iter(self._waiting), None)
            if key is None:
                self._is_sending = False
            else:
                del self._waiting[key]
            return key

    def _failed(self, error: Exception) -> None:
        """Said once, until one is sent again."""
        if not self._is_failing:
            logger.warning("A task was not sent; the next sweep does its work.", exc_info=error)
        self._is_failing = True
