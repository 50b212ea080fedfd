"""The two ways in: an agent's end of a WebSocket on the web port's application, and on a real port of `telflo gateway`.

Both ends look alike (Wire), so a test does not know which of them it talks over.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Protocol

from opamp.consumers import OpampConsumer
from opamp.gateway import Gateway
from opamp.listener import OpampPort
from tests.opamp.fakes import ADDRESS, SECRET, Wire
from tests.serve.raw import BINARY, CLOSE, PING, PONG, TEXT, UPGRADE, Raw, close_code, frame


class Adapter(Protocol):
    """One of the ways in."""

    def connect(self, gateway: Gateway, *, secret: str = SECRET) -> Wire:
        """An agent that opens a connection; what it is answered comes by its Wire."""

    async def stop(self) -> None:
        """End what is left."""


class Asgi:
    """The Channels consumer behind an ASGI server that is left out."""

    def __init__(self) -> None:
        self._wires: list[AsgiWire] = []

    def connect(self, gateway: Gateway, *, secret: str = SECRET, **scope: Any) -> "AsgiWire":
        """See Adapter. scope: what is changed in ASGI's scope."""
        wire = AsgiWire()
        serving = OpampConsumer(gateway)(wire.scope(secret, **scope), wire.receive, wire.send)
        wire.serving = asyncio.create_task(serving)
        self._wires.append(wire)
        return wire

    async def stop(self) -> None:
        """See Adapter."""
        tasks = [wire.serving for wire in self._wires]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class AsgiWire(Wire):
    """The agent's end of one ASGI WebSocket: feed events, read what the application sends."""

    serving: asyncio.Task[None]

    def __init__(self) -> None:
        super().__init__()
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.events.put_nowait({"type": "websocket.connect"})

    def scope(self, secret: str, **changes: Any) -> dict[str, Any]:
        """What a server says of the connection."""
        return {
            "type": "websocket",
            "path": "/v1/opamp",
            "headers": [(b"authorization", f"Bearer {secret}".encode())],
            "client": (ADDRESS, 4711),
            "extensions": {"websocket.http.response": {}},
            **changes,
        }

    async def receive(self) -> dict[str, Any]:
        """ASGI's receive."""
        return await self.events.get()

    async def send(self, event: Mapping[str, Any]) -> None:
        """ASGI's send."""
        await self.reads.wait()
        self.sent.put_nowait(event)
        if event["type"] == "websocket.close":
            self.events.put_nowait({"type": "websocket.disconnect", "code": event.get("code")})

    def feed(self, data: bytes) -> None:
        """See Wire."""
        self.events.put_nowait({"type": "websocket.receive", "bytes": data})

    def feed_text(self, text: str) -> None:
        """See Wire."""
        self.events.put_nowait({"type": "websocket.receive", "text": text})

    def hang_up(self) -> None:
        """See Wire."""
        self.events.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def over(self) -> None:
        """See Wire."""
        await self.serving

    async def nothing_more(self) -> None:
        """See Wire."""
        assert self.sent.empty()


class Picows:
    """A port of `telflo gateway` for each gateway, on the test's own loop."""

    def __init__(self) -> None:
        self._ports: dict[Gateway, asyncio.Task[asyncio.Server]] = {}
        self._wires: list[SocketWire] = []

    def connect(self, gateway: Gateway, *, secret: str = SECRET) -> "SocketWire":
        """See Adapter."""
        opening = self._ports.get(gateway) or asyncio.create_task(_listen(gateway))
        self._ports[gateway] = opening
        wire = SocketWire(opening, secret)
        self._wires.append(wire)
        return wire

    async def stop(self) -> None:
        """See Adapter."""
        for wire in self._wires:
            wire.cut()
        await asyncio.gather(*(wire.talking for wire in self._wires), return_exceptions=True)
        for opening in self._ports.values():
            server = await opening
            server.close()
            await server.wait_closed()


async def _listen(gateway: Gateway) -> asyncio.Server:
    async def locate(*_: Any) -> str:
        return ADDRESS

    gateway.ensure_started()
    port = OpampPort(gateway, pages={}, locate=locate)
    return await asyncio.get_running_loop().create_server(port.make_door, "127.0.0.1", 0)


_MARK: Final = b"so far"


class SocketWire(Wire):
    """The agent's end of a TCP connection; what it sends before it is let in waits."""

    def __init__(self, opening: asyncio.Task[asyncio.Server], secret: str) -> None:
        super().__init__()
        self._unsent: list[bytes] | None = []
        self._hangs_up = False
        self._raw: Raw | None = None
        self._marks: asyncio.Queue[bytes] = asyncio.Queue()
        self.talking = asyncio.create_task(self._talk(opening, secret))

    def feed(self, data: bytes) -> None:
        """See Wire."""
        self._write(frame(BINARY, data))

    def feed_text(self, text: str) -> None:
        """See Wire."""
        self._write(frame(TEXT, text.encode()))

    def hang_up(self) -> None:
        """See Wire."""
        self._hangs_up = True
        if self._unsent is None and self._raw is not None:
            self._raw.writer.write_eof()

    def cut(self) -> None:
        """End it without a word."""
        self.talking.cancel()
        if self._raw is not None:
            self._raw.hang_up()

    async def over(self) -> None:
        """See Wire."""
        await self.talking

    async def nothing_more(self) -> None:
        """See Wire. An answer to a ping comes behind everything else."""
        self._write(frame(PING, _MARK))
        async with asyncio.timeout(5):
            assert await self._marks.get() == _MARK
        assert self.sent.empty()

    def _write(self, data: bytes) -> None:
        if self._unsent is not None:
            self._unsent.append(data)
        elif self._raw is not None:
            self._raw.send(data)

    async def _talk(self, opening: asyncio.Task[asyncio.Server], secret: str) -> None:
        server = await opening
        self._raw = raw = await Raw.open(server.sockets[0].getsockname()[1])
        raw.send(f"{UPGRADE}\r\n".replace(SECRET, secret).encode())
        if not await self._is_let_in(raw):
            return
        raw.send(b"".join(self._unsent or ()))
        self._unsent = None
        if self._hangs_up:
            raw.writer.write_eof()
        try:
            while True:
                self._take(raw, *await raw.message(timeout_s=None))
        except (asyncio.IncompleteReadError, OSError):
            raw.hang_up()

    async def _is_let_in(self, raw: Raw) -> bool:
        status, *lines = (await raw.until(b"\r\n\r\n")).strip().split(b"\r\n")
        if b" 101 " in status:
            self.sent.put_nowait({"type": "websocket.accept"})
            return True
        pairs = [line.split(b": ", 1) for line in lines]
        self.sent.put_nowait(
            {
                "type": "websocket.http.response.start",
                "status": int(status.split()[1]),
                "headers": [(name, value) for name, value in pairs],
            }
        )
        body = await raw.rest()
        self.sent.put_nowait({"type": "websocket.http.response.body", "body": body})
        return False

    def _take(self, raw: Raw, kind: int, content: bytes) -> None:
        if kind == BINARY:
            self.sent.put_nowait({"type": "websocket.send", "bytes": content})
        elif kind == PONG:
            self._marks.put_nowait(content)
        elif kind == PING:
            raw.send(frame(PONG, content))
        elif kind == CLOSE:
            code, reason = close_code(content), content[2:].decode()
            self.sent.put_nowait({"type": "websocket.close", "code": code, "reason": reason})
            raw.send(frame(CLOSE, content))


ADAPTERS: Final[Mapping[str, type[Asgi] | type[Picows]]] = {"asgi": Asgi, "picows": Picows}
