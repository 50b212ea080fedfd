"""What fails for as long as the database is away fills no log."""

import logging

from celery import signals
from django.db import OperationalError

from telflo.base.outage import TasksWithoutDatabase


def failure(error: Exception) -> logging.LogRecord:
    info = (type(error), error, None)
    return logging.LogRecord("celery.app.trace", logging.ERROR, "", 1, "raised", (), info)


def test_tasks_that_lack_the_database_are_logged_once_until_one_succeeds() -> None:
    shown = TasksWithoutDatabase()
    away = failure(OperationalError("away"))
    assert [shown.filter(away) for _ in range(3)] == [True, False, False]
    assert all(shown.filter(failure(ValueError("a bug"))) for _ in range(2))
    signals.task_success.send(sender=None)
    assert [shown.filter(away) for _ in range(2)] == [True, False]
