"""A receiver of webhooks for the demo, on loopback: it takes everything and keeps nothing."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any, Final

from notices.targets import Network

ADDRESS: Final = "127.0.0.1"
NETWORK: Final[Network] = ip_network(f"{ADDRESS}/32")
_MOST_BYTES: Final = 1_000_000


class OnCall:
    """Listens from its making on, on a free port."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer((ADDRESS, 0), _Accepting)
        self._server.daemon_threads = True
        self.url = f"http://{ADDRESS}:{self._server.server_port}/telflo"
        threading.Thread(
            target=self._server.serve_forever, name="demo-on-call", daemon=True
        ).start()

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


class _Accepting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Read it, and say that it came."""
        length = self.headers.get("Content-Length", "0")
        if length.isdecimal():
            self.rfile.read(min(int(length), _MOST_BYTES))
        self.send_response(202)
        self.end_headers()
        self.wfile.write(b"")

    def log_message(self, *_args: Any) -> None:
        """Nothing: the terminal tells the story."""
