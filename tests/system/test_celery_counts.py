"""Tasks are counted where they end, also in children that are killed."""

import os
import signal
from types import SimpleNamespace

import pytest
from celery import signals

from telflo.base.measures import Numbers, total
from telflo.system.celery_counts import BeatCounts, TaskCounts

SWEEP = SimpleNamespace(name="agents.tasks.sweep_statuses")


def run(counts: TaskCounts, task_id: str, state: str) -> None:
    counts._begun(task_id, SWEEP)
    counts._over(task_id, SWEEP, state=state)


def ended(numbers: Numbers) -> dict[str, int]:
    return {labels["state"]: n for labels, n in numbers["telflo_tasks"]}


def test_tasks_are_counted_by_name_and_state() -> None:
    counts = TaskCounts()
    for task_id, state in (("a", "SUCCESS"), ("b", "SUCCESS"), ("c", "FAILURE"), ("d", "RETRY")):
        run(counts, task_id, state)
    numbers = counts.numbers()
    assert ended(numbers) == {"failure": 1, "retry": 1, "success": 2}
    assert numbers["telflo_tasks"][0][0]["task"] == SWEEP.name
    assert sum(numbers["telflo_task_seconds"][0][1]["counts"]) == 4
    assert total(numbers, "telflo_task_lag_seconds") >= 0
    assert ended(counts.numbers()) == ended(numbers)


def test_a_child_tells_its_parent_even_when_it_is_killed() -> None:
    counts = TaskCounts()
    child = os.fork()
    if child == 0:
        run(counts, "a", "SUCCESS")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert ended(counts.numbers()) == {"success": 1}


def test_a_parent_that_does_not_read_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telflo.system.celery_counts._PIPE_BYTES", 4096)
    counts = TaskCounts()
    for n in range(300):
        run(counts, str(n), "SUCCESS")
    assert 0 < ended(counts.numbers())["success"] < 300


def test_before_the_first_task_there_is_no_lag() -> None:
    assert TaskCounts().numbers()["telflo_task_lag_seconds"] == []
    assert BeatCounts().numbers()["telflo_beat_lag_seconds"] == []


def test_beat_counts_what_is_periodic_and_nothing_else() -> None:
    counts = BeatCounts()
    counts.connect()
    try:
        for name in (SWEEP.name, "fleets.tasks.advance_rollout"):
            signals.after_task_publish.send(sender=name)
    finally:
        signals.after_task_publish.disconnect(counts._published)
    assert total(counts.numbers(), "telflo_beat_sent") == 1
