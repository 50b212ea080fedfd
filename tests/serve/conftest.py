"""A real server on a free port, in a thread, with a domain in memory behind the agents' endpoint: each adapter's."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop
from channels.layers import InMemoryChannelLayer

from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from telflo.asgi import make_application
from telflo.serve.opamp_port import serve
from telflo.serve.server import TelfloServer, make_config
from telflo.serve.sockets import bind
from tests.opamp.fakes import MemoryDomain

MESSAGE_BYTES = 16 * 1024 * 1024
ADAPTERS = ("uvicorn", "picows")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs; stop() ends it as a signal would."""

    adapter: str
    gateway: Gateway
    domain: MemoryDomain
    sock: socket.socket
    thread: threading.Thread
    end: Callable[[], None]

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1])

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/opamp"

    def stop(self) -> None:
        self.end()
        self.thread.join(15)
        assert not self.thread.is_alive()


async def no_pages(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def quick(**limits: Any) -> GatewayOptions:
    """Options of a server that stores and stops at once."""
    given = {
        "buffer": BufferLimits(flush_s=0.02),
        "refusals_s": 0.02,
        "drain_pause_s": 0.0,
        "drain_timeout_s": 2.0,
    }
    return GatewayOptions(**{**given, **limits})


@pytest.fixture
def options() -> GatewayOptions:
    return quick()


@pytest.fixture(params=ADAPTERS)
def running(request: pytest.FixtureRequest, options: GatewayOptions) -> Iterator[Running]:
    domain = MemoryDomain()
    layer = InMemoryChannelLayer()
    gateway = Gateway(domain, lambda: layer, options)
    start = _on_uvicorn if request.param == "uvicorn" else _on_picows
    made = start(gateway, domain)
    yield made
    if made.thread.is_alive():
        made.stop()


def _on_uvicorn(gateway: Gateway, domain: MemoryDomain) -> Running:
    sock = bind("127.0.0.1", 0)
    started = threading.Event()
    server = TelfloServer(
        make_config(make_application(gateway, no_pages), options=gateway.options),
        gateway,
        on_loop=lambda loop: None,
        on_started=started.set,
        before_stop=gateway.stop,
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    assert started.wait(10)

    def end() -> None:
        server.should_exit = True

    return Running("uvicorn", gateway, domain, sock, thread, end)


def _on_picows(gateway: Gateway, domain: MemoryDomain) -> Running:
    sock = bind("127.0.0.1", 0)
    started = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    stopping = asyncio.Event()

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        await serve(gateway, sock, stopping, started.set)

    thread = threading.Thread(target=lambda: uvloop.run(run()), daemon=True)
    thread.start()
    assert started.wait(10)

    def end() -> None:
        loops[0].call_soon_threadsafe(stopping.set)

    return Running("picows", gateway, domain, sock, thread, end)
