"""Asking what may hang (a database, Redis): on a thread of its own, for a bounded time, one at a time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Pending(Future[T]):
    """An answer that may be long in coming."""

    def __init__(self) -> None:
        super().__init__()
        self.begun_s = time.monotonic()
        self.set_running_or_notify_cancel()  # who waits no longer must not cancel it for others

    def within(self, seconds: float) -> T:
        """The answer. Raises TimeoutError so long after the question was asked, or what the question raised."""
        return self.result(max(0.0, self.begun_s + seconds - time.monotonic()))


class Asked(Generic[T]):
    """A question. Who asks while it is being asked waits for the same answer, which is then good for `keep_s`.

    One that hangs holds one thread, and until it ends everybody is told at once that there is no answer.
    """

    def __init__(self, question: Callable[[], T], *, keep_s: float = 0.0) -> None:
        self._question = question
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._asked: Pending[T] | None = None

    def begin(self) -> Pending[T]:
        """Ask, unless it is being asked or the last answer is good still, and do not wait. Any thread."""
        with self._lock:
            if self._asked is None or self._is_over(self._asked):
                self._asked = Pending()
                run = threading.Thread(target=self._run, args=(self._asked,), daemon=True)
                run.start()
            return self._asked

    def _is_over(self, asked: Pending[T]) -> bool:
        return asked.done() and time.monotonic() >= asked.begun_s + self._keep_s

    def _run(self, asked: Pending[T]) -> None:
        try:
            asked.set_result(self._question())
        except BaseException as error:  # noqa: BLE001 - raised where the answer is read
            asked.set_exception(error)
