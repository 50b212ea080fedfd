"""Work that the database ended for another's sake is done again; other errors are not."""

import pytest
from django.db import OperationalError
from psycopg.errors import DeadlockDetected

from telflo.base.deadlocks import again_after_deadlock


class Work:
    """Fails so many times, then answers."""

    def __init__(self, failures: int, cause: Exception) -> None:
        self.failures = failures
        self.cause = cause
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise OperationalError(str(self.cause)) from self.cause
        return "done"


def patient(work: Work) -> str:
    @again_after_deadlock
    def run() -> str:
        return work()

    return run()


def test_a_deadlock_is_tried_again() -> None:
    assert patient(Work(2, DeadlockDetected("deadlock detected"))) == "done"


def test_not_for_ever() -> None:
    work = Work(10, DeadlockDetected("deadlock detected"))
    with pytest.raises(OperationalError):
        patient(work)
    assert work.calls == 3


def test_a_database_that_is_away_is_nothing_to_try_at_once() -> None:
    work = Work(1, ConnectionError("refused"))
    with pytest.raises(OperationalError):
        patient(work)
    assert work.calls == 1


@pytest.mark.django_db
def test_within_a_transaction_nothing_is_repeated() -> None:
    work = Work(1, DeadlockDetected("deadlock detected"))
    with pytest.raises(OperationalError):
        patient(work)
    assert work.calls == 1
