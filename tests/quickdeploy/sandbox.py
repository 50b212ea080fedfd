"""A host to install on (a folder for /, stubs for what changes a real host) and a server to install from."""

import hashlib
import io
import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from configs.collector.references import Variable
from fleets.quickdeploy import script
from fleets.quickdeploy.options import DeploymentOptions
from fleets.quickdeploy.plan import InstallPlan, opamp_endpoint

CODE = "k7Qm92xdTzk7Qm92xdTz12"
TOKEN = "tlf_e_made-for-this_host"

SUPERVISOR = """#!/bin/sh
if [ "$1" = -h ]; then exit 0; fi
trap 'echo "stopped in order"; exit 0' INT TERM
echo "run with $*"
echo "token $TELFLO_TOKEN"
env | grep -E '^(GREETING|DB_PASSWORD|HTTPS_PROXY|STATE_DIRECTORY)=' | sort
echo "supervisor runs"
if [ -e "$(dirname "$2")/stay" ]; then while :; do sleep 0.05; done; fi
"""
COLLECTOR = """#!/bin/sh
if [ "$1" = components ]; then
  printf 'receivers:\\n    - name: otlp\\nextensions:\\n    - name: health_check\\n    - name: opamp\\n'
fi
"""
LACKING_COLLECTOR = COLLECTOR.replace("    - name: opamp", "    - name: pprof")
STUBS = {
    "systemctl": """
echo "systemctl $*" >>"$SANDBOX/log"
case "$1 $*" in
  is-active*) [ -e "$SANDBOX/active" ] ;;
  is-enabled*) [ -e "$SANDBOX/enabled" ] ;;
  enable*) touch "$SANDBOX/enabled" ;;
  disable*) rm -f "$SANDBOX/enabled" ;;
  stop*) rm -f "$SANDBOX/active" ;;
  show*) echo MainPID=7 ;;
  start* | restart*)
    if [ -e "$SANDBOX/broken" ]; then exit 0; fi
    touch "$SANDBOX/active"
    mkdir -p "$TELFLO_ROOT/var/lib/telflo-collector"
    echo 'service.name: otelcol-contrib' >"$TELFLO_ROOT/var/lib/telflo-collector/effective.yaml"
    ;;
esac
""",
    "id": """
case $1 in
  -u) cat "$SANDBOX/uid" ;;
  -un) echo somebody ;;
  *) [ -e "$SANDBOX/user" ] ;;
esac
""",
    "useradd": 'touch "$SANDBOX/user"',
    "userdel": 'rm -f "$SANDBOX/user"',
    "groupdel": "exit 0",
    "chown": 'echo "chown $*" >>"$SANDBOX/log"',
    "journalctl": "echo the journal says why",
    "restorecon": "exit 0",
    "sleep": "exec /bin/sleep 0.05",
    "uname": """
case $1 in
  -m) cat "$SANDBOX/machine" ;;
  -s) echo Linux ;;
  -n) echo 'web-17.example; rm -rf /' ;;
esac
""",
}


@dataclass
class Server:
    """Answers what quick deploy and the mirror answer, and keeps what was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    claim: tuple[int, str] = (200, f"token={TOKEN}\n")
    check: tuple[int, str] = (200, "")
    clock_offset: int = 0
    held: tuple[int, str] = (200, "good\n")
    claims: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """What was asked about the token that is there."""
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def publish(
        self, version: str, supervisor: str = SUPERVISOR, collector: str = COLLECTOR
    ) -> None:
        """Lay out a release: with one list of checksums before 0.158, with a file for each asset from there."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            member = tarfile.TarInfo("otelcol-contrib")
            member.size, member.mode = len(collector.encode()), 0o755
            tar.addfile(member, io.BytesIO(collector.encode()))
        for machine in ("amd64", "arm64"):
            name = f"opampsupervisor_{version}_linux_{machine}"
            self._asset(f"/cmd%2Fopampsupervisor%2Fv{version}", name, supervisor.encode(), version)
            name = f"otelcol-contrib_{version}_linux_{machine}.tar.gz"
            self._asset(f"/v{version}", name, archive.getvalue(), version)

    def _asset(self, folder: str, name: str, content: bytes, version: str) -> None:
        digest = hashlib.sha256(content).hexdigest()
        self.files[f"{folder}/{name}"] = content
        if version >= "0.158.0":
            self.files[f"{folder}/{name}.sha256"] = f"{digest}\n".encode()
            return
        is_supervisor = name.startswith("opamp")
        sums = (
            "checksums.txt"
            if is_supervisor
            else ("opentelemetry-collector-releases_otelcol-contrib_checksums.txt")
        )
        line = f"{'0' * 64}  {name}.sbom.json\n{digest}  {name}\n"
        self.files[f"{folder}/{sums}"] = self.files.get(f"{folder}/{sums}", b"") + line.encode()

    def answer(self, path: str) -> tuple[int, bytes]:
        """The status and body of a GET."""
        if path == f"/install/{CODE}/check":
            status, text = self.check
            return status, (text or f"time={int(time.time()) + self.clock_offset}\n").encode()
        body = self.files.get(path)
        return (404, b"no such file") if body is None else (200, body)


