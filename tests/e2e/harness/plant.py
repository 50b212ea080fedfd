"""A web process and a gateway on one database, and agents of theirs that say how they are."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
import psycopg
from websockets.asyncio.client import ClientConnection, connect

from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from telflo.base.ids import new_id
from tests.e2e.harness.outages import Parts
from tests.e2e.harness.server import ROOT, Process, free_port
from tests.e2e.harness.silence import Balancer
from tests.e2e.harness.waiting import tail, wait_until

SOON_S: Final = 40
ANSWER_S: Final = 20
"""A third of an outage: who waits for the other two thirds waits for what is away."""
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
    balancer: Balancer
    answer_s: int = 30
    secret: str = ""
    web: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    processes: list[Process] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the tests' own: under their settings a task runs where it is sent, and needs no worker."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "DATABASE_URL": self.balancer.url,
            "TELFLO_DATABASE_ANSWER_S": str(self.answer_s),
            "REDIS_URL": self.parts.redis_url,
            "TELFLO_DATA": str(self.folder / "data"),
            "HOST": "127.0.0.1",
            "PORT": str(self.web),
        }

    @property
    def ports(self) -> tuple[int, int]:
        """Where agents connect."""
        return self.web, self.port

    def start(self) -> None:
        self.manage("migrate", "--verbosity", "0")
        self.secret = self.shell(SEED).split("secret ")[1].strip()
        for name, arguments in {"serve": [], "gateway": ["--port", str(self.port)]}.items():
            self.begin(name, *arguments)
        self.wait_for(200)

    def begin(self, name: str, *arguments: str) -> Process:
        """Start one more process; it ends with the others."""
        command = [sys.executable, str(ROOT / "manage.py"), name, *arguments]
        process = Process(command, self.environment, self.folder / f"{name}.log")
        process.start()
        self.processes.append(process)
        return process

    def shell(self, code: str) -> str:
        """What the code prints that runs beside the processes."""
        return self.manage("shell", "-v", "0", "-c", code)

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def wait_for(self, status: int, word: str = "ok") -> None:
        """Both processes say that they are (not) ready."""
        for port in self.ports:
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
        return connect(
            self.url(port),
            additional_headers=headers,
            compression=None,
            proxy=None,
            open_timeout=ANSWER_S,
        )

    @staticmethod
    def url(port: int) -> str:
        return f"ws://127.0.0.1:{port}/v1/opamp"

    def count(self, rows: str) -> int:
        """How many rows there are of a table and condition."""
        with psycopg.connect(self.parts.database_url) as connection:
            (number,) = connection.execute(f"SELECT count(*) FROM {rows}").fetchone() or (0,)
        return int(number)

    def stored(self, agent: Agent) -> list[str]:
        """The errors of its health in the timeline, in order."""
        query = """SELECT data->>'last_error' FROM agents_agentevent
            WHERE agent_id = %s AND kind = 'health' ORDER BY id"""
        with psycopg.connect(self.parts.database_url) as connection:
            rows = connection.execute(query, [agent.uid]).fetchall()
        return [error for (error,) in rows if error]
