"""Who sends more than may come, or reads nothing, is not read (A5). Counted once a neighbour has been answered several
times: the server has then had every occasion to read what was sent before, however busy the machine is.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator

import pytest

from opamp.proto.opamp_pb2 import AgentToServer
from opamp.reading import MOST_AT_ONCE
from opamp.registry import DOES_NOT_READ, Connection
from tests.opamp.fakes import CREDENTIAL, OTHER_SECRET, UID, UID2, full, hello
from tests.serve import raw
from tests.serve.conftest import Running, quick
from tests.serve.raw import frame
from tests.serve.test_websocket import agent, say

pytestmark = pytest.mark.rule("A5")

BURST = 20
NEVER = 1e-4
"""Messages a second: none more within a test."""
slow = pytest.mark.parametrize(
    "options", [quick(message_burst=BURST, messages_per_s=NEVER, pace_bytes=1000)]
)
unlimited = pytest.mark.parametrize("options", [quick(message_burst=1e9, send_timeout_s=600.0)])
FEW_BYTES = 256 * 1024
MEBIBYTE = 1024 * 1024
Beat = Callable[[], Awaitable[None]]


@pytest.fixture
def beat(running: Running) -> Beat:
    """An agent beside, with a pace of its own; it comes anew each time, so that it never runs into it."""

    async def look() -> None:
        async with agent(running, OTHER_SECRET) as neighbour:
            for number in range(5):
                await say(neighbour, full(UID2, number))

    return look


class Peer:
    """A socket that is written to and read from by hand, so that nothing is read behind the test's back."""

    def __init__(self, running: Running, *, takes: int | None = None) -> None:
        self._socket = socket.socket()
        if takes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
        self._socket.settimeout(raw.TIMEOUT_S)
        self._socket.connect(("127.0.0.1", running.port))
        self._socket.sendall(f"{raw.UPGRADE}\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._socket.recv(1)
        assert b" 101 " in head
        self._socket.setblocking(False)
        self._came = bytearray()

    def send(self, data: bytes) -> int:
        """As much of it as is taken now; nothing once it was cut."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            return self._socket.send(data)
        return 0

    def answers(self) -> int:
        """How many frames have come so far; all of them are short."""
        with contextlib.suppress(BlockingIOError):
            while data := self._socket.recv(2**20):
                self._came += data
        count = start = 0
        while start < len(self._came):
            count, start = count + 1, start + 2 + self._came[start + 1]
        return count

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def open_peer(running: Running) -> Iterator[Callable[..., Peer]]:
    made: list[Peer] = []

    def opened(**how: int) -> Peer:
        made.append(Peer(running, **how))
        return made[-1]

    yield opened
    for peer in made:
        peer.close()


def _message(message: AgentToServer) -> bytes:
    return frame(raw.BINARY, b"\x00" + message.SerializeToString())


def _beats(most: int, *, first: int = 1) -> bytes:
    return b"".join(_message(hello(UID, number)) for number in range(first, most))


def little_room(running: Running) -> None:
    """The kernel takes little of what peers that come now are sent."""
    running.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


def _connection(running: Running) -> Connection:
    """That of the peer, beside its neighbour's."""
    (found,) = (one for one in running.gateway.registry.connections if one.credential == CREDENTIAL)
    return found


async def _has_joined(peer: Peer) -> None:
    peer.send(_message(full()))
    await _is_answered(peer, 1)


async def _is_answered(peer: Peer, times: int) -> None:
    async with asyncio.timeout(raw.TIMEOUT_S):
        while peer.answers() < times:  # noqa: ASYNC110 - a look from outside has no event
            await asyncio.sleep(0.01)


class TestTooFast:
    @slow
    @pytest.mark.parametrize("of", ["heartbeats", "pings"])
    async def test_what_is_above_the_pace_is_not_answered_yet(
        self, running: Running, open_peer: Callable[..., Peer], beat: Beat, of: str
    ) -> None:
        peer = open_peer()
        await _has_joined(peer)
        one = frame(raw.PING, b"x") if of == "pings" else _message(hello(UID, 1000))
        flood = one * 10_000 if of == "pings" else _beats(2000)
        assert peer.send(flood) > 10 * (BURST * len(one) + MOST_AT_ONCE)
        await _is_answered(peer, BURST)
        await beat()
        await beat()
        assert BURST <= peer.answers() <= 1 + BURST + 2 * MOST_AT_ONCE // len(one)
        assert running.gateway.counters.slowed_messages > 0

    @slow
    async def test_large_messages_count_by_their_size(
        self, open_peer: Callable[..., Peer], beat: Beat
    ) -> None:
        peer = open_peer()
        await _has_joined(peer)
        message = hello(UID, 1)
        message.effective_config.config_map.config_map[""].body = bytes(4000)
        assert peer.send(_message(message) * 40) > 100_000
        await beat()
        await beat()
        assert 4 <= peer.answers() <= 8  # each counts four times

    @slow
    async def test_small_parts_count_too(
        self, running: Running, open_peer: Callable[..., Peer], beat: Beat
    ) -> None:
        peer = open_peer()
        part = frame(raw.CONTINUATION, b"x", is_last=False)
        assert peer.send(frame(raw.BINARY, b"", is_last=False) + part * 5000) > 30_000
        await beat()
        await beat()
        assert running.gateway.unfinished.bytes >= BURST
        assert running.gateway.counters.slowed_messages > 0

    @pytest.mark.parametrize("running", ["uvicorn"], indirect=True)  # picows reads little at once
    @pytest.mark.parametrize(
        "options", [quick(message_burst=BURST, messages_per_s=NEVER, unfinished_bytes=MEBIBYTE)]
    )
    @pytest.mark.parametrize("of", ["heartbeats", "pings"])
    async def test_what_was_read_of_many_and_waits_is_bounded(
        self, running: Running, open_peer: Callable[..., Peer], beat: Beat, of: str
    ) -> None:
        flood = frame(raw.PING, b"x" * 100) * 10_000 if of == "pings" else _beats(20_000)
        for _ in range(20):
            open_peer().send(flood)
            await beat()
        unfinished = running.gateway.unfinished
        assert 0 < unfinished.bytes <= MEBIBYTE
        assert running.gateway.counters.limits["unfinished"] > 0

    @pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
    @pytest.mark.parametrize("options", [quick(message_burst=BURST, messages_per_s=20.0)])
    async def test_so_is_what_those_have_said_who_hung_up(
        self, running: Running, open_peer: Callable[..., Peer], beat: Beat
    ) -> None:
        peer = open_peer()
        await _has_joined(peer)
        peer.send(_beats(20_000))
        await beat()
        gone = _connection(running)
        peer.close()
        async with asyncio.timeout(raw.TIMEOUT_S):
            while not gone.link._socket.is_closing():  # type: ignore[attr-defined]
                await beat()
        assert running.gateway.unfinished.bytes > FEW_BYTES
        assert not gone.closed.is_set()
        running.stop()
        assert running.gateway.unfinished.bytes == 0

    @pytest.mark.parametrize(
        "options", [quick(message_burst=BURST, messages_per_s=NEVER, ping_s=0.2)]
    )
    async def test_who_is_not_read_is_not_taken_for_silent(
        self, running: Running, open_peer: Callable[..., Peer], beat: Beat
    ) -> None:
        peer = open_peer()
        peer.send(frame(raw.PING, b"x") * 2 * BURST)
        open_peer()  # says nothing
        async with asyncio.timeout(raw.TIMEOUT_S):
            while running.gateway.counters.cut_connections == 0:
                await beat()
        await beat()
        assert _connection(running).closed.is_set() is False  # the one that is left


@unlimited
@pytest.mark.parametrize("of", ["heartbeats", "pings"])
async def test_who_does_not_read_is_not_read(
    running: Running, open_peer: Callable[..., Peer], beat: Beat, of: str
) -> None:
    """Its sending comes to a stand, and what waits for it stays small."""
    little_room(running)
    peer = open_peer(takes=4096)
    peer.send(_message(full()))
    await beat()
    flood = frame(raw.PING, bytes(125)) * 1000 if of == "pings" else _beats(2000)
    at, stalled = 0, 0
    while stalled < 3:
        sent = peer.send(flood[at:])
        at = (at + sent) % len(flood)
        stalled = 0 if sent else stalled + 1
        if not sent:
            await beat()
        assert _connection(running).link.unsent() < FEW_BYTES


@pytest.mark.parametrize("options", [quick(message_burst=1e9, send_timeout_s=0.5)])
@pytest.mark.parametrize(("at_once", "most"), [(3, FEW_BYTES // 8), (2000, FEW_BYTES)])
async def test_who_goes_on_with_heartbeats_and_reads_nothing_is_cut(
    running: Running, open_peer: Callable[..., Peer], beat: Beat, at_once: int, most: int
) -> None:
    """It is never silent. What waits for it tells: a little that only grows, or so much that it is read no more."""
    little_room(running)
    peer = open_peer(takes=4096)
    peer.send(_message(full()))
    await beat()
    deaf, number = _connection(running), 500
    left = _beats(number)  # what the kernel takes
    async with asyncio.timeout(raw.TIMEOUT_S):
        while not deaf.closed.is_set():
            left = left[peer.send(left) :]
            if not left:
                left = _beats(number + at_once, first=number)
                number += at_once
            await asyncio.sleep(0.01)
            assert deaf.link.unsent() < most
    assert deaf.close_reason == DOES_NOT_READ
    await beat()
    assert running.gateway.counters.limits == {"send_timeout_s": 1}
