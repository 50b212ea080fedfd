"""A WebSocket client that keeps no rule: it sends what it is told to, and reads when it is told to."""

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import ClassVar

from tests.opamp.fakes import SECRET

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
TIMEOUT_S = 10
UPGRADE = (
    "GET /v1/opamp HTTP/1.1\r\nHost: telflo\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    f"Authorization: Bearer {SECRET}\r\n"
)


def frame(opcode: int, data: bytes = b"", *, is_last: bool = True) -> bytes:
    """A masked frame."""
    first = opcode | (0x80 if is_last else 0)
    if len(data) < 126:
        head = struct.pack("!BB", first, 0x80 | len(data))
    elif len(data) < 1 << 16:
        head = struct.pack("!BBH", first, 0x80 | 126, len(data))
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, len(data))
    return head + bytes(4) + data


@dataclass(slots=True)
class Raw:
    """One socket. With `takes` it keeps at most about so many bytes that it was not asked to read."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    opened: ClassVar[list["Raw"]] = []

    @classmethod
    def hang_up_all(cls) -> None:
        """Cut every socket that was opened."""
        while cls.opened:
            cls.opened.pop().hang_up()

    @classmethod
    async def open(cls, port: int, *, takes: int | None = None) -> "Raw":
        sock = socket.socket()
        sock.setblocking(False)
        if takes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        raw = cls(*await asyncio.open_connection(sock=sock, limit=takes or 2**16))
        cls.opened.append(raw)
        return raw

    @classmethod
    async def upgraded(cls, port: int, *, takes: int | None = None, secret: str = SECRET) -> "Raw":
        """A socket that is a WebSocket already."""
        raw = await cls.open(port, takes=takes)
        raw.send(f"{UPGRADE.replace(SECRET, secret)}\r\n".encode())
        head = await raw.until(b"\r\n\r\n")
        assert b" 101 " in head.splitlines()[0], head
        return raw

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def until(self, separator: bytes) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.reader.readuntil(separator)

    async def message(self, *, timeout_s: float | None = TIMEOUT_S) -> tuple[int, bytes]:
        """The next frame of the server: opcode and content."""
        async with asyncio.timeout(timeout_s):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 15, await self.reader.readexactly(size)

    async def rest(self) -> bytes:
        """All that comes until the server ends the connection."""
        async with asyncio.timeout(TIMEOUT_S):
            try:
                return await self.reader.read()
            except OSError:
                return b""

    @property
    def is_over(self) -> bool:
        """Whether the server has ended it, as far as that was read."""
        return self.reader.at_eof() or self.reader.exception() is not None

    def hang_up(self) -> None:
        self.writer.transport.abort()


def close_code(content: bytes) -> int:
    """The code of a close frame."""
    return int(struct.unpack("!H", content[:2])[0])
