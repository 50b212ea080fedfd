"""A supervisor in a folder of its own: several of them share a host. It runs as the unit of quick deploy runs it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from fleets.quickdeploy import unit
from tests.e2e.binaries import PROGRAMS
from tests.e2e.harness.host import children_of
from tests.e2e.harness.server import Process
from tests.e2e.harness.waiting import tail

QUIET: Final = "service: {telemetry: {metrics: {level: none}}}\n"
"""Of two collectors on one host only one may open port 8888."""
_EXPORT_MS: Final = 1000
"""How often a collector sends metrics of its own; its default is a minute."""
_GAVE_UP: Final = "collector's OpAMP client never connected to the Supervisor"
"""What a supervisor ends with whose collector was too slow when it started: a busy host, no fault of the server."""
_MOST_STARTS: Final = 5
"""The unit starts it again for ever; a story ends."""
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
  {words}
  config_apply_timeout: 5s
  bootstrap_timeout: 30s
  config_files: [{files}]
storage: {{directory: {folder}/state}}
"""


def _tells_why(version: str) -> bool:
    """Whether a supervisor of this version passes on its collector's own words: 0.149.0 only says that it ended."""
    return version != "0.149.0"


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
            words="collector_crash_log_snippet_kib: 16" if _tells_why(version) else "",
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
        self._pause_s = _pause_s(version)
        self._starts_left = _MOST_STARTS
        self._ended_s: float | None = None
        self._is_wanted = False
        self._uid = ""

    @property
    def identity(self) -> str:
        """As the supervisor keeps it."""
        state = self.folder / "state" / "persistent_state.yaml"
        return state.read_text() if state.is_file() else ""

    @property
    def uid(self) -> str:
        """The same as the server writes it; "" before the first start.

        A supervisor empties its file before it writes it again: in between, what it said before counts.
        """
        if found := re.search(r"^instance_id: (\S+)", self.identity, re.MULTILINE):
            self._uid = found[1]
        return self._uid

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

    def start(self) -> None:
        """Start its supervisor."""
        self._is_wanted, self._ended_s = True, None
        self.process.start()

    def keep_up(self) -> None:
        """As the unit does: start a supervisor again, some time after it gave its collector up at a start.

        Whatever else ends it is a fault to be looked at, so it fails the story.
        """
        if not self._is_wanted or not self.process.has_ended():
            return
        is_slow_host = self._starts_left > 0 and _GAVE_UP in self.last_start
        assert is_slow_host, f"the supervisor ended by itself\n{tail(self.log)}"
        if self._ended_s is None:
            self._ended_s = time.monotonic()
        elif time.monotonic() - self._ended_s >= self._pause_s:
            self._starts_left -= 1
            self.start()

    @property
    def last_start(self) -> str:
        """What the supervisor printed since it started last."""
        return self.log.read_text().rpartition("Supervisor starting")[2]

    def restart(self) -> None:
        """Stop it and start it again: it forgets what it was offered, and knows who it is."""
        self.stop()
        self.start()

    def crash(self) -> None:
        """As a power cut does, but for what is on disk: neither of the two can say anything."""
        self._is_wanted = False
        # Stopped, it starts no other collector between the look at its children and its end.
        os.kill(self.process.pid, signal.SIGSTOP)
        pids = self.collector_pids()
        self.process.kill()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """As Ctrl+C does; it takes its collector along."""
        self._is_wanted = False
        if not self.process.has_ended():
            self.process.end(signal.SIGINT)


def _pause_s(version: str) -> float:
    """RestartSec= of the unit, which starts again whoever ends."""
    text = unit.render(version)
    assert "\nRestart=always\n" in text
    [(_, seconds)] = re.findall(r"^(RestartSec)=(\d+)$", text, re.MULTILINE)
    return float(seconds)


def _program(kind: str, version: str) -> Path:
    return next(one.path for one in PROGRAMS if one.version == version and one.kind == kind)
