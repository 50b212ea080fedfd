"""The plain-HTTP side of one simulated agent: its messages as POSTs on one kept connection, one after the other."""

import asyncio
import random
from collections import deque
from typing import Final
from urllib.parse import urlsplit

from opamp.simulator.links import Listener
from opamp.simulator.member import Member
from opamp.simulator.plan import backoff
from opamp.simulator.websocket import seconds

_OK: Final = 200
_AGAIN: Final = frozenset({429, 503})
_BARE: Final = 18


class PollingLink:
    """Sends what it is given in order. Only 429, 503 and a broken network make it send a message again."""

    def __init__(self, listener: Listener, member: Member, *, backoff_max_s: float) -> None:
        self._listener = listener
        self._member = member
        self._most_s = backoff_max_s
        self._rng: random.Random = member.agent.draw()
        self._queue: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._is_ending = False
        self.is_accepted = False
        """Its last message was taken."""
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Send until it is closed."""
        try:
            await self._run()
        finally:
            self._drop()

    async def _run(self) -> None:
        self._listener.opened(self._member, self)
        reader: asyncio.StreamReader | None = None
        tries = 0
        while await self._has_work():
            try:
                if reader is not None and reader.at_eof():
                    # The server ended it while it was idle: any HTTP client takes a new one without a word.
                    self._drop()
                    reader = None
                if reader is None:
                    reader = await self._open()
                wait = await self._exchange(reader)
            except (
                OSError,
                EOFError,
                ValueError,
                RuntimeError,
            ) as error:  # the last: uvloop, a closed transport
                self.is_accepted = False
                self._listener.broke(self._member, type(error).__name__)
                reader, wait = None, -1.0
                self._drop()
            tries = 0 if wait == 0 else tries + 1
            if wait != 0:
                await asyncio.sleep(max(wait, backoff(tries, self._rng, most_s=self._most_s)))
        self._listener.closed(self._member, "")

    @property
    def is_behind(self) -> bool:
        """Whether a message was not answered yet."""
        return bool(self._queue)

    def send(self, frame: bytes) -> None:
        """Put one message behind the others."""
        self._queue.append(frame[1:])
        self._news.set()

    def close(self) -> None:
        """End when all is sent."""
        self._is_ending = True
        self._news.set()

    def cut(self) -> None:
        """The network breaks; the client tries again by itself."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def _has_work(self) -> bool:
        while not self._queue:
            if self._is_ending:
                return False
            self._news.clear()
            await self._news.wait()
        return True

    async def _open(self) -> asyncio.StreamReader:
        address = urlsplit(self._member.url)
        is_tls = address.scheme == "https"
        port = address.port or (443 if is_tls else 80)
        reader, self._writer = await asyncio.open_connection(address.hostname, port, ssl=is_tls)
        return reader

    async def _exchange(self, reader: asyncio.StreamReader) -> float:
        """POST the first message in the queue; answers how long to wait before it is sent again, 0 when it is done."""
        assert self._writer is not None
        body = self._queue[0]
        self._writer.write(self._head(len(body)) + body)
        status, headers = _parse(await reader.readuntil(b"\r\n\r\n"))
        answer = await reader.readexactly(int(headers.get("content-length", "0")))
        self.is_accepted = status == _OK
        if status in _AGAIN:
            self._listener.trouble(f"refused with {status}")
            return seconds(headers.get("retry-after")) or -1.0
        self._queue.popleft()
        if status != _OK:
            self._listener.trouble(f"refused with {status}")
        elif len(answer) > _BARE:
            self._listener.heard(self._member, answer)
        else:
            self._listener.heard_bare(self._member)
        return 0.0

    def _head(self, length: int) -> bytes:
        address = urlsplit(self._member.url)
        return (
            f"POST {address.path or '/'} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: {self._member.authorization}\r\nUser-Agent: Go-http-client/1.1\r\n"
            f"Content-Type: application/x-protobuf\r\nContent-Length: {length}\r\n"
            f"OpAMP-Instance-UID: {self._member.agent.uid}\r\n\r\n"
        ).encode()

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _parse(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers (names in lower case). Raises ValueError for what is no HTTP answer."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[1].isdecimal():
        raise ValueError("This is no HTTP answer.")
    pairs = (line.partition(":") for line in lines if line)
    return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}
