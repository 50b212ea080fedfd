"""A reader of frames that is replaced behind a large one loses nothing, wherever what came is cut."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from picows import WSFrame, WSTransport

from opamp.frames import KEPT, FrameListener, read_anew, read_frames
from opamp.reading import MOST_AT_ONCE
from tests.serve.raw import BINARY, UPGRADE, frame

pytestmark = pytest.mark.rule("A5")

MOST_BYTES = 10 * KEPT
REQUEST = f"{UPGRADE}\r\n".encode()


class Socket(asyncio.Transport):
    """A socket as far as readers need one: what is written is kept."""

    def __init__(self, below: socket.socket) -> None:
        super().__init__({"socket": below})
        self.written: list[bytes] = []

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_protocol(self) -> Any:
        return self.protocol

    def get_write_buffer_size(self) -> int:
        return 1

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))


class Listener(FrameListener):
    """Remembers the size of each frame, and has its reader replaced as a link does."""

    def __init__(self, over: Socket) -> None:
        self.over = over
        self.sizes: list[int] = []
        self.replaced_at: list[int] = []
        self.grown = 0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.sizes.append(frame.payload_size)
        if self.grown and not frame.tail_size:
            self.grown = 0
            self.replaced_at.append(len(self.sizes))
            read_anew(self.over, self, MOST_BYTES)

    def on_grown(self, size: int) -> None:
        self.grown = size


@pytest.fixture
def below() -> Iterator[socket.socket]:
    with socket.socket() as made:
        yield made


def read(below: socket.socket, *sizes: int) -> Listener:
    """What a listener hears of frames of these sizes that come right behind the request, but for the last byte."""
    listener = Listener(Socket(below))
    came = REQUEST + b"".join(frame(BINARY, bytes(size)) for size in sizes)
    read_frames(listener.over, listener, MOST_BYTES, came[:-1])
    listener.over.protocol.get_buffer(-1)[:1] = came[-1:]
    listener.over.protocol.buffer_updated(1)
    return listener


async def test_every_frame_comes_wherever_a_large_one_ends(below: socket.socket) -> None:
    found = [read(below, size, 100) for size in range(2 * KEPT, 2 * KEPT + MOST_AT_ONCE)]
    assert [one.sizes[1:] for one in found] == [[100]] * MOST_AT_ONCE
    ends = {tuple(one.replaced_at) for one in found}
    # At its own end, where nothing of the next has come with it, or else at the end of that.
    assert ends == {(1,), (2,)}
    assert {len(one.over.written) for one in found} == {1}  # the request is answered once


async def test_what_is_kept_of_a_frame_is_told_in_steps(below: socket.socket) -> None:
    whole = frame(BINARY, bytes(MOST_BYTES))
    for come in range(KEPT, MOST_BYTES, 1000):
        listener = Listener(Socket(below))
        read_frames(listener.over, listener, MOST_BYTES, REQUEST + whole[:come])
        listener.over.protocol.get_buffer(-1)
        assert come <= listener.grown < come + KEPT
