"""A small OTLP/HTTP receiver: what it was sent, with the headers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Request:
    """One export. Names of headers are in lower case; the body is protobuf, in which texts stand as they are."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Where it listens, and all that came."""

    url: str
    requests: list[Request] = field(default_factory=list)
    last_s: float = 0.0
    """time.monotonic() of the last one."""

    def has(self, path: str, text: str, header: tuple[str, str]) -> bool:
        """Whether something with this text in it came to a path with this header."""
        name, value = header
        return any(
            one.path == path and text.encode() in one.body and one.headers.get(name) == value
            for one in list(self.requests)
        )

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing has come for so long."""
        return time.monotonic() - self.last_s > seconds


@contextmanager
def receive() -> Iterator[Receiver]:
    """Listen on loopback."""
    made = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.requests.append(Request(self.path, headers, body))
            made.last_s = time.monotonic()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
