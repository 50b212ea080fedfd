"""A real server, and in front of it nginx or HAProxy with the documented file: only paths, ports and times differ."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.harness.api import Api
from tests.e2e.harness.server import ROOT, Process, Server, free_port, make_api_token
from tests.e2e.harness.waiting import tail, wait_until

DOCUMENTED: Final = ROOT / "docs" / "proxy"
IDLE_S: Final = 6
"""In place of the 120 s that the files give an idle connection."""


@dataclass
class Proxied(Server):
    """The embedded server as it is set up behind a proxy."""

    proxy_port: int = field(default_factory=free_port)

    @property
    def public_url(self) -> str:
        return f"https://127.0.0.1:{self.proxy_port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **super().environment,
            "TELFLO_BASE_URL": self.public_url,
            "TELFLO_ENROLMENTS_PER_MINUTE": "20",
        }


@dataclass(frozen=True, slots=True)
class Certificate:
    """Self-signed, for 127.0.0.1: certificate, key, and both in one file."""

    certificate: Path
    key: Path
    both: Path

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)


@dataclass(frozen=True, slots=True)
class Proxy:
    """One that runs in front of the server."""

    name: str
    url: str
    process: Process

    @property
    def websocket_url(self) -> str:
        return self.url.replace("https", "wss", 1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    made = Proxied(tmp_path_factory.mktemp("server"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def api(server: Proxied) -> Iterator[Api]:
    client = Api(server.base_url, make_api_token(server.environment))
    client.post("/fleets/", {"name": "edge", "version": None})
    yield client
    client.close()


@pytest.fixture(scope="session")
def token(api: Api) -> str:
    """An enrolment token."""
    made = api.post("/fleets/edge/tokens/", {"name": "all", "expires": "never"})
    return str(made["secret"])


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    made = Certificate(folder / "telflo.crt", folder / "telflo.key", folder / "telflo.pem")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    subprocess.run(
        [
            *command.split(),
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            str(made.key),
            "-out",
            str(made.certificate),
        ],
        check=True,
        capture_output=True,
    )
    made.both.write_bytes(made.certificate.read_bytes() + made.key.read_bytes())
    return made


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def proxy(
    request: pytest.FixtureRequest,
    server: Proxied,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxy]:
    """Everything goes to `telflo serve`."""
    folder = tmp_path_factory.mktemp(request.param)
    made = start_proxy(request.param, folder, server, certificate, opamp_port=server.port)
    yield made
    made.process.end()


def start_proxy(
    name: str, folder: Path, server: Proxied, certificate: Certificate, *, opamp_port: int
) -> Proxy:
    """The documented file with our paths and ports; WebSockets of collectors go to opamp_port."""
    program = shutil.which(name)
    assert program, f"{name} is missing. On Debian: apt install {name}"
    folder.chmod(0o755)
    write, command = _WAYS[name]
    file = folder / name
    file.write_text(write(folder, server, certificate, opamp_port))
    process = Process(
        [program, *command(file)], {"PATH": "/usr/sbin:/usr/bin:/bin"}, folder / "log"
    )
    process.start()
    wait_until(
        lambda: _listens(server.proxy_port) or process.has_ended(),
        what=f"{name} listens",
        within_s=20,
        evidence=lambda: tail(process.log),
    )
    assert not process.has_ended(), tail(process.log)
    return Proxy(name, server.public_url, process)


def substituted(file: str, changes: Sequence[tuple[str, str]]) -> str:
    """A documented file with each pattern replaced, which has to be there."""
    text = (DOCUMENTED / file).read_text()
    for pattern, by in changes:
        text, count = re.subn(pattern, by, text)
        assert count, f"{file} has no {pattern!r}"
    return text


def _nginx(folder: Path, server: Proxied, certificate: Certificate, opamp_port: int) -> str:
    return substituted(
        "nginx.conf",
        [
            (r"listen 443", f"listen 127.0.0.1:{server.proxy_port}"),
            (r"(upstream telflo \{ server 127\.0\.0\.1):8000", rf"\1:{server.port}"),
            (r"(upstream telflo_opamp \{ server 127\.0\.0\.1):8000", rf"\1:{opamp_port}"),
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


def _haproxy(_folder: Path, server: Proxied, certificate: Certificate, opamp_port: int) -> str:
    return substituted(
        "haproxy.cfg",
        [
            (r"bind :443", f"bind 127.0.0.1:{server.proxy_port}"),
            (r"(server web1 127\.0\.0\.1):8000", rf"\1:{server.port}"),
            (r"(server opamp1 127\.0\.0\.1):8000", rf"\1:{opamp_port}"),
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


class _Elsewhere(BaseHTTPRequestHandler):
    """Refuses, as a gateway that is full would."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"here is the gateway\n"
        self.send_response(503)
        self.send_header("Retry-After", "17")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the base class's own name

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of a listener that stands where `telflo gateway` would."""
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    yield listener.server_address[1]
    listener.shutdown()
    listener.server_close()
    thread.join(10)
