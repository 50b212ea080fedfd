"""Peers that cost something and are of no use (A5): each is ended, and an agent beside it notices nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.exceptions import InvalidStatus

from agents.snapshot import ConfigFile
from fleets.offer import Claim, Offer
from opamp.protocol.limits import Limits
from tests.opamp.fakes import HASH, OTHER_SECRET, SECRET, UID, UID2, comes_back, full, hello
from tests.serve import raw
from tests.serve.conftest import Running, quick
from tests.serve.raw import Raw, close_code, frame
from tests.serve.test_websocket import agent, hear, say

pytestmark = pytest.mark.rule("A5")

SILENT_S = 0.3
PAGE = "GET /healthz HTTP/1.1\r\nHost: telflo\r\n"
STRANGER = raw.UPGRADE.replace(SECRET, "tflo_nobody")


@pytest.fixture(autouse=True)
async def hang_up(running: Running) -> AsyncIterator[None]:
    """Peers that answer nothing would hold up the server's stop."""
    yield
    Raw.hang_up_all()


@asynccontextmanager
async def neighbour(running: Running) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """An agent beside; what it yields sends a heartbeat and sees that it is answered."""
    async with agent(running) as socket:
        await say(socket, full(UID2))
        number = 0

        async def beat() -> None:
            nonlocal number
            number += 1
            reply = await say(socket, hello(UID2, number))
            assert not reply.HasField("error_response")

        yield beat
        await beat()


def _post(secret: str, size: int = 100) -> bytes:
    """The head of a request with a body of so many bytes."""
    return (
        "POST /v1/opamp HTTP/1.1\r\nHost: telflo\r\nContent-Type: application/x-protobuf\r\n"
        f"Authorization: Bearer {secret}\r\nContent-Length: {size}\r\n\r\n"
    ).encode()


