"""The services of compose.yaml as plain processes: same commands, same environment, PostgreSQL and Redis beside them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from cryptography.fernet import Fernet

from tests.e2e.harness.ledger import Ledger, PostgresLedger
from tests.e2e.harness.server import PASSWORD, ROOT, Process, free_port
from tests.e2e.harness.waiting import tail, wait_until

LONG_RUNNING: Final = ("web", "worker", "beat")
"""What runs on in every installation."""
_START_S: Final = 90
_REFERENCE: Final = re.compile(r"\$\{(\w+)(?::\?[^}]*)?\}")


@dataclass(frozen=True, slots=True)
class Services:
    """Addresses of a PostgreSQL database and a Redis of our own."""

    database_url: str
    redis_url: str


@contextmanager
def services() -> Iterator[Services]:
    """Start both with tests/with-services; they end with the block."""
    tell = 'printf "%s\\n%s\\n" "$DATABASE_URL" "$REDIS_URL"; cat >/dev/null'
    command = [str(ROOT / "tests" / "with-services"), "sh", "-c", tell]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        database_url, redis_url = (running.stdout.readline().strip() for _ in range(2))
        assert redis_url, "tests/with-services did not start"
        try:
            yield Services(database_url, redis_url)
        finally:
            running.stdin.close()
            running.wait(30)


def read_compose() -> Any:
    """compose.yaml as values."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of the Dockerfile, its lines joined."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words as a shell splits them."""
        return shlex.split(self.text)


def read_dockerfile() -> list[list[Instruction]]:
    """The Dockerfile's stages, each with its instructions."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stages: list[list[Instruction]] = []
    for line in text.replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            stages.append([])
        if name:
            stages[-1].append(Instruction(name, rest.strip()))
    return stages


def image_environment() -> dict[str, str]:
    """What the image sets, less what says where its files are."""
    pairs = [
        word.partition("=")
        for instruction in read_dockerfile()[-1]
        if instruction.name == "ENV"
        for word in instruction.words
    ]
    found = {name: value for name, _, value in pairs}
    return {name: value for name, value in found.items() if name not in {"PATH", "PYTHONPATH"}}


@dataclass
class Compose:
    """The installation that compose.yaml describes. Only addresses differ, by documented variables."""

    folder: Path
    services: Services
    values: Mapping[str, str]
    more: Mapping[str, str]
    """Documented variables that compose.yaml leaves to its owner."""
    port: int = field(default_factory=free_port)
    profiles: Sequence[str] = ()
    """Those of `docker compose --profile …`: each brings the service of its name."""
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """How browsers, hosts and agents reach it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """That of the service web."""
        return self.environment_of("web")

    @property
    def ledger(self) -> Ledger:
        """The attempts."""
        return PostgresLedger(self.services.database_url)

    @property
    def long_running(self) -> Sequence[str]:
        """What runs on."""
        return (*LONG_RUNNING, *self.profiles)

    def environment_of(self, service: str) -> dict[str, str]:
        """The image's, and over it the service's with its values put in."""
        given = {
            name: self._fill(str(value))
            for name, value in read_compose()["services"][service]["environment"].items()
        }
        here = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TELFLO_DATA": str(self.folder / "data"),
            "PORT": str(self.port),
        }
        return {**image_environment(), **given, **self.more, **here}

    def run(self, service: str) -> None:
        """Run a service that ends by itself."""
        process = self._start(service)
        assert process.running is not None
        code = process.running.wait(_START_S)
        assert code == 0, f"{service} ended with {code}\n{tail(process.log)}"

    def start(self) -> None:
        """Migrate, then start what runs on."""
        self.run("migrate")
        for service in self.long_running:
            self._start(service)
        wait_until(self._is_ready, what="/readyz", within_s=_START_S, evidence=self.logs)

    def crash(self, service: str) -> None:
        """End it with no chance to do anything."""
        self.processes[service].kill()

    def start_again(self, service: str) -> None:
        """As `restart: unless-stopped` does."""
        self._start(service)

    def stop(self) -> int:
        """SIGTERM to each, as `docker compose stop` does; answers the highest exit code."""
        return max(self.processes[service].end() for service in self.long_running)

    def kill(self) -> None:
        """End all of them at once."""
        for service in self.long_running:
            process = self.processes.get(service)
            if process is not None and not process.has_ended():
                process.kill()

    def is_running(self) -> bool:
        """Whether web runs."""
        return "web" in self.processes and not self.processes["web"].has_ended()

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(tail(process.log) for process in self.processes.values())

    def _start(self, service: str) -> Process:
        command = [self._fill(word) for word in read_compose()["services"][service]["command"]]
        log = self.folder / f"{service}.log"
        process = Process(command, self.environment_of(service), log)
        process.start()
        self.processes[service] = process
        return process

    def _is_ready(self) -> bool:
        for service in self.long_running:
            assert not self.processes[service].has_ended(), f"{service} ended\n{self.logs()}"
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _fill(self, text: str) -> str:
        """Put the values in, and our addresses in place of compose's host names."""
        filled = _REFERENCE.sub(lambda found: self.values[found[1]], text)
        if "@postgres:5432/" in filled:
            assert filled.endswith("/telflo"), filled
            return self.services.database_url
        return self.services.redis_url if filled.startswith("redis://redis:") else filled


@contextmanager
def composed(folder: Path, port: int, base_url: str = "") -> Iterator[Compose]:
    """The services of compose.yaml with the values of a .env, not started yet. base_url: where the world finds it."""
    with services() as beside:
        values = {
            "POSTGRES_PASSWORD": "not-asked-for-here",
            "TELFLO_BASE_URL": base_url or f"http://127.0.0.1:{port}",
            "TELFLO_SECRET_KEY": "0123456789" * 5,
            "TELFLO_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "TELFLO_ADMIN_PASSWORD": PASSWORD,
        }
        made = Compose(folder, beside, values, {}, port)
        yield made
        made.kill()
