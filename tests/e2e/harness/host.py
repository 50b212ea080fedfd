"""A host on which a person pastes the quick-deploy command as an ordinary user."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.e2e.harness.server import Process
from tests.e2e.harness.waiting import PATIENCE_S, tail, wait_until

NOBODY: Final = 65534
"""A user that may do nothing: the numeric id needs no entry in /etc/passwd."""

_AS_NOBODY: Final = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--no-new-privs",
)
_INSTALL_S: Final = 2 * PATIENCE_S


@dataclass
class Host:
    """One home folder. The supervisor runs in the foreground, so a run lasts as long as it."""

    home: Path
    process: Process | None = None
    known_pids: set[int] = field(default_factory=set)

    @classmethod
    def make(cls, folder: Path, name: str = "home") -> Host:
        """A host with an empty home folder, which its user owns."""
        home = folder / name
        home.mkdir(mode=0o755)
        if os.geteuid() == 0:
            os.chown(home, NOBODY, NOBODY)
        return cls(home)

    @property
    def folder(self) -> Path:
        """Where the script installs when it is not told otherwise."""
        return self.home / "telflo-collector"

    @property
    def output(self) -> Path:
        """What the script and then the supervisor print."""
        return self.home.parent / f"{self.home.name}.log"

    @property
    def agent_log(self) -> Path:
        """What the collector prints."""
        return self.folder / "state" / "agent.log"

    def logs(self) -> str:
        """The ends of both logs."""
        return f"{tail(self.output)}\n{tail(self.agent_log)}"

    def run_to_end(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command line that ends by itself; answers its code and what it printed."""
        return subprocess.run(
            [*self._user(), "sh", "-c", command],
            cwd=self.home,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALL_S,
        )

    def start(self, command: str) -> None:
        """Paste a command line, and wait until the supervisor has taken the script's place."""
        arguments = (*self._user(), "sh", "-c", command)
        self.process = Process(arguments, self._environment(), self.output, self.home)
        self.process.start()
        wait_until(self._runs, what="the supervisor runs", within_s=_INSTALL_S, evidence=self.logs)

    @property
    def supervisor_pid(self) -> int:
        """What the script has noted before the supervisor took its place."""
        return int((self.folder / "supervisor.pid").read_text())

    def stop(self) -> None:
        """Ctrl+C: the supervisor says goodbye and takes its collector along."""
        pids = self.collect_pids()
        os.kill(self.supervisor_pid, signal.SIGINT)
        self.wait_for_end(pids)

    def wait_for_end(self, pids: set[int]) -> None:
        """Wait until the foreground run is over and these processes are gone."""
        process = self.process
        assert process is not None
        wait_until(
            lambda: process.has_ended() and not any(map(self._is_ours, pids)),
            what="supervisor and collector are gone",
            within_s=PATIENCE_S,
            evidence=self.logs,
        )

    def collect_pids(self) -> set[int]:
        """The supervisor's and the collector's process ids as they are now."""
        supervisor = self.supervisor_pid
        pids = {pid for pid in (supervisor, *children_of(supervisor)) if self._is_ours(pid)}
        self.known_pids |= pids
        return pids

    def clean_up(self) -> None:
        """End whatever is left of all runs, by process id."""
        if (self.folder / "supervisor.pid").is_file():
            self.collect_pids()
        for pid in self.known_pids:
            if self._is_ours(pid):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None and not self.process.has_ended():
            self.process.end(signal.SIGKILL)

    def _user(self) -> tuple[str, ...]:
        return _AS_NOBODY if os.geteuid() == 0 else ()

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home)}

    def _runs(self) -> bool:
        assert self.process is not None
        assert not self.process.has_ended(), f"the command ended\n{self.logs()}"
        return "Supervisor starting" in self.output.read_text("utf-8", errors="replace")

    def _is_ours(self, pid: int) -> bool:
        """Whether the process still is one from this host's folder: numbers are used again."""
        try:
            return str(self.folder) in Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        except OSError:
            return False


def children_of(pid: int) -> Iterator[int]:
    """The process ids of a process's children."""
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, tasks.read_text().split())
