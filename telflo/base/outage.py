"""What fails for as long as something is away is said once, and again only after it worked meanwhile."""

import logging
from typing import Any

from celery import signals
from django.db import InterfaceError, OperationalError


def warn(logger: logging.Logger, words: str, error: BaseException) -> None:
    """A line of the log with its cause; the traceback, which names libraries alone, is for DEBUG."""
    first, *_ = str(error).strip().splitlines() or [""]
    logger.warning("%s %s: %s", words, type(error).__name__, first)
    logger.debug("It was raised here.", exc_info=error)


class Outage:
    """One thing that may fail again and again. `words`: the line of the log, a whole sentence."""

    def __init__(self, logger: logging.Logger, words: str) -> None:
        self._logger = logger
        self._words = words
        self._is_failing = False

    def failed(self, error: BaseException) -> None:
        """Log it with its cause, unless the last try failed too."""
        if not self._is_failing:
            warn(self._logger, self._words, error)
        self._is_failing = True

    def works(self) -> None:
        """The last try did not fail."""
        self._is_failing = False


class TasksWithoutDatabase(logging.Filter):
    """Tasks of this process that fail because the database is away are logged once, until one succeeds.

    On `celery.app.trace`: sweeps come every 5 s, and each would log a traceback.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_failing = False
        signals.task_success.connect(self._works, weak=False)

    def filter(self, record: logging.LogRecord) -> bool:
        """False for the second such failure and those behind it."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, (InterfaceError, OperationalError)):
            return True
        was_failing, self._is_failing = self._is_failing, True
        return not was_failing

    def _works(self, **_named: Any) -> None:
        self._is_failing = False
