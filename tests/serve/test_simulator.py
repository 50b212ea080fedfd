"""Simulated agents on real sockets against the real server: belief equals truth, and what a run measures is right."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from agents.snapshot import UNSET, AgentPatch
from opamp.simulator.behaviour import Behaviour, Quirk
from opamp.simulator.fleet import Fleet, wait_until
from opamp.simulator.journal import Journal
from opamp.simulator.plan import Amount, Plan, parts
from tests.opamp.fakes import SECRET
from tests.serve.conftest import Running
from tests.simulator.memory import GOOD, offer

WITHIN_S = 20
ROOT = Path(__file__).resolve().parents[2]


def plan(running: Running, **changes: Any) -> Plan:
    settled: dict[str, Any] = {
        "url": running.url,
        "tokens": [SECRET],
        "count": 50,
        "ramp_per_s": 0,
        "backoff_max_s": 0.2,
        "behaviour": Behaviour(heartbeat_s=0.2, apply_delay_s=0),
    }
    return Plan(**(settled | changes))


def offer_to_all(running: Running, planned: Plan, text: str) -> str:
    """All agents of the plan, which follow from its seed, are to run this as soon as they come."""
    wanted = offer(text)
    running.domain.offers[wanted.hash] = wanted
    for part in parts(planned):
        running.domain.desired[part.agent.uid] = wanted.hash
    return wanted.hash


def beliefs(running: Running) -> dict[UUID, AgentPatch]:
    merged: dict[UUID, AgentPatch] = {}
    for patch in list(running.domain.patches):
        before = merged.get(patch.instance_uid)
        merged[patch.instance_uid] = patch if before is None else before.merge(patch)
    return merged


def is_believed(running: Running, fleet: Fleet, *, status: int) -> bool:
    known = beliefs(running)
    for truth in fleet.truths():
        patch = known.get(truth.uid)
        if patch is None or patch.remote_config in (UNSET, None) or patch.effective_config is UNSET:
            return False
        report: Any = patch.remote_config
        effective: Any = patch.effective_config
        if (report.hash, report.status.value) != (truth.remote_hash, truth.remote_status):
            return False
        if truth.remote_status != status or effective.sha256 != truth.effective_sha256:
            return False
    return True


@asynccontextmanager
async def simulated(
    planned: Plan, journal: Journal | None = None, *, goodbye_s: float = WITHIN_S
) -> AsyncIterator[Fleet]:
    fleet = Fleet(planned, journal=journal)
    await fleet.start()
    try:
        yield fleet
    finally:
        await fleet.stop(within_s=goodbye_s)


async def becomes(holds: Callable[[], bool], fleet: Fleet) -> None:
    assert await wait_until(holds, within_s=WITHIN_S), fleet.result()


@pytest.mark.parametrize(
    "running", ["uvicorn"], indirect=True
)  # plain HTTP is on the web port alone
async def test_fifty_agents_over_both_transports_take_what_they_are_offered(
    running: Running, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    journal = Journal(log)
    planned = plan(running, http=Amount(count=10))
    config_hash = offer_to_all(running, planned, GOOD)
    async with simulated(planned, journal) as fleet:
        fleet.mark()
        await becomes(lambda: is_believed(running, fleet, status=1), fleet)
        await becomes(lambda: fleet.measures.heartbeats.count > 50, fleet)
        result = fleet.result()
    assert fleet.connected == 0
    assert result["connected"] == 50
    assert result["offers"][config_hash]["agents"] == 50
    assert result["offers"][config_hash]["applied"] == 50
    assert result["offers"][config_hash]["latency"]["count"] == 50
    assert result["repeated_offers"] == 0
    assert result["errors"] == {}
    assert 0 < result["heartbeat"]["p50_ms"] <= result["heartbeat"]["max_ms"]
    assert json.loads(json.dumps(result)) == result
    journal.close()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    applied = [line for line in lines if line.get("status") == 1]
    assert {line["uid"] for line in applied} == {str(truth.uid) for truth in fleet.truths()}
    assert sum(line["kind"] == "offered" for line in lines) == 50


async def test_cut_connections_come_back_and_nothing_is_forgotten(running: Running) -> None:
    planned = plan(running, count=20)
    offer_to_all(running, planned, GOOD)
    async with simulated(planned) as fleet:
        await becomes(lambda: is_believed(running, fleet, status=1), fleet)
        assert fleet.cut(20) == 20
        await becomes(lambda: fleet.measures.connects.count == 40, fleet)
        await becomes(lambda: is_believed(running, fleet, status=1), fleet)
        assert fleet.measures.errors["cut"] == 20


async def test_the_log_tells_where_agents_were_and_what_was_answered(
    running: Running, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    journal = Journal(log)
    planned = plan(running, count=5)
    offer_to_all(running, planned, GOOD)
    async with simulated(planned, journal) as fleet:
        await becomes(lambda: is_believed(running, fleet, status=1), fleet)
        await becomes(lambda: fleet.measures.heartbeats.count > 10, fleet)
        fleet.cut(5)
        await becomes(lambda: fleet.measures.connects.count == 10, fleet)
    journal.close()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for truth in fleet.truths():
        mine = [line for line in lines if line["uid"] == str(truth.uid)]
        begun = [line for line in mine if line["kind"] == "connected"]
        over = next(line for line in mine if line["kind"] == "disconnected")
        said = [line["seq"] for line in mine[: mine.index(over)] if "seq" in line]
        heard = next(line for line in mine if line["kind"] == "heard")
        assert said[0] <= heard["upto"] <= over["answered"]
        assert mine.index(begun[0]) < mine.index(heard) < mine.index(over)
        assert [line["url"] for line in begun] == [running.url] * 2
        assert begun[0]["after"] == -1
        assert said[-1] <= over["answered"] <= begun[1]["after"]


async def test_agents_that_are_not_let_in_go_on_at_another_address(running: Running) -> None:
    planned = plan(running, url="ws://127.0.0.1:1/v1/opamp", others=(running.url,), count=10)
    async with simulated(planned) as fleet:
        await becomes(lambda: fleet.connected == 10, fleet)


@pytest.mark.parametrize("is_read", [False, True])
async def test_agents_whose_server_dies_before_it_answers_the_upgrade_try_again(
    is_read: bool,
) -> None:
    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if is_read:
            await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    dying = await asyncio.start_server(die, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{dying.sockets[0].getsockname()[1]}/v1/opamp"
    async with dying, simulated(Plan(url, [SECRET], 5, ramp_per_s=0, backoff_max_s=0.1)) as fleet:
        await becomes(lambda: fleet.measures.errors.total() > 10, fleet)


@pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
async def test_those_that_poll_go_on_at_another_of_their_addresses(running: Running) -> None:
    nobody, everybody = "ws://127.0.0.1:1/v1/opamp", Amount(share=1.0)
    planned = plan(running, url=nobody, polled=(nobody, running.url), count=10, http=everybody)
    offer_to_all(running, planned, GOOD)
    async with simulated(planned) as fleet:
        await becomes(lambda: is_believed(running, fleet, status=1), fleet)


async def test_over_http_no_heartbeats_pile_up_behind_what_is_not_answered() -> None:
    nobody, quick = "ws://127.0.0.1:1/v1/opamp", Behaviour(heartbeat_s=0.01)
    polls = Plan(nobody, [SECRET], 1, http=Amount(count=1), backoff_max_s=0.2, behaviour=quick)
    async with simulated(polls, goodbye_s=0) as fleet:  # nobody is there to say goodbye to
        await becomes(lambda: fleet.measures.errors.total() > 5, fleet)
        assert fleet.measures.messages["heartbeat"] == 0


async def test_a_storm_cuts_again_and_again(running: Running) -> None:
    async with simulated(plan(running, count=10, storm_every_s=0.1, storm_size=5)) as fleet:
        await becomes(lambda: fleet.measures.errors["cut"] >= 10, fleet)
        await becomes(lambda: fleet.measures.connects.count >= 20, fleet)


async def test_agents_that_refuse_say_so_and_are_offered_it_once(running: Running) -> None:
    planned = plan(running, count=10, failing=Amount(share=1.0))
    config_hash = offer_to_all(running, planned, GOOD)
    async with simulated(planned) as fleet:
        await becomes(lambda: is_believed(running, fleet, status=3), fleet)
    assert fleet.result()["offers"][config_hash]["failed"] == 10
    assert fleet.result()["repeated_offers"] == 0


async def test_a_wrong_token_is_counted_and_tried_again(running: Running) -> None:
    async with simulated(plan(running, count=2, tokens=["tlf_e_wrong"])) as fleet:
        await becomes(lambda: fleet.measures.errors["refused with 401"] >= 4, fleet)
        assert fleet.connected == 0


@pytest.mark.parametrize("quirk", [quirk for quirk in Quirk if quirk is not Quirk.NONE])
async def test_the_others_do_not_notice_one_that_misbehaves(running: Running, quirk: Quirk) -> None:
    planned = plan(running, count=12, quirks={quirk: Amount(count=4)}, trickle_s=0.05)
    async with simulated(planned) as fleet:
        good = [member for member in fleet.members if member.agent.behaviour.quirk is Quirk.NONE]
        assert len(good) == 8
        await becomes(lambda: all(member.link for member in good), fleet)
        await becomes(lambda: fleet.measures.heartbeats.count > 30, fleet)
        assert all(member.link for member in good)


@pytest.mark.parametrize("ends", ["by itself", "by a signal"])
async def test_the_command_prints_one_json_document_and_ends(running: Running, ends: str) -> None:
    command = [
        sys.executable,
        "manage.py",
        "simulate_agents",
        "--url",
        running.url,
        "--token",
        SECRET,
    ]
    command += [
        "--count",
        "5",
        "--heartbeat",
        "0.2",
        *(["--duration", "1"] if ends == "by itself" else []),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        if ends == "by a signal":
            assert await wait_until(lambda: len(running.domain.epochs) == 5, within_s=3 * WITHIN_S)
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(3 * WITHIN_S):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors
    result = json.loads(output)
    assert result["agents"] == 5
    assert result["connected"] == 5 or ends == "by itself"
    assert set(result) >= {
        "connect",
        "heartbeat",
        "offers",
        "errors",
        "cpu_s",
        "limited_by_simulator",
    }
    assert b"Error" not in errors
