"""A whole installation whose parts can be taken away one by one: two web processes, gateway, worker, beat, PostgreSQL, Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import psycopg

from tests.chaos.database import Database
from tests.chaos.facts import WINDOW_S, Death
from tests.chaos.schedule import PROCESSES, SERVERS, WEBS, How
from tests.e2e.harness.outages import Parts
from tests.e2e.harness.server import PASSWORD, ROOT, Process, run_manage
from tests.e2e.harness.waiting import tail

_UP_S: Final = 120.0
_PAUSE_S: Final = 0.1
_BUFFER_MIB: Final = "6"
"""So that a few hundred agents can fill it, and do not by following a version."""


class Broken(Exception):
    """Something that must hold does not; the text is for people."""


@dataclass(slots=True)
class Outage:
    """A part was away, or hung, since `since`, until now or `until` (Unix times)."""

    target: str
    since: float
    until: float | None = None


@dataclass
class Installation:
    """The processes with their logs in `folder`. ports: of each server, so that one can tell whom an agent spoke with.

    factor: how much slower than it should be this machine may be.
    """

    parts: Parts
    folder: Path
    ports: Mapping[str, int]
    factor: float = 1.0
    processes: dict[str, Process] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)

    @property
    def database(self) -> Database:
        """What it stored."""
        return Database(self.parts.database_url)

    @property
    def base_urls(self) -> list[str]:
        """The pages and the API, of each web process."""
        return [f"http://127.0.0.1:{self.ports[name]}" for name in WEBS]

    @property
    def environment(self) -> dict[str, str]:
        """Of all its processes."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "DATABASE_URL": self.parts.database_url,
            "REDIS_URL": self.parts.redis_url,
            "TELFLO_DATA": str(self.folder / "data"),
            "TELFLO_ADMIN_PASSWORD": PASSWORD,
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
            "TELFLO_OPAMP_BUFFER_MIB": _BUFFER_MIB,
            "HOST": "127.0.0.1",
        }

    def opamp_url(self, name: str) -> str:
        """Where agents connect to one of the servers."""
        return f"ws://127.0.0.1:{self.ports[name]}/v1/opamp"

    # ── life ──

    async def start(self) -> None:
        """Migrate, then start all processes."""
        (self.folder / "data").mkdir()
        await asyncio.to_thread(run_manage, self.environment, "migrate", "--verbosity", "0")
        for name in PROCESSES:
            command = [sys.executable, str(ROOT / "manage.py"), *self._arguments(name)]
            environment = {**self.environment, "PORT": str(self.ports.get(name, 0))}
            log = self.folder / f"{name}.log"
            self.processes[name] = Process(command, environment, log)
            self.processes[name].start()
        await self.until_up()

    def end(self) -> list[int]:
        """End all that was started; answers the exit codes."""
        return [process.end() for process in self.processes.values() if process.running]

    async def until_up(self) -> list[str]:
        """Return once every part runs and says so. Answers those that had ended by themselves and were started again.

        Raises Broken when that takes too long.
        """
        deadline = time.monotonic() + _UP_S * self.factor
        revived: list[str] = []
        while missing := await self._missing(revived):
            if time.monotonic() > deadline:
                raise Broken(f"not up after {_UP_S:g} s: {', '.join(missing)}\n{self.logs()}")
            await asyncio.sleep(_PAUSE_S)
        return revived

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(tail(process.log) for process in self.processes.values())

    # ── taking away ──

    @asynccontextmanager
    async def without(self, target: str, how: How) -> AsyncIterator[None]:
        """Kill or stop a part; at the end of the block it is started again, or goes on."""
        outage = Outage(target, time.time())
        self.outages.append(outage)
        away = self._process_away(target, how) if target in PROCESSES else self._away(target, how)
        await asyncio.to_thread(away.__enter__)
        if how is How.KILL and target in SERVERS:
            self.deaths.append(self._death(target))
        try:
            yield
        finally:
            await asyncio.to_thread(away.__exit__, None, None, None)
            outage.until = time.time()

    def calm(self) -> None:
        """All is up, and everything was compared: what happened before explains nothing any more."""
        self.outages.clear()
        self.deaths.clear()

    def _death(self, target: str) -> Death:
        """What it had not written may reach back to when something began to keep it from writing."""
        now = time.time()
        hindered = [one.since for one in self.outages if one.target in {target, "postgres"}]
        since = min([now, *hindered]) - WINDOW_S * self.factor
        return Death(self.opamp_url(target), since, now)

    def _away(self, target: str, how: How) -> AbstractContextManager[None]:
        return {
            ("postgres", How.KILL): self.parts.killed_postgres,
            ("postgres", How.STOP): self.parts.hanging_postgres,
            ("redis", How.KILL): self.parts.killed_redis,
            ("redis", How.STOP): self.parts.hanging_redis,
        }[target, how]()

    def _process_away(self, name: str, how: How) -> AbstractContextManager[None]:
        process = self.processes[name]
        return _Killed(process) if how is How.KILL else _Stopped(process)

    # ── being up ──

    def _arguments(self, name: str) -> Sequence[str]:
        return {
            # One process each, so that kill -9 leaves no children behind.
            **dict.fromkeys(WEBS, ("serve",)),
            "gateway": ["gateway", "--port", str(self.ports["gateway"])],
            "worker": ["worker", "--pool", "threads", "--concurrency", "2"],
            "beat": ["beat"],
        }[name]

    async def _missing(self, revived: list[str]) -> list[str]:
        for name, process in self.processes.items():
            if process.has_ended():
                # An installation's supervisor (compose.yaml: restart) starts it again.
                process.start()
                revived.append(name)
        checks = [self._is_up(name) for name in self.processes]
        found = await asyncio.gather(*checks)
        return [name for name, is_up in zip(self.processes, found, strict=True) if not is_up]

    async def _is_up(self, name: str) -> bool:
        if name in SERVERS:
            try:
                async with httpx.AsyncClient(timeout=15) as client:
                    answer = await client.get(f"http://127.0.0.1:{self.ports[name]}/readyz")
            except httpx.TransportError:
                return False
            return answer.is_success
        try:
            pid = self.processes[name].pid
            return bool(await asyncio.to_thread(self.database.reports_of, pid))
        except psycopg.Error:
            return False


@dataclass
class _Killed(AbstractContextManager[None]):
    """kill -9 at the beginning, started again at the end."""

    process: Process

    def __enter__(self) -> None:
        self.process.kill()

    def __exit__(self, *_: object) -> None:
        if self.process.has_ended():
            self.process.start()


@dataclass
class _Stopped(AbstractContextManager[None]):
    """It hangs until the end, unless it was killed meanwhile."""

    process: Process
    pid: int = 0

    def __enter__(self) -> None:
        self.pid = self.process.pid
        self._send(signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if not self.process.has_ended() and self.process.pid == self.pid:
            os.kill(self.pid, number)
