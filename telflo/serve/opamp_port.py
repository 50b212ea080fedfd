"""One process of `telflo gateway`: agents' WebSockets on picows, nothing else."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import uvloop
from channels.layers import get_channel_layer
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from opamp.door import TextAnswer
from opamp.gateway import Gateway
from opamp.listener import OpampPort
from opamp.requests import Request
from telflo.base.hints import EmbeddedPort, set_port
from telflo.databases import hurry, use_pool
from telflo.health import readiness
from telflo.serve.gateway import make_gateway
from telflo.serve.memory import settle
from telflo.serve.sockets import BACKLOG
from telflo.system.models import ProcessKind
from telflo.system.reporting import Part, Reporter

logger = logging.getLogger(__name__)

_SECOND_SIGNAL: Final = 130
_TRUSTED: Final = "127.0.0.1,::1"


def run_gateway(sock: socket.socket, *, announce: Callable[[], None] | None = None) -> None:
    """Serve on the bound socket until a signal; `announce` is called when connections are accepted. Blocks."""
    gateway = make_gateway()
    use_pool(gateway.options.all_threads)
    uvloop.run(_run(gateway, sock, announce or _say_nothing))


async def _run(gateway: Gateway, sock: socket.socket, announce: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    # Any thread here sends by way of this loop, which has the Redis connection already.
    set_port(EmbeddedPort(loop, get_channel_layer()))
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, partial(_on_signal, stopping))
    reporter = Reporter([Part(ProcessKind.GATEWAY, gateway.numbers)], loop=loop)
    reporter.start()
    try:
        await serve(gateway, sock, stopping, announce)
    finally:
        await asyncio.to_thread(reporter.stop)


async def serve(
    gateway: Gateway, sock: socket.socket, stopping: asyncio.Event, announce: Callable[[], None]
) -> None:
    """Serve until `stopping` is set, then let the agents go and store what they said."""
    loop = asyncio.get_running_loop()
    gateway.ensure_started()
    port = OpampPort(gateway, pages={"/healthz": healthz, "/readyz": readyz}, locate=Locator())
    server = await loop.create_server(port.make_door, sock=sock, backlog=BACKLOG)
    settle()
    announce()
    await stopping.wait()
    server.close()
    port.stop()
    await gateway.stop()


async def healthz() -> TextAnswer:
    """The process answers."""
    return TextAnswer(200, "ok")


async def readyz() -> TextAnswer:
    """200, or 503 and a line for each part that is missing."""
    ready = await asyncio.wrap_future(readiness())
    return TextAnswer(ready.status, "\n".join(ready.missing or ["ok"]))


class Locator:
    """Whose address a request is: X-Forwarded-For from the proxies in FORWARDED_ALLOW_IPS, as on the web port."""

    def __init__(self) -> None:
        trusted = os.environ.get("FORWARDED_ALLOW_IPS", _TRUSTED)
        self._middleware = ProxyHeadersMiddleware(_keep, trusted_hosts=trusted)

    async def __call__(self, address: str, request: Request) -> str:
        """The address, without its port."""
        scope: Any = {
            "type": "websocket",
            "scheme": "ws",
            "client": (address, 0),
            "headers": request.headers,
            "found": {},
        }
        await self._middleware(scope, _nothing, _nothing)  # type: ignore[arg-type]  # it calls back with the scope alone
        found: Mapping[str, str] = scope["found"]
        return found["address"]


async def _keep(scope: Any, _receive: Any, _send: Any) -> None:
    scope["found"]["address"] = scope["client"][0]


async def _nothing(*_: Any) -> None:
    """Never called: there is nothing to receive or to send."""


def _say_nothing() -> None:
    """Several processes share one line of their parent."""


def _on_signal(stopping: asyncio.Event) -> None:
    if stopping.is_set():
        os._exit(_SECOND_SIGNAL)
    hurry()
    stopping.set()
