"""A large frame leaves nothing behind: not in memory (test_memory.py), nor in how its connection goes on."""

from collections.abc import AsyncIterator

import pytest

from agents.snapshot import ConfigFile
from fleets.offer import Offer
from opamp.proto.opamp_pb2 import ServerToAgent
from opamp.protocol.limits import Limits
from tests.opamp.fakes import HASH, UID, UID2, hello
from tests.opamp.waiting import until
from tests.serve.conftest import Running, quick
from tests.serve.raw import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    UPGRADE,
    Raw,
    close_code,
    frame,
)
from tests.serve.test_memory import SIZE, large

pytestmark = pytest.mark.rule("A5")

BEAT = b"\x00" + hello(UID, 1).SerializeToString()
HALF = len(BEAT) // 2
(LARGE,) = large(UID)
(OTHER_LARGE,) = large(UID2)


@pytest.fixture
async def peer(running: Running) -> AsyncIterator[Raw]:
    """One that has sent a large frame and was answered."""
    raw = await Raw.upgraded(running.port)
    raw.send(LARGE)
    await is_answered(raw)
    yield raw
    Raw.hang_up_all()


async def is_answered(raw: Raw) -> None:
    kind, content = await raw.message()
    assert (kind, ServerToAgent.FromString(content[1:]).instance_uid) == (BINARY, UID.bytes)


async def test_messages_and_pings_are_answered_as_before(peer: Raw) -> None:
    peer.send(frame(BINARY, BEAT))
    await is_answered(peer)
    peer.send(frame(PING, b"x"))
    assert await peer.message() == (PONG, b"x")
    peer.send(frame(BINARY, BEAT[:HALF], is_last=False) + frame(CONTINUATION, BEAT[HALF:]))
    await is_answered(peer)


async def test_a_large_offer_arrives(running: Running, peer: Raw) -> None:
    body = bytes(SIZE)
    running.domain.offers[HASH] = Offer(HASH, (ConfigFile("", body, "text/yaml"),))
    running.domain.desired[UID2] = HASH
    peer.send(OTHER_LARGE)
    await peer.message()
    _, content = await peer.message()
    assert ServerToAgent.FromString(content[1:]).remote_config.config.config_map[""].body == body


@pytest.mark.parametrize("options", [quick(), quick(message_burst=1.0)], ids=["fast", "slowed"])
async def test_large_frames_may_follow_each_other(peer: Raw) -> None:
    peer.send(LARGE * 3)
    for _ in range(3):
        await is_answered(peer)


@pytest.mark.parametrize("running", ["picows"], indirect=True)
async def test_one_may_come_with_the_request_for_the_upgrade(running: Running) -> None:
    raw = await Raw.open(running.port)
    raw.send(f"{UPGRADE}\r\n".encode() + LARGE + frame(BINARY, BEAT))
    assert b" 101 " in await raw.until(b"\r\n\r\n")
    await is_answered(raw)
    await is_answered(raw)
    raw.hang_up()


async def test_what_comes_in_its_last_packet_is_the_beginning_of_the_next(
    running: Running, peer: Raw
) -> None:
    beat = frame(BINARY, BEAT)
    peer.send(LARGE + beat[:HALF])
    await is_answered(peer)
    peer.send(beat[HALF:])
    await is_answered(peer)
    await until(lambda: running.gateway.unfinished.bytes == 0)


@pytest.mark.rule("T2")
async def test_a_text_frame_closes_with_1003(running: Running, peer: Raw) -> None:
    peer.send(frame(TEXT, b"hello"))
    kind, content = await peer.message()
    assert (kind, close_code(content)) == (CLOSE, 1003)
    peer.send(frame(CLOSE, content))
    await peer.rest()
    await until(lambda: running.gateway.registry.connection_count == 0)


@pytest.mark.rule("T3")
@pytest.mark.parametrize("options", [quick(protocol=Limits(message_bytes=2 * SIZE))])
async def test_one_that_is_too_large_closes_with_1009(running: Running, peer: Raw) -> None:
    (too_large,) = large(UID2, size=2 * SIZE)
    peer.send(too_large)
    kind, content = await peer.message()
    assert (kind, close_code(content)) == (CLOSE, 1009)
    await until(lambda: running.gateway.counters.limits["message_bytes"] == 1)
    await until(lambda: running.gateway.unfinished.bytes == 0)
    assert UID2 not in running.domain.epochs


async def test_a_goodbye_is_answered_and_the_connection_over(running: Running, peer: Raw) -> None:
    peer.send(frame(CLOSE, b"\x03\xe8"))
    kind, content = await peer.message()
    assert (kind, close_code(content)) == (CLOSE, 1000)
    await until(lambda: running.gateway.registry.connection_count == 0)


@pytest.mark.parametrize("options", [quick(unfinished_bytes=4 * SIZE)])
async def test_whoever_has_its_buffer_kept_by_the_beginning_of_another_frame_is_counted(
    running: Running,
) -> None:
    """picows keeps it until nothing waits in it; it is the peer's as long as something does."""
    peers = []
    for _ in range(8):
        peers.append(await Raw.upgraded(running.port))
        peers[-1].send(LARGE + frame(BINARY, BEAT)[:HALF])
        await is_answered(peers[-1])
    if running.adapter == "picows":
        await peers[0].rest()
        assert running.gateway.counters.limits["unfinished"] > 4
    assert running.gateway.unfinished.bytes <= 4 * SIZE
    peers[-1].send(frame(BINARY, BEAT)[HALF:])
    await is_answered(peers[-1])
    Raw.hang_up_all()
