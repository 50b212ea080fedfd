"""PostgreSQL or Redis is away for a minute: agents stay, nothing that they said is lost, and all recovers by itself."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import psycopg
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from opamp.proto.opamp_pb2 import AgentToServer, ServerErrorResponseType, ServerToAgent
from telflo.base.ids import new_id
from tests.e2e.harness.outages import Parts, parts
from tests.e2e.harness.server import ROOT, Process, free_port
from tests.e2e.harness.waiting import tail, wait_until

AWAY_S: Final = float(os.environ.get("TELFLO_E2E_AWAY_S", "60"))
SOON_S: Final = 40
AGENTS: Final = 5
NEWCOMERS: Final = 20
KNOCK_S: Final = 2.0
ANSWER_S: Final = 20
"""A third of an outage: who waits for the other two thirds waits for what is away."""
UNAVAILABLE: Final = ServerErrorResponseType.ServerErrorResponseType_Unavailable
CAPABILITIES: Final = 0x2801  # status, health, heartbeat
SEED: Final = """
from fleets.services import create_fleet
from fleets.tokens import Expiry, issue_token
from telflo.base.activity import Actor
actor = Actor.worker("test")
fleet = create_fleet(name="Plant", version=None, actor=actor)
print("secret", issue_token(fleet=fleet, name="all", expires=Expiry.NEVER, actor=actor).secret)
"""


@dataclass
class Agent:
    """An agent that answers nothing but says how it is; `said` are the errors of its health, in order."""

    socket: ClientConnection
    uid: UUID = field(default_factory=new_id)
    number: int = -1
    said: list[str] = field(default_factory=list)

    async def say(self, error: str = "") -> None:
        """Send its health, or a bare heartbeat, and expect an ordinary answer."""
        reply = await self.ask(error)
        assert not reply.HasField("error_response"), reply

    async def ask(self, error: str = "") -> ServerToAgent:
        """The same with any answer."""
        self.number += 1
        message = AgentToServer(
            instance_uid=self.uid.bytes, sequence_num=self.number, capabilities=CAPABILITIES
        )
        if self.number == 0:
            attribute = message.agent_description.identifying_attributes.add(key="service.name")
            attribute.value.string_value = "otelcol"
        if error or self.number == 0:
            message.health.last_error = error
            message.health.status = "as it is"
        if error:
            self.said.append(error)
        await self.socket.send(b"\0" + message.SerializeToString())
        async with asyncio.timeout(ANSWER_S):
            data = await self.socket.recv()
        assert isinstance(data, bytes)
        return ServerToAgent.FromString(data[1:])


@dataclass
class Installation:
    """A web process and a gateway process on one database."""

    parts: Parts
    folder: Path
    secret: str = ""
    web: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    processes: list[Process] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.parts.database_url,
            "REDIS_URL": self.parts.redis_url,
            "TELFLO_DATA": str(self.folder / "data"),
            "HOST": "127.0.0.1",
            "PORT": str(self.web),
        }

    def start(self) -> None:
        self.manage("migrate", "--verbosity", "0")
        self.secret = self.manage("shell", "-v", "0", "-c", SEED).split("secret ")[1].strip()
        for name, arguments in {"serve": [], "gateway": ["--port", str(self.port)]}.items():
            command = [sys.executable, str(ROOT / "manage.py"), name, *arguments]
            process = Process(command, self.environment, self.folder / f"{name}.log")
            process.start()
            self.processes.append(process)
        self.wait_for(200)

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def wait_for(self, status: int, word: str = "ok") -> None:
        """Both processes say that they are (not) ready."""
        for port in (self.web, self.port):
            wait_until(
                lambda port=port: self._is(port, status, word),  # type: ignore[misc]
                what=f"/readyz of {port} is {status} {word}",
                within_s=SOON_S,
                evidence=self.logs,
            )

    def _is(self, port: int, status: int, word: str) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20)
        except httpx.TransportError:
            return False
        return answer.status_code == status and word in answer.text

    def logs(self) -> str:
        return "\n".join(tail(process.log) for process in self.processes)

    def connect(self, port: int) -> connect:
        headers = {"Authorization": f"Bearer {self.secret}"}
        url = f"ws://127.0.0.1:{port}/v1/opamp"
        return connect(
            url,
            additional_headers=headers,
            compression=None,
            proxy=None,
            open_timeout=ANSWER_S,
        )

    def stored(self, agent: Agent) -> list[str]:
        """The errors of its health in the timeline, in order."""
        query = """SELECT data->>'last_error' FROM agents_agentevent
            WHERE agent_id = %s AND kind = 'health' ORDER BY id"""
        with psycopg.connect(self.parts.database_url) as connection:
            rows = connection.execute(query, [agent.uid]).fetchall()
        return [error for (error,) in rows if error]


@dataclass(frozen=True)
class Outage:
    """What is away, how it goes, and a word for it in what agents say."""

    word: str
    part: str
    begin: Callable[[Parts], AbstractContextManager[None]]


OUTAGES: Final = (
    Outage("hangs", "database", Parts.hanging_postgres),
    Outage("crashed", "database", Parts.killed_postgres),
    Outage("waits", "redis", Parts.hanging_redis),
    Outage("forgot", "redis", Parts.killed_redis),
)


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """An installation while the block runs; its processes end in order."""
    folder.mkdir()
    with parts() as running:
        made = Installation(running, folder)
        try:
            made.start()
            yield made
        finally:
            codes = [process.end() for process in made.processes]
    assert codes == [0, 0]


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


async def _live_through(outage: Outage, installation: Installation) -> None:
    agents = [
        Agent(await installation.connect(port))
        for port in (installation.web, installation.port)
        for _ in range(AGENTS)
    ]
    for agent in agents:
        await agent.say("from the start")
    known = {port: new_id() for port in (installation.web, installation.port)}
    for port, uid in known.items():
        await _return_again(installation, port, uid, until_s=0)
    with outage.begin(installation.parts):
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
    for port in (installation.web, installation.port):
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
    for port in (installation.web, installation.port):
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
