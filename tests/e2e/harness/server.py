"""A Telflo server of its own: data folder, port and environment, started by the commands that people use."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from tests.e2e.harness.ledger import Ledger, SqliteLedger
from tests.e2e.harness.waiting import PATIENCE_S, tail, wait_until

ROOT: Final = Path(__file__).resolve().parents[3]
ADMIN: Final = "admin"
PASSWORD: Final = "a-passphrase-for-the-story"

_START_S: Final = 2 * PATIENCE_S


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Process:
    """A program that runs in the background with its output in a file; ended by its own process id."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    folder: Path = ROOT
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its output is added to the log."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.arguments,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.running is not None
        return self.running.pid

    def has_ended(self) -> bool:
        """Whether it is gone (or was never started)."""
        return self.running is None or self.running.poll() is not None

    def kill(self) -> None:
        """End it with no chance to do anything."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = PATIENCE_S) -> int:
        """Send the signal and wait; answers the exit code. Kills it and fails when it does not end."""
        assert self.running is not None
        if self.running.poll() is None:
            self.running.send_signal(number)
        try:
            return self.running.wait(within_s)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()
            raise AssertionError(f"did not end after {number.name}\n{tail(self.log)}") from None


@dataclass
class Server:
    """An embedded server: everything in one process, SQLite in its folder."""

    folder: Path
    artifacts_url: str = ""
    port: int = field(default_factory=free_port)
    process: Process | None = None
    knows_address: bool = False
    """Whether TELFLO_BASE_URL is set."""

    @property
    def base_url(self) -> str:
        """How browsers, hosts and agents reach it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Its output."""
        return self.folder / "server.log"

    @property
    def data(self) -> Path:
        """TELFLO_DATA."""
        return self.folder / "data"

    @property
    def ledger(self) -> Ledger:
        """The attempts."""
        return SqliteLedger(self.data / "telflo.sqlite3")

    @property
    def environment(self) -> dict[str, str]:
        """Nothing but what a person would set."""
        address = {"TELFLO_BASE_URL": self.base_url} if self.knows_address else {}
        return {
            **address,
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "PORT": str(self.port),
            "TELFLO_DATA": str(self.data),
            "TELFLO_ADMIN_PASSWORD": PASSWORD,
            "TELFLO_ARTIFACTS_URL": self.artifacts_url,
        }

    def start(self) -> None:
        """Start it and wait until it is ready."""
        command = (sys.executable, "manage.py", "serve", "--embedded")
        self.data.mkdir(parents=True, exist_ok=True)
        self.process = Process(command, self.environment, self.log)
        self.process.start()
        wait_until(
            self.is_ready, what="/readyz", within_s=_START_S, evidence=lambda: tail(self.log, 40)
        )

    def is_ready(self) -> bool:
        """Whether /readyz says so. Fails at once when the process has ended."""
        assert self.process is not None
        assert not self.process.has_ended(), f"the server ended\n{tail(self.log, 40)}"
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        """SIGTERM; answers the exit code."""
        assert self.process is not None
        return self.process.end()

    def kill(self) -> None:
        """End it with no chance to do anything, as a crash would."""
        assert self.process is not None
        self.process.kill()

    def clean_up(self) -> None:
        """End it when a test has left it running."""
        if self.is_running():
            self.kill()

    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and not self.process.has_ended()

    def logs(self) -> str:
        """The end of its log."""
        return tail(self.log)

    def manage(self, *arguments: str) -> str:
        """Run a management command beside it; answers what it prints."""
        return run_manage(self.environment, *arguments)


def run_manage(environment: Mapping[str, str], *arguments: str) -> str:
    """Run `python manage.py …`; answers its standard output, fails with its error output."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=_START_S,
    )
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def make_api_token(environment: Mapping[str, str]) -> str:
    """The secret of a new API token of the admin, that may write."""
    return run_manage(environment, "create_api_token", "--user", ADMIN, "--scope", "write")
