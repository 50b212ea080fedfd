"""Beat while Redis is away: what it says, and that it goes on."""

import logging
from typing import Any

import pytest
from celery.beat import ScheduleEntry, SchedulingError

from telflo.celery import app
from telflo.serve.management.commands.beat import Sweeps


def test_tasks_that_cannot_be_sent_are_said_once_until_one_is_sent_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    works = iter((False, False, True, False, False))

    def send(entry: ScheduleEntry, **_named: Any) -> None:
        if not next(works):
            raise SchedulingError(f"Couldn't apply scheduled task {entry.name}: refused")

    scheduler = Sweeps(app, lazy=True)
    monkeypatch.setattr(scheduler, "apply_async", send)
    entry = ScheduleEntry(name="sweep-statuses", app=app)
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            scheduler.apply_entry(entry)
    said = [record.getMessage() for record in caplog.records if record.name == "telflo.beat"]
    assert len(said) == 2
    assert said[0].startswith("Tasks cannot be sent; they are tried again. SchedulingError: ")
    assert "Traceback" not in caplog.text
