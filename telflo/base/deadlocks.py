"""A transaction that the database ended so that others could go on is tried again."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

_TRIES: Final = 3
_ENDED: Final = frozenset({"40001", "40P01"})
"""SQLSTATE of serialization_failure and deadlock_detected: nothing was written, and the same may work at once."""


def again_after_deadlock(work: Callable[P, R]) -> Callable[P, R]:
    """For work that is one transaction, or several of which each may be repeated. Within a transaction it is not tried
    again: what came before in it is gone too.
    """

    @wraps(work)
    def run(*args: P.args, **named: P.kwargs) -> R:
        for _ in range(_TRIES - 1):
            try:
                return work(*args, **named)
            except OperationalError as error:
                if not _was_ended(error) or connection.in_atomic_block:
                    raise
                logger.warning("A transaction met another and is tried again.", exc_info=error)
        return work(*args, **named)

    return run


def _was_ended(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _ENDED
