"""What fails for as long as the database is away fills no log."""

import logging

import pytest
from celery import signals
from django.db import OperationalError

from telflo.base.outage import Outage, TasksWithoutDatabase


def failure(error: Exception) -> logging.LogRecord:
    info = (type(error), error, None)
    return logging.LogRecord("celery.app.trace", logging.ERROR, "", 1, "raised", (), info)


def test_an_outage_is_said_once_with_its_cause_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("telflo.test")
    outage = Outage(logger, "It could not be stored.")
    with caplog.at_level(logging.INFO, logger.name):
        for _ in range(2):
            outage.failed(OperationalError("no such table\nLINE 1: SELECT"))
    [line] = caplog.records
    assert line.getMessage() == "It could not be stored. OperationalError: no such table"
    assert line.exc_info is None
    outage.works()
    with caplog.at_level(logging.DEBUG, logger.name):
        outage.failed(OperationalError("no such table"))
    assert caplog.records[-1].exc_info, "the traceback is for DEBUG"


def test_tasks_that_lack_the_database_are_logged_once_until_one_succeeds() -> None:
    shown = TasksWithoutDatabase()
    away = failure(OperationalError("away"))
    assert [shown.filter(away) for _ in range(3)] == [True, False, False]
    assert all(shown.filter(failure(ValueError("a bug"))) for _ in range(2))
    signals.task_success.send(sender=None)
    assert [shown.filter(away) for _ in range(2)] == [True, False]
