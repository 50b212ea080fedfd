"""PostgreSQL, Redis or the worker is away for a minute: agents stay, nothing that they said is lost, all goes on by itself."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from opamp.proto.opamp_pb2 import ServerErrorResponseType
from telflo.base.ids import new_id
from tests.e2e.harness.outages import parts
from tests.e2e.harness.plant import SOON_S, Agent, Installation
from tests.e2e.harness.server import Process
from tests.e2e.harness.silence import Balancer
from tests.e2e.harness.waiting import PATIENCE_S, tail, wait_until

AWAY_S: Final = float(os.environ.get("TELFLO_E2E_AWAY_S", "60"))
AGENTS: Final = 5
NEWCOMERS: Final = 20
KNOCK_S: Final = 2.0
UNAVAILABLE: Final = ServerErrorResponseType.ServerErrorResponseType_Unavailable
MILL: Final = """
from configs.services import create_configuration, publish_version, save_version
from fleets.services import create_fleet
from fleets.tokens import Expiry, issue_token
from telflo.base.activity import Actor
actor = Actor.worker("test")
configuration = create_configuration(name="mill", actor=actor)
published = []
for number in ("1", "2"):
    text = "receivers: {otlp/" + number + ": }"
    saved = save_version(configuration=configuration, yaml=text, actor=actor)
    published.append(publish_version(version=saved, actor=actor))
