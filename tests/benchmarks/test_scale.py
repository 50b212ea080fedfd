"""Verdicts follow from the numbers, and a missed target comes with what its server did."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scale.__main__ import PROFILED
from benchmarks.scale.document import Result, document
from benchmarks.scale.load import Load, plan
from benchmarks.scale.measuring import WARM_S
from benchmarks.scale.prepare import configuration, mark_of
from benchmarks.scale.profiles import Profile
from benchmarks.scale.sampler import read_counts
from benchmarks.scale.takebacks import StageSeen, Takeback
from benchmarks.scale.targets import FLAT, TARGETED, TARGETS, growth_of, verdicts
from opamp.options import GatewayOptions
from opamp.simulator.member import Member
from opamp.simulator.plan import parts

ROOT = Path(__file__).parents[2]
PROFILE = Profile(
    {
        "MainThread|all|": 3.0,
        "opamp-writer|all|": 1.0,
        "MainThread|own|opamp/messages.py:Messages.answer": 2.0,
        "MainThread|self|opamp/messages.py:Messages.answer": 2.0,
    },
    wall_s=10.0,
    cpu_s=4.0,
    database_s=1.0,
    busiest=0.5,
)
BACK = Takeback(
    agents=1000,
    failing=200,
    stages=[
        StageSeen("1", 1, "passed", True),
        StageSeen("10 %", 99, "failed", True),
        StageSeen("100 %", 900, "waiting", False),
    ],
    detect_s=0.3,
    touched=100,
    recover_s=2.0,
)


def result(**numbers: float) -> Result:
    """Of one server."""
    found = {"gateway": numbers}
    return Result(
        agents=10_000,
        repeats=1,
        machine={"cores": "2"},
        loads=[1.0],
        numbers=found,
        verdicts=verdicts(found),
        profiles={"gateway": {"connect": PROFILE}},
        takebacks=[BACK],
    )


def test_growth_is_the_ratio_to_few_and_says_nothing_of_what_was_not_measured() -> None:
    assert growth_of({"beat_us": 50.0}, {"beat_us": 60.0, "connect_us": 9.0}) == {
        "beat_growth": 1.2
    }


@pytest.mark.parametrize(("growth", "is_met"), [(FLAT, True), (FLAT + 0.01, False)])
def test_flat_is_judged(growth: float, is_met: bool) -> None:
    [verdict] = verdicts({"gateway": {"connect_growth": growth}})
    assert verdict.is_met is is_met


def test_a_missed_target_says_what_its_server_did_and_a_met_one_does_not() -> None:
    missed = document(result(connect_growth=2.0))
    assert "**missed: 1.6 times the target**" in missed
    line = next(line for line in missed.splitlines() if line.startswith("- gateway, CPU to"))
    assert "the server 40%, PostgreSQL 10%" in line
    assert "MainThread 75%" in line
    assert "50% `opamp/messages.py:Messages.answer`" in line
    assert "What holds" not in document(result(connect_growth=1.0))


def test_each_server_with_a_target_is_run_each_time_and_sampled() -> None:
    """Else one run decides, and nothing says what holds a target that it missed."""
    servers = {target.server for target in TARGETS}
    assert "serve x2" in servers
    assert servers <= TARGETED
    assert servers == set(PROFILED)


BURNS = """
import os
import sys
import time
from pathlib import Path

from benchmarks.scale import sampler

def burning(file):
    until_s = time.monotonic() + 20
    while not any("burning" in name for name in sampler.read_counts(file)):
        assert time.monotonic() < until_s
        for _ in range(1_000_000):
            pass

sampler.start(sys.argv[1])
child = os.fork()
if not child:
    burning(Path(sys.argv[1]))
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_forked_processes_are_sampled_too(tmp_path: Path) -> None:
    """As those of `serve x2`, whose parent only waits for them."""
    file = tmp_path / "profile"
    command = [sys.executable, "-c", BURNS, str(file)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert any("burning" in name for name in read_counts(file))


def test_a_bad_version_that_stopped_where_its_budget_was_spent_is_met() -> None:
    assert (BACK.spent, BACK.most, BACK.outcome) == (1, 100, "met")
    assert "| 200 of 1,000 | 2 (10 %) | 0 | 100 of at most 100 | 0.30 s | 2.00 s | met |" in (
        document(result())
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"touched": 101},
        {"recover_s": 61.0},
        {"stages": [*BACK.stages[:2], replace(BACK.stages[2], has_begun=True)]},
    ],
)
def test_one_that_went_on_touched_more_or_stayed_too_long_is_missed(
    changes: dict[str, object],
) -> None:
    assert "missed" in replace(BACK, **changes).outcome  # type: ignore[arg-type]  # its fields


class Noting(Load):
    """Only notes whose turn it is."""

    def __init__(self, agents: int) -> None:
        wanted = plan("ws://127.0.0.1:1/", "", agents)
        super().__init__(wanted)
        self.members = [Member(part, wanted.url) for part in parts(wanted)]
        self.noted: list[int] = []

    def _beat(self, member: Member) -> None:
        self.noted.append(member.number)


def test_heartbeats_go_on_where_they_stopped_so_that_each_agent_has_the_same_pause() -> None:
    load = Noting(3)
    lengths = []
    for _ in range(3):
        asyncio.run(load.beat(1_000, 0.02))
        lengths.append(len(load.noted))
    assert lengths[0] < lengths[1] < lengths[2]
    assert load.noted == [turn % 3 for turn in range(len(load.noted))]


def test_heartbeats_are_measured_when_those_before_are_being_stored() -> None:
    assert GatewayOptions().buffer.heartbeat_flush_s <= WARM_S


def test_a_prepared_version_is_told_by_its_mark_and_is_10_kb() -> None:
    assert mark_of(1) in configuration(1)
    assert mark_of(1) not in configuration(2)
    assert 10_000 < len(configuration(1)) < 11_000


def test_where_the_load_was_at_its_limit_the_target_says_so() -> None:
    told = "gateway, 10,000 agents, connect: it used 98% of a core in its busiest second"
    held = replace(result(stored_s=12.0), limits=[told])
    assert "**missed: 1.2 times the target**; the load was at its limit" in document(held)
    assert "at its limit" not in document(result(stored_s=12.0))
