"""A real server, and in front of it nginx or HAProxy with the documented file: only paths, ports and times differ."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.e2e.harness.api import Api
from tests.e2e.harness.proxies import Certificate, Ports, Proxy, start_proxy
from tests.e2e.harness.server import Server, free_port, make_api_token


@dataclass
class Proxied(Server):
    """The embedded server as it is set up behind a proxy."""

    proxy_port: int = field(default_factory=free_port)

    @property
    def public_url(self) -> str:
        return f"https://127.0.0.1:{self.proxy_port}"

    @property
    def ports(self) -> Ports:
        """Everything goes to `telflo serve`."""
        return Ports(self.proxy_port, self.port, self.port)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **super().environment,
            "TELFLO_BASE_URL": self.public_url,
            "TELFLO_ENROLMENTS_PER_MINUTE": "20",
        }


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
    return Certificate.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def proxy(
    request: pytest.FixtureRequest,
    server: Proxied,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxy]:
    """Everything goes to `telflo serve`."""
    folder = tmp_path_factory.mktemp(request.param)
    made = start_proxy(request.param, folder, server.ports, certificate)
    yield made
    made.process.end()


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


class _WithoutDatabase(BaseHTTPRequestHandler):
    """Lives, serves nothing, and says when to come back: as every process does while the database is away."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200 if self.path == "/healthz" else 503)
        self.send_header("Retry-After", "10")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Ill:
    """Where a server without its database listens, and which paths it was asked for."""

    port: int
    asked: list[str]


@contextmanager
def _listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    listener = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    yield listener.server_address[1]
    listener.shutdown()
    listener.server_close()
    thread.join(10)


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of a listener that stands where `telflo gateway` would."""
    with _listening(_Elsewhere) as port:
        yield port


@pytest.fixture
def ill() -> Iterator[Ill]:
    """A stand-in for a server whose database is away."""
    asked: list[str] = []
    with _listening(type("Handler", (_WithoutDatabase,), {"asked": asked})) as port:
        yield Ill(port, asked)
