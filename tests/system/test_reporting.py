"""Rows of processes: written, kept fresh, taken away, and never in the way of the work."""

import asyncio
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from telflo.base import clock
from telflo.base.measures import sample
from telflo.system import reporting
from telflo.system.models import KEPT, ProcessKind, ServerProcess
from telflo.system.reporting import Part, Reporter, own_rows
from telflo.system.state import read_processes
from tests.system.rows import make_process

pytestmark = pytest.mark.django_db(transaction=True)


def web(**levels: Any) -> Part:
    return Part(ProcessKind.WEB, lambda: {name: [sample(n)] for name, n in levels.items()})


def until(condition: Any) -> None:
    """Wait for a thread; fails after 10 s."""
    waiting = threading.Event()
    deadline = clock.now() + timedelta(seconds=10)
    while not condition():
        assert clock.now() < deadline
        waiting.wait(0.01)


@pytest.fixture
def started() -> Iterator[list[Reporter]]:
    reporters: list[Reporter] = []
    yield reporters
    for reporter in reporters:
        reporter.stop()


def test_a_part_writes_one_row_and_keeps_it_fresh() -> None:
    reporter = Reporter([web(telflo_opamp_connections=3)])
    reporter.report()
    first = ServerProcess.objects.get()
    reporter.report()
    again = ServerProcess.objects.get()
    assert (again.kind, again.pid, again.pk) == ("web", os.getpid(), first.pk)
    assert again.started_at == first.started_at
    assert again.seen_at >= first.seen_at
    assert again.numbers["telflo_opamp_connections"] == [[{}, 3]]
    assert again.numbers["telflo_process_resident_bytes"][0][1] > 1_000_000


def test_the_times_of_a_row_are_the_databases_and_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = clock.now() + timedelta(seconds=90)
    monkeypatch.setattr("telflo.base.clock.timezone.now", lambda: ahead)
    reporter = Reporter([web()])
    reporter.report()
    [process] = read_processes()
    assert 85 < process.clock_s < 95
    assert process.silent_s < 60


def test_a_part_that_could_not_write_says_for_how_long_it_can_again() -> None:
    reporter = Reporter([web()])
    for _ in range(2):
        reporter.report()
    assert "telflo_process_back_seconds" not in ServerProcess.objects.get().numbers
    ServerProcess.objects.update(seen_at=clock.now() - timedelta(seconds=60))
    reporter.report()
    [[_, first_s]] = ServerProcess.objects.get().numbers["telflo_process_back_seconds"]
    assert first_s < 15
    reporter.report()
    [[_, then_s]] = ServerProcess.objects.get().numbers["telflo_process_back_seconds"]
    assert then_s > first_s


def test_a_part_that_was_cut_off_until_its_row_was_taken_away_is_back_too() -> None:
    reporter = Reporter([web()])
    reporter.report()
    ServerProcess.objects.all().delete()
    reporter.report()
    assert "telflo_process_back_seconds" in ServerProcess.objects.get().numbers


def test_a_part_whose_thread_ended_is_not_told() -> None:
    Reporter([web(), Part(ProcessKind.BEAT, is_alive=lambda: False)]).report()
    assert [row.kind for row in ServerProcess.objects.all()] == ["web"]


def test_a_thread_reports_and_an_orderly_stop_takes_the_rows_away(started: list[Reporter]) -> None:
    reporter = Reporter([web(), Part(ProcessKind.WORKER)])
    started.append(reporter)
    reporter.start()
    until(lambda: ServerProcess.objects.count() == 2)
    assert {row.kind for row in own_rows()} == {"web", "worker"}
    reporter.stop()
    assert not ServerProcess.objects.exists()
    assert own_rows() == []


def test_without_a_database_it_says_so_once_and_goes_on(
    started: list[Reporter], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reporting, "EVERY", timedelta(seconds=0.02))
    tries = []

    def away(_self: Reporter) -> None:
        tries.append(1)
        raise OperationalError("away")

    with monkeypatch.context() as broken:
        broken.setattr(Reporter, "report", away)
        reporter = Reporter([web()])
        started.append(reporter)
        reporter.start()
        until(lambda: len(tries) >= 3)
        assert caplog.text.count("could not be stored") == 1
    until(ServerProcess.objects.exists)


def test_rows_of_killed_processes_go_after_an_hour() -> None:
    make_process(kind="web", pid=1, silent_s=KEPT.total_seconds() + 60)
    make_process(kind="web", pid=2, silent_s=KEPT.total_seconds() - 60)
    Reporter([web()]).report()
    assert set(ServerProcess.objects.values_list("pid", flat=True)) == {2, os.getpid()}


async def test_a_loop_that_is_held_shows() -> None:
    loop = asyncio.get_running_loop()
    quick = await asyncio.to_thread(reporting._lag_of, loop)
    held = asyncio.to_thread(reporting._lag_of, loop)
    asking = asyncio.ensure_future(held)
    await asyncio.sleep(0)
    threading.Event().wait(0.3)  # the loop does something else
    assert await asking > max(quick, 0.1)


def test_this_processs_own_numbers_are_of_this_moment(started: list[Reporter]) -> None:
    level = [1]
    part = Part(ProcessKind.WEB, lambda: {"telflo_opamp_connections": [sample(level[0])]})
    reporter = Reporter([part])
    started.append(reporter)
    reporter.start()
    until(ServerProcess.objects.exists)
    level[0] = 7
    [process] = read_processes()
    assert process.level("opamp_connections") == 7