def limits(**given: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("options", [quick(**given)])


class TestBeforeTheRequest:
    @limits(handshake_s=SILENT_S)
    async def test_a_silent_socket_is_closed(self, running: Running) -> None:
        async with neighbour(running):
            silent = await Raw.open(running.port)
            await silent.rest()
        assert running.gateway.counters.slow_sockets == 1

    @limits(handshake_s=SILENT_S)
    async def test_a_request_that_comes_byte_by_byte_is_closed(self, running: Running) -> None:
        async with neighbour(running):
            slow = await Raw.open(running.port)
            trickling = asyncio.create_task(_trickle(slow, raw.UPGRADE.encode()))
            await slow.rest()
            trickling.cancel()
        assert running.gateway.counters.slow_sockets == 1

    @limits(handshakes=3)
    async def test_silent_sockets_keep_nobody_out(self, running: Running) -> None:
        silent = [await Raw.open(running.port) for _ in range(3)]
        async with neighbour(running):
            await silent[0].rest()  # the oldest had to go
            assert not silent[1].is_over

    @limits(connections=2)
    async def test_a_process_has_only_so_many_sockets(self, running: Running) -> None:
        async with neighbour(running):
            second, third = await Raw.open(running.port), await Raw.open(running.port)
            assert await third.rest() == b""
            assert not second.is_over
        assert running.gateway.counters.refused_sockets == 1

    @limits(header_bytes=2048, handshake_s=60.0)
    @pytest.mark.parametrize("end", ["", "\r\n"], ids=["without its end", "complete"])
    @pytest.mark.parametrize("size", [2048, 20_000, 60_000])
    @pytest.mark.parametrize("head", [raw.UPGRADE, PAGE], ids=["upgrade", "page"])
    async def test_headers_have_a_size(
        self, running: Running, head: str, size: int, end: str
    ) -> None:
        greedy = await Raw.open(running.port)
        greedy.send(f"{head}X: {'x' * size}\r\n{end}".encode())
        assert (await greedy.rest()).split()[1] == b"431"

    @limits(header_bytes=2048)
    @pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
    async def test_headers_have_a_size_behind_another_request_too(self, running: Running) -> None:
        greedy = await Raw.open(running.port)
        greedy.send(f"{PAGE}\r\n{PAGE}X: {'x' * 4096}\r\n\r\n".encode())
        assert b" 204 " in await greedy.until(b"\r\n\r\n")
        assert (await greedy.rest()).split()[1] == b"431"

    @limits(handshake_s=60.0)
    @pytest.mark.parametrize(
        ("headers", "statuses"),
        [
            (f"X: {'x' * 9000}\r\n", {b"401", b"431"}),
            ("".join(f"X{number}: x\r\n" for number in range(200)), {b"400", b"431"}),
            ("Content-Length: 5\r\n", {b"400", b"401"}),
            ("Transfer-Encoding: chunked\r\n", {b"400", b"401"}),
        ],
        ids=["a long header", "many headers", "a body", "a body in parts"],
    )
    @pytest.mark.parametrize("body", ["", "hello"])
    async def test_an_upgrade_that_is_none_is_answered(
        self, running: Running, headers: str, statuses: set[bytes], body: str
    ) -> None:
        strange = await Raw.open(running.port)
        strange.send(f"{STRANGER}{headers}\r\n{body}".encode())
        assert (await strange.rest()).split()[1] in statuses

    @limits(connections_per_token=1)
    async def test_a_token_has_only_so_many_connections(self, running: Running) -> None:
        async with agent(running):
            with pytest.raises(InvalidStatus) as caught:
                await agent(running)
        response = caught.value.response
        assert response.status_code == 429
        assert comes_back(response.headers["Retry-After"])
        assert b"connections already" in (response.body or b"")

    @limits(handshake_s=60.0, handshakes=3)
    @pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
    async def test_who_is_not_let_in_is_not_waited_for(self, running: Running) -> None:
        """Answered without its body, and until that came, one of those who have said nothing."""
        async with neighbour(running) as beat:
            strangers = []
            for _ in range(4):
                stranger = await Raw.open(running.port)
                stranger.send(_post("tflo_nobody"))
                assert b" 401 " in await stranger.until(b"\r\n\r\n")
                strangers.append(stranger)
            await strangers[0].rest()  # one too many: the oldest had to go
            assert not strangers[1].is_over
            await beat()
        assert running.gateway.polls.open == 0

    @limits(handshake_s=SILENT_S)
    @pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
    async def test_one_who_was_answered_early_and_goes_on_byte_by_byte_is_closed(
        self, running: Running
    ) -> None:
        stranger = await Raw.open(running.port)
        stranger.send(_post("tflo_nobody"))
        await stranger.until(b"\r\n\r\n")
        trickling = asyncio.create_task(_trickle(stranger, bytes(100)))
        await stranger.rest()
        trickling.cancel()
        assert running.gateway.counters.limits["handshake_s"] == 1

    @pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
    async def test_one_who_was_answered_early_may_finish_and_ask_again(
        self, running: Running
    ) -> None:
        stranger = await Raw.open(running.port)
        for _ in range(2):
            stranger.send(_post("tflo_nobody"))
            assert b" 401 " in await stranger.until(b"\r\n\r\n")
            await stranger.until(b"\n")
            stranger.send(bytes(100))
        stranger.send(f"{PAGE}\r\n".encode())
        assert b" 204 " in await stranger.until(b"\r\n\r\n")

    @limits(message_s=SILENT_S, handshake_s=SILENT_S)
    @pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
    async def test_a_body_that_does_not_come_is_closed(self, running: Running) -> None:
        async with neighbour(running):
            slow = await Raw.open(running.port)
            slow.send(_post(SECRET) + b"x")
            await slow.rest()
        assert running.gateway.counters.slow_sockets == 1

    @limits(handshake_s=SILENT_S)
    @pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
    async def test_a_second_request_that_does_not_come_is_closed(self, running: Running) -> None:
        slow = await Raw.open(running.port)
        slow.send(b"GET /healthz HTTP/1.1\r\nHost: telflo\r\n\r\n")
        assert b" 204 " in await slow.until(b"\r\n\r\n")
        slow.send(b"G")
        await slow.rest()
        assert running.gateway.counters.slow_sockets == 1


class TestAfterTheUpgrade:
    @limits(first_message_s=SILENT_S)
    async def test_a_connection_that_never_speaks_is_closed(self, running: Running) -> None:
        async with neighbour(running):
            silent = await Raw.upgraded(running.port)
            opcode, content = await silent.message()
            assert (opcode, close_code(content)) == (raw.CLOSE, 1008)
            assert b"No message came" in content

    @limits(ping_s=SILENT_S)
    async def test_a_peer_that_does_not_answer_pings_is_cut(self, running: Running) -> None:
        async with neighbour(running):
            gone = await Raw.upgraded(running.port)
            gone.send(frame(raw.BINARY, b"\x00" + full().SerializeToString()))
            opcodes = [(await gone.message())[0] for _ in range(2)]
            assert opcodes == [raw.BINARY, raw.PING]
            await gone.rest()

    @limits(message_s=SILENT_S)
    async def test_a_message_in_parts_that_never_ends_is_cut(self, running: Running) -> None:
        async with neighbour(running):
            endless = await Raw.upgraded(running.port)
            endless.send(frame(raw.BINARY, b"\x00", is_last=False))
            parts = frame(raw.CONTINUATION, b"", is_last=False)
            trickling = asyncio.create_task(_trickle(endless, parts * 1000, step=len(parts)))
            await endless.rest()
            trickling.cancel()
        assert running.gateway.counters.slow_sockets == 1

    @limits(unfinished_bytes=100_000)
    async def test_of_too_much_that_is_unfinished_the_oldest_is_cut(self, running: Running) -> None:
        async with neighbour(running) as beat:
            oldest, newest = await Raw.upgraded(running.port), await Raw.upgraded(running.port)
            oldest.send(frame(raw.BINARY, bytes(60_000), is_last=False))
            await _until(lambda: running.gateway.unfinished.bytes == 60_000)
            message = b"\x00" + full().SerializeToString()
            newest.send(frame(raw.BINARY, message, is_last=False))
            for _ in range(5):
                newest.send(frame(raw.CONTINUATION, b"", is_last=False))
            other = await Raw.upgraded(running.port)
            other.send(frame(raw.BINARY, bytes(60_000), is_last=False))
            await oldest.rest()
            newest.send(frame(raw.CONTINUATION, b""))
            assert (await newest.message())[0] == raw.BINARY
            await beat()
            assert running.gateway.unfinished.bytes == 60_000
            other.send(frame(raw.CONTINUATION, b""))
            await _until(lambda: running.gateway.unfinished.bytes == 0)

    @limits(unfinished_bytes=100_000)
    async def test_it_is_one_of_the_token_that_holds_most(self, running: Running) -> None:
        small = await Raw.upgraded(running.port, secret=OTHER_SECRET)
        small.send(frame(raw.BINARY, b"\x00" + full().SerializeToString(), is_last=False))
        await _until(lambda: running.gateway.unfinished.bytes > 0)
        for _ in range(3):
            large = await Raw.upgraded(running.port)
            large.send(frame(raw.BINARY, bytes(60_000), is_last=False))
        await _until(lambda: running.gateway.counters.limits["unfinished"] == 2)
        small.send(frame(raw.CONTINUATION, b""))
        assert (await small.message())[0] == raw.BINARY

    @limits(unfinished_bytes=100_000)
    async def test_what_has_come_of_a_part_counts_too(self, running: Running) -> None:
        oldest, other = await Raw.upgraded(running.port), await Raw.upgraded(running.port)
        oldest.send(frame(raw.BINARY, bytes(60_000))[:-1])
        await _until(lambda: running.gateway.unfinished.bytes > 59_000)
        other.send(frame(raw.BINARY, bytes(60_000))[:-1])
        await oldest.rest()
        assert not other.is_over

    @limits(unfinished_bytes=100_000)
    @pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
    async def test_so_do_bodies_over_plain_http(self, running: Running) -> None:
        begun = _post(SECRET, 70_000) + bytes(60_000)
        oldest, other = await Raw.open(running.port), await Raw.open(running.port)
        oldest.send(begun)
        await _until(lambda: running.gateway.unfinished.bytes == 60_000)
        other.send(begun)
        assert b" 503 " in await oldest.until(b"\r\n\r\n")
        assert running.gateway.counters.limits["unfinished"] == 1
        assert not other.is_over

    @limits(protocol=Limits(message_bytes=100_000))
    async def test_parts_that_are_too_large_together_close_with_1009(
        self, running: Running
    ) -> None:
        async with neighbour(running):
            large = await Raw.upgraded(running.port)
            large.send(frame(raw.BINARY, bytes(40_000), is_last=False))
            for _ in range(2):
                large.send(frame(raw.CONTINUATION, bytes(40_000), is_last=False))
            opcode, content = await large.message()
            assert (opcode, close_code(content)) == (raw.CLOSE, 1009)

    @limits(message_burst=5.0, messages_per_s=200.0)
    async def test_a_peer_that_floods_is_read_later_and_answered_in_full(
        self, running: Running
    ) -> None:
        async with neighbour(running) as beat:
            flood = await Raw.upgraded(running.port)
            flood.send(frame(raw.BINARY, b"\x00" + full().SerializeToString()))
            for number in range(1, 50):
                flood.send(frame(raw.BINARY, b"\x00" + hello(UID, number).SerializeToString()))
            await beat()
            replies = [await flood.message() for _ in range(50)]
            assert {opcode for opcode, _ in replies} == {raw.BINARY}
        assert running.gateway.counters.slowed_messages > 0

    @limits(message_burst=5.0, messages_per_s=200.0)
    async def test_pings_are_answered_at_the_same_pace(self, running: Running) -> None:
        async with neighbour(running):
            flood = await Raw.upgraded(running.port)
            flood.send(frame(raw.PING, b"x") * 50)
            assert [await flood.message() for _ in range(50)] == [(raw.PONG, b"x")] * 50
        assert running.gateway.counters.slowed_messages > 0

    @limits(send_timeout_s=2.0)  # its neighbour has to read as fast as this on a busy machine
    async def test_a_peer_that_does_not_read_is_cut_and_holds_up_nobody(
        self, running: Running
    ) -> None:
        body = bytes(8 * 1024 * 1024)
        running.domain.offers[HASH] = Offer(HASH, (ConfigFile("", body, "text/yaml"),))
        running.domain.desired = {UID: HASH, UID2: HASH}
        deaf = await Raw.upgraded(running.port, takes=4096)
        deaf.send(frame(raw.BINARY, b"\x00" + full().SerializeToString()))
        async with agent(running) as socket:
            await say(socket, full(UID2))
            assert (await hear(socket)).remote_config.config_hash == bytes.fromhex(HASH)
            await _until(lambda: running.gateway.registry.uids() == [UID2])
        assert running.gateway.counters.cut_connections == 1
        assert len(await deaf.rest()) < len(body)

    @limits(protocol=Limits(attributes=4))
    async def test_a_message_over_a_limit_is_told_which_one(self, running: Running) -> None:
        message = full()
        for number in range(5):
            message.agent_description.non_identifying_attributes.add(key=f"k{number}")
        async with agent(running) as socket:
            problem = (await say(socket, message)).error_response.error_message
            assert "more than 4 attributes" in problem
            assert not (await say(socket, hello(sequence_num=1))).HasField("error_response")
        assert running.gateway.counters.refused_messages == 1

    @limits(protocol=Limits(send_bytes=1000))
    async def test_what_is_over_the_send_limit_is_not_sent(self, running: Running) -> None:
        running.domain.offers[HASH] = Offer(HASH, (ConfigFile("", bytes(2000), "text/yaml"),))
        running.domain.desired = {UID: HASH}
        async with agent(running) as socket:
            await say(socket, full())
            await _until(lambda: ("give_back_offers", {UID: Claim(1, HASH)}) in running.domain.log)


async def _trickle(peer: Raw, data: bytes, *, step: int = 1) -> None:
    """Send a little at a time, for ever short of the end."""
    for start in range(0, len(data), step):
        peer.send(data[start : start + step])
        await asyncio.sleep(0.02)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(raw.TIMEOUT_S):
        while not condition():  # noqa: ASYNC110 - a look from outside has no event
            await asyncio.sleep(0.01)
