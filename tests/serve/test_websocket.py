"""The agents' endpoint over real sockets: what a Go client would see."""

import asyncio
import contextlib
from typing import Any, NoReturn

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from opamp.proto.opamp_pb2 import AgentToServer, ServerErrorResponseType, ServerToAgent
from tests.opamp.fakes import HASH, SECRET, UID, UID2, full, hello
from tests.serve.conftest import MESSAGE_BYTES, Running
from tests.serve.raw import BINARY, CLOSE, PING, UPGRADE, Raw, close_code, frame

TIMEOUT_S = 10


def agent(running: Running, secret: str = SECRET, **how: Any) -> connect:
    headers = {"Authorization": f"Bearer {secret}"}
    return connect(
        running.url,
        additional_headers=headers,
        compression=None,
        max_size=None,
        proxy=None,
        **how,
    )


async def say(socket: ClientConnection, message: AgentToServer) -> ServerToAgent:
    await socket.send(b"\x00" + message.SerializeToString())
    return await hear(socket)


async def hear(socket: ClientConnection) -> ServerToAgent:
    async with asyncio.timeout(TIMEOUT_S):
        data = await socket.recv()
    assert isinstance(data, bytes)
    return ServerToAgent.FromString(data[1:])


async def _read_on(socket: ClientConnection) -> NoReturn:
    """Read until the connection ends."""
    while True:
        await socket.recv()


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """The code and the reason that the server closes with."""
    async with asyncio.timeout(TIMEOUT_S):
        with pytest.raises(ConnectionClosed) as caught:
            await _read_on(socket)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