fleet = create_fleet(name="Mill", version=published[0], actor=actor)
print("secret", issue_token(fleet=fleet, name="all", expires=Expiry.NEVER, actor=actor).secret)
"""
ROLL_OUT: Final = """
from configs.models import ConfigVersion
from fleets.models import Fleet
from fleets.rollouts.services import start_rollout
from telflo.base.activity import Actor
start_rollout(fleet=Fleet.objects.get(name="Mill"), version=ConfigVersion.objects.get(number=2), actor=Actor.worker("test"))
"""


@dataclass(frozen=True)
class Outage:
    """What is away, how it goes, and a word for it in what agents say."""

    word: str
    part: str
    begin: Callable[[Installation], AbstractContextManager[None]]


OUTAGES: Final = (
    Outage("hangs", "database", lambda its: its.parts.hanging_postgres()),
    Outage("crashed", "database", lambda its: its.parts.killed_postgres()),
    Outage("silent", "database", lambda its: its.balancer.silent()),
    Outage("waits", "redis", lambda its: its.parts.hanging_redis()),
    Outage("forgot", "redis", lambda its: its.parts.killed_redis()),
)


@contextmanager
def installed(folder: Path, **how: Any) -> Iterator[Installation]:
    """An installation while the block runs; its processes end in order."""
    folder.mkdir()
    with parts() as running:
        balancer = Balancer(running.database_url)
        made = Installation(running, folder, balancer, **how)
        with balancer.running():
            try:
                made.start()
                yield made
            finally:
                codes = {process.log.stem: process.end() for process in made.processes}
    assert not any(codes.values()), codes


@pytest.fixture
def installations(ground: Path) -> Iterator[Sequence[Installation]]:
    """One for each outage."""
    with ExitStack() as stack:
        yield [stack.enter_context(installed(ground / outage.word)) for outage in OUTAGES]


async def test_what_is_away_comes_back_and_nothing_was_lost(
    installations: Sequence[Installation],
) -> None:
    """All outages at once: a minute is long."""
    async with asyncio.TaskGroup() as stories:
        for outage, installation in zip(OUTAGES, installations, strict=True):
            stories.create_task(_live_through(outage, installation), name=outage.word)


async def test_a_database_whose_connections_died_without_a_word_is_found_again(
    ground: Path,
) -> None:
    """And processes end while it is silent."""
    with installed(ground / "forgotten", answer_s=3) as installation:
        agents = [Agent(await installation.connect(port)) for port in installation.ports]
        for agent in agents:
            await agent.say("before")
            await asyncio.to_thread(_wait_for_all, installation, agent)
        installation.balancer.forget()
        for agent in agents:
            await agent.say("behind")
        for agent in agents:
            await asyncio.to_thread(_wait_for_all, installation, agent)
        await asyncio.to_thread(installation.wait_for, 200)
        with installation.balancer.silent():
            for agent in agents:
                await agent.say("too late")
            ending = [asyncio.to_thread(process.end) for process in installation.processes]
            await asyncio.gather(*ending)
        installation.processes.clear()  # what came too late could not be stored


async def test_without_a_worker_agents_are_heard_and_a_rollout_goes_on_behind_it(
    ground: Path,
) -> None:
    with installed(ground / "worker") as installation:
        agents = [Agent(await installation.connect(port)) for port in installation.ports]
        secret = installation.shell(MILL).split("secret ")[1].strip()
        worker, _ = installation.begin("worker"), installation.begin("beat")
        options = ["--url", installation.url(installation.port), "--token", secret]
        installation.begin("simulate_agents", *options, "--count", "3", "--apply-delay", "0")
        await asyncio.to_thread(_wait_for, installation, "agents_agentstatus WHERE connected", 3)
        await asyncio.to_thread(_wait_for_word, worker, "worker runs")
        assert await asyncio.to_thread(worker.end) == 0
        installation.processes.remove(worker)
        await asyncio.to_thread(installation.shell, ROLL_OUT)
        ends_at = time.monotonic() + AWAY_S
        while time.monotonic() < ends_at:
            for agent in agents:
                await agent.say(f"nobody works {agent.number}")
            await asyncio.sleep(0.2)
        done = "fleets_rollout WHERE state = 'succeeded'"
        assert not installation.count(done), "nobody was there who would judge it"
        installation.begin("worker")
        await asyncio.to_thread(_wait_for, installation, done, 1)
        for agent in agents:
            await asyncio.to_thread(_wait_for_all, installation, agent)
            await agent.socket.close()


def _wait_for_word(process: Process, word: str) -> None:
    """One that is told to end before it listens to signals ends at once, and not in order."""
    wait_until(
        lambda: word in process.log.read_text(),
        what=f"it says {word}",
        within_s=PATIENCE_S,
        evidence=lambda: tail(process.log),
    )


def _wait_for(installation: Installation, rows: str, number: int) -> None:
    wait_until(
        lambda: installation.count(rows) >= number,
        what=f"{number} of {rows}",
        within_s=SOON_S,
        evidence=installation.logs,
    )


async def _live_through(outage: Outage, installation: Installation) -> None:
    agents = [
        Agent(await installation.connect(port))
        for port in installation.ports
        for _ in range(AGENTS)
    ]
    for agent in agents:
        await agent.say("from the start")
    known = {port: new_id() for port in installation.ports}
    for port, uid in known.items():
        await _return_again(installation, port, uid, until_s=0)
    with outage.begin(installation):
        visitors = known if outage.part == "redis" else {}
        await _bear(outage, installation, agents, visitors)
        if outage.part == "database":
            await asyncio.to_thread(_blames_the_database_alone, installation)
    await asyncio.to_thread(installation.wait_for, 200)
    await _let_a_newcomer_in(installation)
    for agent in agents:
        await asyncio.to_thread(_wait_for_all, installation, agent)
    for agent in agents:
        await agent.say()
        await agent.socket.close()


async def _bear(
    outage: Outage,
    installation: Installation,
    agents: Sequence[Agent],
    visitors: Mapping[int, UUID],
) -> None:
    """Agents go on talking until it was away for long enough, and others come beside them."""
    ends_at = time.monotonic() + AWAY_S
    async with asyncio.TaskGroup() as beside:
        noticing = asyncio.to_thread(installation.wait_for, 503, outage.part)
        noticed = beside.create_task(noticing)
        for port, uid in visitors.items():
            for visit in _visits(installation, port, uid, ends_at):
                beside.create_task(visit)
        while time.monotonic() < ends_at or not noticed.done():
            for agent in agents:
                await agent.say(f"{outage.word} {agent.number}")
            await asyncio.sleep(0.2)


def _blames_the_database_alone(installation: Installation) -> None:
    """Both answer while it hangs, and /metrics with the numbers of this process."""
    for port in installation.ports:
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20)
        assert (ready.status_code, "redis" in ready.text) == (503, False), ready.text
    metrics = httpx.get(f"http://127.0.0.1:{installation.web}/metrics", timeout=20).text
    assert "telflo_database_up 0.0" in metrics
    assert "telflo_process_info" in metrics


def _visits(
    installation: Installation, port: int, uid: UUID, until_s: float
) -> Iterator[Coroutine[Any, Any, None]]:
    """Without Redis newcomers are put off, however many, and who is known is let in beside them."""
    for number in range(NEWCOMERS):
        yield _knock(installation, port, number * KNOCK_S / NEWCOMERS, until_s)
    yield _return_again(installation, port, uid, until_s=until_s)


async def _knock(installation: Installation, port: int, delay_s: float, until_s: float) -> None:
    uid = new_id()
    await asyncio.sleep(delay_s)
    while time.monotonic() < until_s:
        async with installation.connect(port) as socket:
            reply = await Agent(socket, uid).ask()
        assert reply.error_response.type == UNAVAILABLE, reply
        await asyncio.sleep(KNOCK_S)


async def _return_again(
    installation: Installation, port: int, uid: UUID, *, until_s: float
) -> None:
    while True:
        async with installation.connect(port) as socket:
            await Agent(socket, uid).say()
        await asyncio.sleep(0.2)
        if time.monotonic() >= until_s:
            return


async def _let_a_newcomer_in(installation: Installation) -> None:
    deadline = time.monotonic() + SOON_S
    for port in installation.ports:
        while True:
            try:
                async with installation.connect(port) as socket:
                    await Agent(socket).say("new")
            except (InvalidStatus, AssertionError):
                assert time.monotonic() < deadline, installation.logs()
                await asyncio.sleep(0.5)
            else:
                break


def _wait_for_all(installation: Installation, agent: Agent) -> None:
    wait_until(
        lambda: installation.stored(agent) == agent.said,
        what=f"everything that {agent.uid} said ({len(agent.said)}) is stored",
        within_s=SOON_S,
        evidence=lambda: f"{installation.stored(agent)[-5:]}\n{installation.logs()}",
    )
