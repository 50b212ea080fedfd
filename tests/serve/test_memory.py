"""What stays in memory of a message that was answered, on a connection that says nothing more."""

import gc
import tracemalloc
from uuid import UUID

import pytest

from telflo.base.ids import new_id
from tests.opamp.fakes import full
from tests.serve import raw
from tests.serve.conftest import Running
from tests.serve.raw import Raw, frame

pytestmark = pytest.mark.rule("A5")

PEERS = 20
SIZE = 300 * 1024
UNKNOWN_FIELD = b"\xc2\x3e"


def large(uid: UUID, *, size: int = SIZE, parts: int = 1) -> list[bytes]:
    """A first message that is answered, with so much in it that nobody knows, in so many frames."""
    rest = bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14]) + bytes(size)
    data = b"\x00" + full(uid).SerializeToString() + UNKNOWN_FIELD + rest
    step = -(-len(data) // parts)
    cut = [data[start : start + step] for start in range(0, len(data), step)]
    kinds = [raw.BINARY, *[0] * (parts - 1)]
    return [
        frame(kind, part, is_last=number == parts)
        for number, (kind, part) in enumerate(zip(kinds, cut, strict=True), 1)
    ]


@pytest.mark.parametrize("parts", [1, 3])
async def test_an_answered_message_is_not_kept(running: Running, parts: int) -> None:
    peers = [await Raw.upgraded(running.port) for _ in range(PEERS)]
    tracemalloc.start()
    try:
        for peer in peers:
            for part in large(new_id(), parts=parts):
                peer.send(part)
            assert await peer.message()
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < PEERS * SIZE / 4
    Raw.hang_up_all()
