"""A supervisor in a folder of its own: several of them share a host."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

from tests.e2e.binaries import PROGRAMS
from tests.e2e.harness.host import children_of
from tests.e2e.harness.server import Process, Server

QUIET: Final = "service: {telemetry: {metrics: {level: none}}}\n"
"""Of two collectors on one host only one may open port 8888."""
_SUPERVISOR: Final = """\
server:
  endpoint: ws://127.0.0.1:{port}/v1/opamp
  headers: {{Authorization: "Bearer {secret}"}}
capabilities:
  accepts_remote_config: true
  reports_remote_config: true
  accepts_restart_command: true
agent:
  executable: {collector}
  {identity}
  config_apply_timeout: 5s
  bootstrap_timeout: 30s
  config_files: [{folder}/local.yaml]
storage: {{directory: {folder}/state}}
"""


class Machine:
    """One supervisor with its collector. identity: one that was copied into it; "": it makes its own."""

    def __init__(
        self, folder: Path, server: Server, secret: str, *, version: str, identity: str = ""
    ) -> None:
        folder.mkdir()
        (folder / "local.yaml").write_text(QUIET)
        text = _SUPERVISOR.format(
            port=server.port,
            secret=secret,
            identity=f"instance_id: {identity}" if identity else "",
            collector=_program("collector", version),
            folder=folder,
        )
        (folder / "supervisor.yaml").write_text(text)
        self.folder = folder
        supervisor = _program("supervisor", version)
        arguments = (str(supervisor), "--config", str(folder / "supervisor.yaml"))
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)}
        self.process = Process(arguments, environment, folder / "log", folder)

    @property
    def identity(self) -> str:
        """As the supervisor keeps it."""
        state = self.folder / "state" / "persistent_state.yaml"
        return state.read_text() if state.is_file() else ""

    def collector_pids(self) -> set[int]:
        """Of its children."""
        return set(children_of(self.process.pid))

    def stop(self) -> None:
        """As Ctrl+C does; it takes its collector along."""
        if not self.process.has_ended():
            self.process.end(signal.SIGINT)


def _program(kind: str, version: str) -> Path:
    return next(one.path for one in PROGRAMS if one.version == version and one.kind == kind)
