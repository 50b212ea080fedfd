"""picows' reader of one WebSocket, and how much memory it takes (A5).

Its buffer doubles until a frame fits in, and never shrinks. So a reader that has grown is replaced by another one on
the same socket as soon as nothing waits in it. Its peer notices nothing.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from picows import WSAutoPingStrategy, WSListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # missing in its stubs

from opamp.reading import MOST_AT_ONCE

KEPT: Final = 16 * 1024
"""A buffer up to this size stays as it is: a first message in small frames, or one of 8 kB, needs no other one. What is
kept in a larger one is told in steps of so many bytes.
"""
_AT_FIRST: Final = 4096
_AGREED: Final = (
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_QUIET: Final = logging.LoggerAdapter(logging.getLogger("picows.server"))
"""An adapter, since picows makes a logger for each connection of a plain one."""
_QUIET.setLevel(logging.CRITICAL)  # it logs what any peer can cause


class FrameListener(WSListener):
    """What picows calls, and what is told how much is kept of a frame."""

    def on_grown(self, size: int) -> None:
        """The reader keeps so many bytes of a frame that is under way, and will until it is replaced. Called while the
        socket is being read: leave the socket as it is.
        """
        raise NotImplementedError


class FrameReader(WSProtocol):  # type: ignore[misc]  # its stubs lack it
    """One that reads little at once, and knows how large its buffer is."""

    __slots__ = ("_least", "_size", "_told")

    def __init__(self, listener: FrameListener, most_bytes: int) -> None:
        super().__init__(
            None,  # host, path: of a client
            None,
            False,  # is a client
            lambda _request: listener,
            _QUIET,
            True,  # a failure of ours ends the connection
            None,  # the handshake is over
            False,  # pings are sent for all connections by look()
            0,
            0,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # pings are answered by the listener, which counts them
            most_bytes,
            None,
            _AT_FIRST,
        )
        self._size = len(super().get_buffer(-1))
        self._told = self._least = 0

    def get_buffer(self, size_hint: int) -> memoryview:
        """Room for what is read next: picows doubles it for a peer that sends much, and answers all of it."""
        room: memoryview = super().get_buffer(size_hint)
        size = len(room)
        if not self._least <= size <= self._size:
            self._measure(size)
        # Never all of it: so a buffer that has doubled has more room than all of it was before, whatever is in it.
        return room[: MOST_AT_ONCE if size > MOST_AT_ONCE else size - 1]

    def _measure(self, room: int) -> None:
        """The buffer has doubled, or more of it is in use than was told: what is not room."""
        while self._size < room:
            self._size *= 2
        if self._size <= KEPT:
            return
        used = self._size - room
        if used > self._told:
            self._told = -(-used // KEPT) * KEPT
            self.listener.on_grown(self._told)
        self._least = self._size - self._told


def read_frames(
    socket: asyncio.Transport, listener: FrameListener, most_bytes: int, came: bytes
) -> None:
    """Read frames of at most so many bytes from now on. came: the request for an upgrade, which is answered, and what
    came behind it.
    """
    reader = FrameReader(listener, most_bytes)
    socket.set_protocol(reader)
    reader.connection_made(socket)
    left = memoryview(came)
    while left:
        left = left[_feed(socket.get_protocol(), left) :]  # which a large frame may have replaced


def read_anew(socket: asyncio.Transport, listener: FrameListener, most_bytes: int) -> None:
    """Replace a reader in which nothing waits. The listener is connected again, to a new transport of picows'."""
    reader = FrameReader(listener, most_bytes)
    upgraded = _Upgraded(socket)
    reader.connection_made(upgraded)
    upgraded.write = _say_nothing
    _feed(reader, memoryview(_AGREED))
    socket.set_protocol(reader)


class _Upgraded:
    """A socket whose handshake was answered long ago. What picows writes of a frame it writes by what it found when it
    was connected; with what it finds later it answers the handshake.
    """

    def __init__(self, socket: asyncio.Transport) -> None:
        self._socket = socket
        self.write: Callable[[Any], None] = socket.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def _say_nothing(_data: Any) -> None:
    """The answer to a handshake that was none."""


def _feed(reader: Any, data: memoryview) -> int:
    """Give picows as much as it takes at once as if it had come from its socket; answers how much that was."""
    room = reader.get_buffer(-1)
    size = min(len(room), len(data))
    room[:size] = data[:size]
    reader.buffer_updated(size)
    return size
