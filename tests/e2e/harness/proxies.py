"""nginx or HAProxy in front of a server, with the documented file: only paths, ports and times differ."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e.harness.server import ROOT, Process
from tests.e2e.harness.waiting import PATIENCE_S, tail, wait_until

DOCUMENTED: Final = ROOT / "docs" / "proxy"
IDLE_S: Final = 6
"""In place of the 120 s that the files give an idle connection."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the proxy listens, and whom it asks: pages and POSTs of web, WebSockets of opamp."""

    public: int
    web: int
    opamp: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """Self-signed, for 127.0.0.1: certificate, key, and both in one file."""

    certificate: Path
    key: Path
    both: Path

    @classmethod
    def make(cls, folder: Path) -> Certificate:
        """A new one in the folder."""
        made = cls(folder / "telflo.crt", folder / "telflo.key", folder / "telflo.pem")
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
        files = ["-keyout", str(made.key), "-out", str(made.certificate)]
        name = ["-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run([*command.split(), *name, *files], check=True, capture_output=True)
        made.both.write_bytes(made.certificate.read_bytes() + made.key.read_bytes())
        return made

    @property
    def trust(self) -> ssl.SSLContext:
        """That of a client which knows it."""
        return ssl.create_default_context(cafile=self.certificate)


@dataclass(frozen=True, slots=True)
class Proxy:
    """One that runs in front of the server."""

    name: str
    url: str
    process: Process

    @property
    def websocket_url(self) -> str:
        """The same for WebSockets."""
        return self.url.replace("https", "wss", 1)


def start_proxy(name: str, folder: Path, ports: Ports, certificate: Certificate) -> Proxy:
    """Run nginx or haproxy with its files in the folder; returns once it listens."""
    program = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin")
    assert program, f"{name} is missing. On Debian: apt install {name}"
    folder.chmod(0o755)
    write, command = _WAYS[name]
    file = folder / name
    file.write_text(write(folder, ports, certificate))
    process = Process(
        [program, *command(file)], {"PATH": "/usr/sbin:/usr/bin:/bin"}, folder / "log"
    )
    process.start()
    wait_until(
        lambda: _listens(ports.public) or process.has_ended(),
        what=f"{name} listens",
        within_s=PATIENCE_S,
        evidence=lambda: tail(process.log),
    )
    assert not process.has_ended(), tail(process.log)
    return Proxy(name, f"https://127.0.0.1:{ports.public}", process)


def _substituted(file: str, changes: Sequence[tuple[str, str]]) -> str:
    """A documented file with each pattern replaced, which has to be there."""
    text = (DOCUMENTED / file).read_text()
    for pattern, by in changes:
        text, count = re.subn(pattern, by, text)
        assert count, f"{file} has no {pattern!r}"
    return text


def _nginx(folder: Path, ports: Ports, certificate: Certificate) -> str:
    return _substituted(
        "nginx.conf",
        [
            (r"listen 443", f"listen 127.0.0.1:{ports.public}"),
            (r"(upstream telflo \{ server 127\.0\.0\.1):8000", rf"\1:{ports.web}"),
            (r"(upstream telflo_opamp \{ server 127\.0\.0\.1):8000", rf"\1:{ports.opamp}"),
            (r"server_name telflo\.example", "server_name 127.0.0.1"),
            (r"/etc/ssl/telflo\.crt", str(certificate.certificate)),
            (r"/etc/ssl/telflo\.key", str(certificate.key)),
            (r"/var/log/nginx", str(folder)),
            (r"timeout 120s", f"timeout {IDLE_S}s"),
        ],
    )


def _nginx_command(file: Path) -> list[str]:
    folder = file.parent
    return [
        "-c",
        str(file),
        "-e",
        str(folder / "error.log"),
        "-g",
        f"daemon off; pid {folder}/nginx.pid;",
    ]


def _haproxy(_folder: Path, ports: Ports, certificate: Certificate) -> str:
    return _substituted(
        "haproxy.cfg",
        [
            (r"bind :443", f"bind 127.0.0.1:{ports.public}"),
            (r"(server web1 127\.0\.0\.1):8000", rf"\1:{ports.web}"),
            (r"(server opamp1 127\.0\.0\.1):8000", rf"\1:{ports.opamp}"),
            (r"/etc/ssl/telflo\.pem", str(certificate.both)),
            (r"timeout (client|server|tunnel) 120s", rf"timeout \1 {IDLE_S}s"),
            (r"maxconn 65536", "maxconn 512"),
        ],
    )


def _haproxy_command(file: Path) -> list[str]:
    return ["-f", str(file), "-db"]


_WAYS: Final = {"nginx": (_nginx, _nginx_command), "haproxy": (_haproxy, _haproxy_command)}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