@contextmanager
def serving() -> Iterator[Server]:
    """A server on loopback, with both releases."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            self._send(*server.answer(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            is_claim = self.path == f"/install/{CODE}/claim"
            (server.claims if is_claim else server.shown).append(body)
            status, text = server.claim if is_claim else server.held
            self._send(status, text.encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server.url = f"http://127.0.0.1:{listener.server_port}"
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            server.publish("0.149.0")
            server.publish("0.158.0")
            yield server
        finally:
            listener.shutdown()
            thread.join()


@dataclass
class Host:
    """A host: `root` stands for its /, `home` is the folder that commands run in."""

    server: Server
    folder: Path

    def __post_init__(self) -> None:
        self.root, self.home, self.stubs = (
            self.folder / name for name in ("root", "home", "stubs")
        )
        for path in (self.root / "run/systemd/system", self.home, self.stubs, self.folder / "tmp"):
            path.mkdir(parents=True)
        for name, body in STUBS.items():
            self.stub(name, body)
        self.write("machine", "x86_64")
        self.write("uid", "0")

    def stub(self, name: str, body: str) -> None:
        """A program that comes before the real one."""
        path = self.stubs / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def write(self, name: str, text: str = "") -> None:
        """Tell the stubs something."""
        (self.folder / name).write_text(text)

    def plan(self, version: str = "0.158.0", **how: Any) -> InstallPlan:
        """A plan whose server and mirror are the sandbox's server."""
        return InstallPlan(
            **{
                "base_url": self.server.url,
                "opamp_url": opamp_endpoint(self.server.url, "ws"),
                "fleet": "edge",
                "platform": "linux_amd64",
                "supervisor_version": version,
                "collector_version": version,
                "options": DeploymentOptions(),
                "artifacts_url": self.server.url,
                "variables": (Variable("GREETING"), Variable("REGION", has_default=True)),
                **how,
            }
        )

    def environment(self) -> Mapping[str, str]:
        """What the script runs with."""
        return {
            "PATH": f"{self.stubs}:{os.environ['PATH']}",
            "TELFLO_ROOT": str(self.root),
            "SANDBOX": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
        }

    def run(
        self, *flags: str, plan: InstallPlan | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Pipe the script into sh, as people do."""
        return self.pipe(script.render(plan or self.plan(), CODE), *flags)

    def pipe(self, text: str, *flags: str) -> "subprocess.CompletedProcess[str]":
        """Pipe any text into sh."""
        return subprocess.run(
            ["sh", "-s", "--", *flags],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            env=self.environment(),
            timeout=60,
        )

    def tree(self) -> dict[str, str]:
        """Every file below root, home and tmp with its mode and content; folders with their mode."""
        found = {}
        for top in (self.root, self.home, self.folder / "tmp"):
            for path in sorted(top.rglob("*")):
                mode = oct(path.stat().st_mode & 0o777)
                content = path.read_text() if path.is_file() else ""
                found[str(path.relative_to(self.folder))] = f"{mode} {content}"
        return found

    @property
    def log(self) -> str:
        """What the stubs were called with."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""
