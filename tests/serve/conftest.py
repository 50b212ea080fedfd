"""A real server on a free port, in a thread, with a domain in memory behind the agents' endpoint."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from opamp.buffer import BufferLimits
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from telflo.asgi import make_application
from telflo.serve.server import TelfloServer, make_config
from telflo.serve.sockets import bind
from tests.opamp.fakes import MemoryDomain

MESSAGE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs; stop() ends it as a signal would."""

    gateway: Gateway
    domain: MemoryDomain
    port: int
    server: TelfloServer
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/opamp"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(15)
        assert not self.thread.is_alive()


async def no_pages(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def running() -> Iterator[Running]:
    domain = MemoryDomain()
    layer = InMemoryChannelLayer()
    gateway = Gateway(
        domain,
        lambda: layer,
        GatewayOptions(buffer=BufferLimits(flush_s=0.02), refusals_s=0.02, drain_pause_s=0),
    )
    sock = bind("127.0.0.1", 0)
    started = threading.Event()
    server = TelfloServer(
        make_config(make_application(gateway, no_pages), message_bytes=MESSAGE_BYTES),
        on_loop=lambda loop: None,
        on_started=started.set,
        before_stop=gateway.stop,
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    port = sock.getsockname()[1]
    thread.start()
    assert started.wait(10)
    made = Running(gateway, domain, port, server, thread)
    yield made
    if thread.is_alive():
        made.stop()
