"""A supervisor in a folder of its own: several of them share a host."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Sequence
from contextlib import suppress
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
  {rollback}
  config_apply_timeout: 5s
  bootstrap_timeout: 30s
  config_files: [{files}]
storage: {{directory: {folder}/state}}
"""


class Machine:
    """One supervisor with its collector. identity: one that was copied into it; "": it makes its own.

    more: capabilities beyond those that every one has · local: a part of the collector's configuration that is the
    host's own, below the own telemetry and the version; with local_wins above them · takes_itself_back: the supervisor
    returns to what ran before by itself (from 0.158.0 on).
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
        local_wins: bool = False,
        takes_itself_back: bool = False,
    ) -> None:
        folder.mkdir()
        self.folder = folder
        self.local.write_text(local)
        ours = ["$OWN_TELEMETRY_CONFIG"]
        files = [*ours, "$REMOTE_CONFIG", self.local] if local_wins else [self.local, *ours]
        text = _SUPERVISOR.format(
            scheme=scheme,
            port=port,
            secret=secret,
            more="".join(f"  {name}: true\n" for name in more),
            identity=f"instance_id: {identity}" if identity else "",
            rollback="automatic_config_rollback: true" if takes_itself_back else "",
            files=", ".join(map(str, files)),
            collector=_program("collector", version),
            folder=folder,
        )
        (folder / "supervisor.yaml").write_text(text)
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
    def local(self) -> Path:
        """The host's own part of the configuration; supervisors read it when they start, and with each version."""
        return self.folder / "local.yaml"

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

    def crash(self) -> None:
        """As a power cut does, but for what is on disk: neither of the two can say anything."""
        pids = self.collector_pids()
        self.process.kill()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """As Ctrl+C does; it takes its collector along."""
        if not self.process.has_ended():
            self.process.end(signal.SIGINT)


def _program(kind: str, version: str) -> Path:
    return next(one.path for one in PROGRAMS if one.version == version and one.kind == kind)
