"""A supervisor in a folder of its own: several of them share a host."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.e2e.binaries import PROGRAMS
from tests.e2e.harness.host import children_of
from tests.e2e.harness.server import Process

QUIET: Final = "service: {telemetry: {metrics: {level: none}}}\n"
"""Of two collectors on one host only one may open port 8888."""
_EXPORT_MS: Final = 1000
"""How often a collector sends metrics of its own; its default is a minute."""
_SUPERVISOR: Final = """\
server:
  endpoint: {scheme}://127.0.0.1:{port}/v1/opamp
  headers: {{Authorization: "Bearer {secret}"}}
capabilities:
  accepts_remote_config: true
  reports_remote_config: true
  accepts_restart_command: true
{more}agent:
  executable: {collector}
  {identity}
  config_apply_timeout: 5s
  bootstrap_timeout: 30s
  config_files: [{folder}/local.yaml, $OWN_TELEMETRY_CONFIG]
storage: {{directory: {folder}/state}}
"""


class Machine:
    """One supervisor with its collector. identity: one that was copied into it; "": it makes its own.

    more: capabilities beyond those that every one has · local: a part of the collector's configuration that is the
    host's own, below the own telemetry and the version.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        secret: str,
        *,
        version: str,
        identity: str = "",
        scheme: str = "ws",
        more: Sequence[str] = (),
        local: str = QUIET,
    ) -> None:
        folder.mkdir()
        (folder / "local.yaml").write_text(local)
        text = _SUPERVISOR.format(
            scheme=scheme,
            port=port,
            secret=secret,
            more="".join(f"  {name}: true\n" for name in more),
            identity=f"instance_id: {identity}" if identity else "",
            collector=_program("collector", version),
            folder=folder,
        )
        (folder / "supervisor.yaml").write_text(text)
        self.folder = folder
        self.version = version
        supervisor = _program("supervisor", version)
        arguments = (str(supervisor), "--config", str(folder / "supervisor.yaml"))
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "OTEL_METRIC_EXPORT_INTERVAL": str(_EXPORT_MS),
        }
        self.process = Process(arguments, environment, self.log, folder)

    @property
    def identity(self) -> str:
        """As the supervisor keeps it."""
        state = self.folder / "state" / "persistent_state.yaml"
        return state.read_text() if state.is_file() else ""

    @property
    def uid(self) -> str:
        """The same as the server writes it; "" before the first start."""
        found = re.search(r"^instance_id: (\S+)", self.identity, re.MULTILINE)
        return found[1] if found else ""

    @property
    def log(self) -> Path:
        """What the supervisor prints."""
        return self.folder / "log"

    def collector_pids(self) -> set[int]:
        """Of its children."""
        return set(children_of(self.process.pid))

    def restart(self) -> None:
        """Stop it and start it again: it forgets what it was offered, and knows who it is."""
        self.stop()
        self.process.start()

    def stop(self) -> None:
        """As Ctrl+C does; it takes its collector along."""
        if not self.process.has_ended():
            self.process.end(signal.SIGINT)


def _program(kind: str, version: str) -> Path:
    return next(one.path for one in PROGRAMS if one.version == version and one.kind == kind)