@pytest.mark.rule("A1")
@pytest.mark.parametrize(("secret", "words"), [("tlf_e_wrong", "not known here"), ("", "Bearer")])
async def test_a_bad_token_gets_401_and_a_reason_before_the_upgrade(
    running: Running, secret: str, words: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await agent(running, secret)
    response = caught.value.response
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert words in (response.body or b"").decode()


@pytest.mark.rule("A1")
async def test_what_is_stored_of_a_refused_agent_names_its_client(running: Running) -> None:
    running.domain.refuse_agents = "retired"
    async with agent(running, user_agent_header="opampsupervisor/1.2") as socket:
        await say(socket, full())
        async with asyncio.timeout(TIMEOUT_S):
            while not running.domain.refusals:  # noqa: ASYNC110 - another thread's list
                await asyncio.sleep(0.01)
    assert running.domain.refusals[0].user_agent == "opampsupervisor/1.2"


@pytest.mark.rule("T10")
@pytest.mark.parametrize("origin", [None, "https://elsewhere.example"])
async def test_no_compression_no_subprotocol_and_no_origin_are_needed_or_looked_at(
    running: Running, origin: Any
) -> None:
    async with agent(running, origin=origin) as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers
        assert "Sec-WebSocket-Protocol" not in socket.response.headers
        assert (await say(socket, full())).instance_uid == UID.bytes


@pytest.mark.rule("T2")
async def test_fragmented_messages_are_put_together(running: Running) -> None:
    data = b"\x00" + full().SerializeToString()
    async with agent(running) as socket:
        await socket.send([data[:7], data[7:20], data[20:]])
        assert (await hear(socket)).instance_uid == UID.bytes


@pytest.mark.rule("M2")
async def test_two_agents_share_a_connection(running: Running) -> None:
    async with agent(running) as socket:
        for uid in (UID, UID2):
            assert (await say(socket, full(uid))).instance_uid == uid.bytes


@pytest.mark.rule("A2")
async def test_two_connections_of_one_uid_both_get_clear_answers(running: Running) -> None:
    async with agent(running) as old, agent(running) as new:
        await say(old, full())
        await say(new, full())
        assert "newer" in (await say(old, hello(sequence_num=1))).error_response.error_message
        assert not (await say(new, hello(sequence_num=1))).HasField("error_response")


async def test_an_offer_arrives(running: Running) -> None:
    running.domain.desired[UID] = HASH
    async with agent(running) as socket:
        await say(socket, full())
        assert (await hear(socket)).remote_config.config_hash == bytes.fromhex(HASH)


@pytest.mark.rule("T2")
async def test_a_text_frame_closes_with_1003(running: Running) -> None:
    async with agent(running) as socket:
        await socket.send("hello")
        code, reason = await closed(socket)
    assert code == 1003
    assert "binary" in reason


@pytest.mark.rule("M7")
@pytest.mark.parametrize("data", [b"\x07", b"\x00\xff\xff\xff\xff", b"\x80"])
async def test_garbage_is_answered_and_the_connection_stays(running: Running, data: bytes) -> None:
    async with agent(running) as socket:
        await socket.send(data)
        error = (await hear(socket)).error_response
        assert error.type == ServerErrorResponseType.ServerErrorResponseType_BadRequest
        assert (await say(socket, full())).instance_uid == UID.bytes


@pytest.mark.rule("M5")
async def test_a_uid_of_15_bytes_is_told_so(running: Running) -> None:
    async with agent(running) as socket:
        reply = await say(socket, AgentToServer(instance_uid=b"x" * 15))
    assert "15 bytes" in reply.error_response.error_message


@pytest.mark.rule("T3")
async def test_a_message_of_17_mib_closes_with_1009_and_the_server_lives(running: Running) -> None:
    async with agent(running) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.send(b"\x00" * (MESSAGE_BYTES + 1024 * 1024))
        assert (await closed(socket))[0] == 1009
    async with agent(running) as socket:
        assert (await say(socket, full())).instance_uid == UID.bytes


@pytest.mark.rule("T2", "T10")
@pytest.mark.parametrize("reserved", [0x40, 0x20, 0x10])
@pytest.mark.parametrize("opcode", [BINARY, PING, CLOSE])
async def test_a_reserved_bit_closes_with_1002_since_no_extension_was_agreed(
    running: Running, reserved: int, opcode: int
) -> None:
    raw = await Raw.upgraded(running.port)
    raw.send(frame(opcode | reserved, b"\x03\xe8"))
    kind, content = await raw.message()
    assert (kind, close_code(content)) == (CLOSE, 1002)
    raw.hang_up()


@pytest.mark.rule("T1")
@pytest.mark.parametrize("hosts", ["", "Host: telflo\r\nHost: telflo\r\n"])
async def test_a_request_names_one_host(running: Running, hosts: str) -> None:
    raw = await Raw.open(running.port)
    raw.send(f"{UPGRADE}\r\n".replace("Host: telflo\r\n", hosts).encode())
    assert b" 400 " in (await raw.until(b"\r\n\r\n")).splitlines()[0]
    raw.hang_up()


@pytest.mark.rule("A4")
async def test_a_stopping_server_says_1012_and_stores_what_it_heard(running: Running) -> None:
    async with agent(running) as socket:
        await say(socket, full())
        stopping = asyncio.create_task(asyncio.to_thread(running.stop))
        code, reason = await closed(socket)
        await stopping
    assert (code, reason) == (1012, "The server restarts.")
    patches = running.domain.patches
    assert any(patch.facts for patch in patches)
    assert patches[-1].disconnected_at is not None


@pytest.mark.rule("T1")
async def test_post_and_pages_are_served_by_the_web_port_alone(running: Running) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
        headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/x-protobuf"}
        asked, other = await client.get("/v1/opamp"), await client.get("/anything")
        posted = await client.post("/v1/opamp", content=full().SerializeToString(), headers=headers)
    if running.adapter == "uvicorn":
        assert (asked.status_code, other.status_code) == (405, 204)
        assert ServerToAgent.FromString(posted.content).instance_uid == UID.bytes
    else:
        assert (asked.status_code, other.status_code, posted.status_code) == (426, 404, 426)
        assert "plain HTTP is served on the web port" in posted.text


async def test_a_websocket_on_another_path_is_told_the_right_one(running: Running) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://127.0.0.1:{running.port}/nowhere", proxy=None)
    assert caught.value.response.status_code == 404
    assert b"/v1/opamp" in caught.value.response.body
