"""What is wrong is said, and what is right is not."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from telflo.base.measures import sample
from telflo.system.findings import findings_of, process_findings
from telflo.system.values import Broker, Database, Disk, Notices, Process, State

GIB = 1024**3
THEN = datetime(2026, 11, 25, tzinfo=UTC)


def part(kind: str, *, pid: int = 1, silent_s: float = 1, **more: Any) -> Process:
    levels = {name: value for name, value in more.items() if name not in {"version", "clock_s"}}
    return Process(
        kind=kind,
        host="box",
        pid=pid,
        version=more.get("version", "1"),
        started_at=THEN,
        seen_at=THEN,
        silent_s=silent_s,
        clock_s=more.get("clock_s", 0.0),
        numbers={f"telflo_{name}": [sample(value)] for name, value in levels.items()},
    )


WELL = State(
    processes=(part("web"), part("worker"), part("beat")),
    database=Database("SQLite", 0.001),
    broker=Broker("Redis", 0.001),
    disk=Disk(100 * GIB, 200 * GIB),
)


def codes(state: State) -> list[str]:
    return [finding.code for finding in findings_of(state)]


def with_part(kind: str, **more: Any) -> State:
    return replace(WELL, processes=[*WELL.processes, part(kind, pid=2, **more)])


def test_nothing_is_said_when_all_is_well() -> None:
    assert codes(WELL) == []


def test_nothing_is_missed_where_nobody_reports() -> None:
    assert codes(replace(WELL, processes=())) == []


def test_a_gateway_that_no_offer_leads_to_is_said() -> None:
    state = with_part("gateway")
    assert codes(state) == []
    assert codes(replace(state, offers_gateway=False)) == ["gateway_not_offered"]
    assert codes(replace(WELL, offers_gateway=False)) == []


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (replace(WELL, processes=[WELL.processes[0], WELL.processes[2]]), "no_worker"),
        (replace(WELL, processes=WELL.processes[:2]), "no_beat"),
        (replace(WELL, database=Database("PostgreSQL", None)), "database_away"),
        (replace(WELL, database=Database("PostgreSQL", 0.5)), "database_slow"),
        (replace(WELL, broker=Broker("Redis", None)), "redis_away"),
        (replace(WELL, broker=Broker("Redis", 0.1, 201)), "queue_long"),
        (replace(WELL, disk=Disk(1 * GIB, 200 * GIB)), "disk"),
        (replace(WELL, notices=Notices(failing=["ops"])), "notices_failing"),
        (replace(WELL, notices=Notices(paused=["ops"])), "notices_paused"),
        (with_part("beat"), "several_beats"),
        (with_part("web", silent_s=16), "silent"),
        (with_part("web", version="2"), "versions"),
        (with_part("web", clock_s=-3), "clock"),
        (with_part("web", process_loop_lag_seconds=0.6), "busy"),
        (with_part("web", opamp_buffer_full_ratio=0.8), "buffer_full"),
        (with_part("gateway", opamp_buffer_lag_seconds=11), "buffer_lag"),
        (with_part("gateway", opamp_reconcile_lag_seconds=21), "reconcile_lag"),
        (with_part("worker", task_lag_seconds=61), "worker_idle"),
    ],
)
def test_each_trouble_is_said_once(state: State, code: str) -> None:
    assert codes(state) == [code]


def test_a_beat_that_sends_nothing_is_said() -> None:
    beat = part("beat", beat_lag_seconds=90)
    assert codes(replace(WELL, processes=(*WELL.processes[:2], beat))) == ["beat_idle"]


def test_what_is_near_a_limit_is_not_said() -> None:
    near = part(
        "web",
        pid=2,
        silent_s=14,
        clock_s=1.9,
        process_loop_lag_seconds=0.4,
        opamp_buffer_full_ratio=0.79,
        opamp_buffer_lag_seconds=9,
        opamp_reconcile_lag_seconds=19,
    )
    assert codes(replace(WELL, processes=[*WELL.processes, near])) == []


def test_a_killed_process_is_forgotten_after_ten_minutes() -> None:
    assert codes(with_part("web", silent_s=599)) == ["silent"]
    assert codes(with_part("web", silent_s=601)) == []


def test_a_worker_that_was_killed_is_missed() -> None:
    dead = part("worker", silent_s=700)
    processes = (WELL.processes[0], dead, WELL.processes[2])
    assert [finding.code for finding in process_findings(processes)] == ["no_worker"]


def test_failures_stand_before_warnings_and_each_says_what_to_do() -> None:
    found = findings_of(
        State(
            [part("web", clock_s=5), part("web", pid=2, silent_s=60)],
            Database("PostgreSQL", 0.5),
            Broker("Redis", None),
            Disk(GIB, 200 * GIB),
        )
    )
    tones = [finding.tone for finding in found]
    assert tones == sorted(tones)
    assert {finding.tone for finding in found} == {"fail", "warn"}
    assert all(finding.title and finding.todo.endswith(".") for finding in found)
