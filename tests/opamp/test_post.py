"""POST /v1/opamp: every wrong request gets its own answer, every right one is stored before it is answered."""

import gzip
import logging
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from fleets.offer import Claim
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.post import OpampPost
from opamp.proto.opamp_pb2 import AgentToServer, ServerErrorResponseType, ServerToAgent
from opamp.protocol.limits import Limits
from tests.opamp.fakes import (
    HASH,
    SECRET,
    TOO_MANY,
    UID,
    UID2,
    MemoryDomain,
    comes_back,
    full,
    hello,
)
from tests.opamp.fakes import post as raw_post

URL = "/v1/opamp"
HEADERS = {"content-type": "application/x-protobuf", "authorization": f"Bearer {SECRET}"}


@pytest.fixture
def options() -> GatewayOptions:
    return GatewayOptions(protocol=Limits(message_bytes=100_000))


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=OpampPost(gateway))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://telflo", headers=HEADERS
    ) as made:
        yield made


async def post(
    client: httpx.AsyncClient, message: AgentToServer, **headers: str
) -> tuple[httpx.Response, ServerToAgent]:
    response = await client.post(
        URL,
        content=message.SerializeToString(),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    return response, ServerToAgent.FromString(response.content)


@pytest.mark.rule("T5")
async def test_a_message_is_stored_before_it_is_answered(
    client: httpx.AsyncClient, domain: MemoryDomain
) -> None:
    response, reply = await post(client, full())
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-protobuf"
    assert reply.instance_uid == UID.bytes
    assert domain.names() == ["verify_token", "admit_agents", "record_patches"]


async def test_the_answer_carries_the_offer_after_its_claim(
    client: httpx.AsyncClient, domain: MemoryDomain
) -> None:
    domain.desired[UID] = HASH
    _, reply = await post(client, full())
    assert reply.remote_config.config_hash == bytes.fromhex(HASH)
    assert reply.capabilities
    assert domain.names()[-2:] == ["record_patches", "claim_offers"]


@pytest.mark.rule("D1")
async def test_a_goodbye_counts_though_its_sender_hangs_up_at_once(
    gateway: Gateway, domain: MemoryDomain
) -> None:
    """As uvicorn has it: once the client is gone, what it sent before is no longer handed out."""
    goodbye = hello()
    goodbye.health.last_error = "Supervisor is shutdown"

    async def receive() -> dict[str, Any]:
        if domain.names():
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": goodbye.SerializeToString(), "more_body": False}

    async def send(_event: Any) -> None:
        """Nobody hears it."""

    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    scope = {"type": "http", "method": "POST", "headers": headers, "client": ("127.0.0.1", 1)}
    await OpampPost(gateway)(scope, receive, send)
    assert domain.patches[-1].disconnected_at is not None


@pytest.mark.rule("T5")
async def test_a_chunked_body_without_a_length_is_read(client: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        data = full().SerializeToString()
        yield data[:10]
        yield data[10:]

    response = await client.post(URL, content=parts())
    assert "content-length" not in response.request.headers
    assert response.status_code == 200


@pytest.mark.rule("T6")
async def test_gzip_is_taken_and_given(client: httpx.AsyncClient, domain: MemoryDomain) -> None:
    domain.desired[UID] = HASH
    offer = domain.offers[HASH]
    domain.offers[HASH] = type(offer)(HASH, (type(offer.files[0])("", b"#" * 5_000),))
    body = gzip.compress(full().SerializeToString())
    response = await client.post(
        URL, content=body, headers={"content-encoding": "gzip", "accept-encoding": "gzip"}
    )
    assert response.headers["content-encoding"] == "gzip"
    reply = ServerToAgent.FromString(response.content)  # httpx inflates it
    assert len(reply.remote_config.config.config_map[""].body) == 5_000


@pytest.mark.rule("T6")
@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0"])
async def test_an_answer_is_not_gzipped_for_who_does_not_ask_for_it_nor_when_it_is_short(
    client: httpx.AsyncClient, domain: MemoryDomain, accepted: str
) -> None:
    body = full().SerializeToString()
    short = await client.post(URL, content=body, headers={"accept-encoding": "gzip"})
    domain.desired[UID] = HASH
    offer = domain.offers[HASH]
    domain.offers[HASH] = type(offer)(HASH, (type(offer.files[0])("", b"#" * 5_000),))
    plain = await client.post(URL, content=body, headers={"accept-encoding": accepted})
    assert "content-encoding" not in short.headers
    assert "content-encoding" not in plain.headers
    assert len(plain.content) > 5_000


@pytest.mark.rule("T6")
@pytest.mark.parametrize("tail", [1, 8, 30])
async def test_gzip_data_may_end_in_a_part_of_its_own(client: httpx.AsyncClient, tail: int) -> None:
    async def body() -> AsyncIterator[bytes]:
        data = gzip.compress(full().SerializeToString())
        yield data[:-tail]
        yield data[-tail:]

    response = await client.post(URL, content=body(), headers={"content-encoding": "gzip"})
    assert response.status_code == 200


@pytest.mark.rule("T6")
@pytest.mark.parametrize("parts", [[b"more"], [b"", b"more" * 100_000, b"more"]])
async def test_what_comes_after_the_end_of_the_gzip_data_is_refused(
    client: httpx.AsyncClient, parts: list[bytes]
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield gzip.compress(full().SerializeToString())
        for part in parts:
            yield part

    response = await client.post(URL, content=body(), headers={"content-encoding": "gzip"})
    assert response.status_code == 400
    assert "after the end" in response.text


@pytest.mark.rule("T7")
@pytest.mark.parametrize("size", [100_001, 50_000_000])
async def test_a_gzip_bomb_is_stopped_while_it_is_inflated(
    client: httpx.AsyncClient, size: int
) -> None:
    bomb = gzip.compress(b"\0" * size, compresslevel=9)
    response = await client.post(URL, content=bomb, headers={"content-encoding": "gzip"})
    assert response.status_code == 413
    assert "100000 bytes" in response.text


@pytest.mark.rule("T7")
async def test_a_gzip_bomb_never_takes_more_memory_than_the_limit(
    client: httpx.AsyncClient,
) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, compresslevel=9)
    tracemalloc.start()
    try:
        await client.post(URL, content=bomb, headers={"content-encoding": "gzip"})
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.rule("T8")
async def test_an_answer_over_the_send_limit_is_not_sent_and_logged(
    domain: MemoryDomain, layer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    small = Gateway(domain, lambda: layer, GatewayOptions(protocol=Limits(send_bytes=10)))
    transport = httpx.ASGITransport(app=OpampPost(small))
    with caplog.at_level(logging.ERROR):
        async with httpx.AsyncClient(
            transport=transport, base_url="http://telflo", headers=HEADERS
        ) as client:
            response = await client.post(URL, content=full().SerializeToString())
    assert response.status_code == 500
    assert "larger than this server may send" in response.text
    assert any("too large" in record.getMessage() for record in caplog.records)
    await small.stop()


@pytest.mark.rule("T4", "T8")
@pytest.mark.parametrize(("spare", "is_sent"), [(6, True), (-1, False), (-3, False), (-60, False)])
async def test_an_offer_with_which_the_answer_would_be_too_large_is_left_out_and_given_back(
    domain: MemoryDomain, layer: Any, spare: int, is_sent: bool
) -> None:
    """Not the offer alone counts: else the answer would be refused and the offer count as sent."""
    domain.desired[UID] = HASH
    limit = (await _answer_size(domain, layer)) + spare
    domain.claimed.clear()
    domain.log.clear()
    small = Gateway(domain, lambda: layer, GatewayOptions(protocol=Limits(send_bytes=limit)))
    status, reply = await raw_post(small, SECRET, full().SerializeToString())
    assert status == 200
    assert reply.HasField("remote_config") == is_sent
    assert (("give_back_offers", {UID: Claim(2, HASH)}) in domain.log) != is_sent
    await small.stop()


async def _answer_size(domain: MemoryDomain, layer: Any) -> int:
    """How large the answer with the offer is."""
    gateway = Gateway(domain, lambda: layer)
    _, reply = await raw_post(gateway, SECRET, full().SerializeToString())
    await gateway.stop()
    assert reply.HasField("remote_config")
    return reply.ByteSize()


@pytest.mark.rule("T7")
async def test_a_large_body_is_413_with_and_without_a_length(client: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 40_000

    assert (await client.post(URL, content=b"x" * 100_001)).status_code == 413
    assert (await client.post(URL, content=parts())).status_code == 413


@pytest.mark.rule("T1", "T6", "A1")
@pytest.mark.parametrize(
    ("headers", "content", "status", "words"),
    [
        ({"content-type": "application/json"}, b"{}", 415, "application/x-protobuf"),
        ({"content-encoding": "br"}, b"", 415, "gzip or none"),
        ({"content-encoding": "gzip"}, b"no gzip", 400, "not valid gzip"),
        (
            {"content-encoding": "gzip"},
            gzip.compress(b"x" * 99, mtime=0)[:-9],
            400,
            "ends too early",
        ),
        ({"authorization": "Bearer tlf_e_wrong"}, b"", 401, "not known here"),
        ({"authorization": ""}, b"", 401, "Authorization: Bearer"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    client: httpx.AsyncClient, headers: dict[str, str], content: bytes, status: int, words: str
) -> None:
    response = await client.post(URL, content=content, headers=headers)
    assert response.status_code == status
    assert words in response.text


@pytest.mark.rule("A1")
async def test_a_refused_token_is_challenged_and_counted(
    client: httpx.AsyncClient, gateway: Gateway
) -> None:
    response = await client.post(URL, headers={"authorization": "Bearer nope"})
    assert response.headers["www-authenticate"] == "Bearer"
    assert len(gateway.refusals.log) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
async def test_other_methods_are_told_what_this_is(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, URL)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.rule("M7")
async def test_garbage_is_400_with_an_error_response(client: httpx.AsyncClient) -> None:
    response = await client.post(URL, content=b"\xff\xff\xff")
    assert response.status_code == 400
    error = ServerToAgent.FromString(response.content).error_response
    assert error.type == ServerErrorResponseType.ServerErrorResponseType_BadRequest


@pytest.mark.rule("M5")
async def test_a_uid_of_15_bytes_is_400(client: httpx.AsyncClient) -> None:
    response, reply = await post(client, AgentToServer(instance_uid=b"x" * 15))
    assert response.status_code == 400
    assert "15 bytes" in reply.error_response.error_message


@pytest.mark.rule("M7", "A5")
async def test_what_is_over_a_limit_is_told_so_with_200_since_clients_read_nothing_else(
    client: httpx.AsyncClient, domain: MemoryDomain
) -> None:
    message = full()
    attribute = message.agent_description.identifying_attributes.add(key="k")
    attribute.value.string_value = "v" * 20_000
    response, reply = await post(client, message)
    assert response.status_code == 200
    assert reply.error_response.type == ServerErrorResponseType.ServerErrorResponseType_BadRequest
    assert "record_patches" not in domain.names()


@pytest.mark.rule("T9")
@pytest.mark.parametrize(("header", "status"), [(str(UID), 200), (str(UID2), 400), ("x", 400)])
async def test_the_uid_header_must_agree(
    client: httpx.AsyncClient, header: str, status: int
) -> None:
    response, _ = await post(client, hello(), opamp_instance_uid=header)
    assert response.status_code == status


async def test_an_agent_that_may_not_enrol_is_refused(
    client: httpx.AsyncClient, domain: MemoryDomain, gateway: Gateway
) -> None:
    domain.refuse_agents = "expired"
    response = await client.post(URL, content=full().SerializeToString())
    assert response.status_code == 403
    assert len(gateway.refusals.log) == 1


@pytest.mark.rule("A3")
async def test_one_newcomer_too_many_is_told_so_and_to_come_back(
    client: httpx.AsyncClient, domain: MemoryDomain, gateway: Gateway
) -> None:
    domain.refuse_agents = "rate"
    response = await client.post(URL, content=full().SerializeToString())
    assert response.status_code == 503
    assert response.text == f"{TOO_MANY}\n"
    assert comes_back(response.headers["retry-after"])
    assert len(gateway.refusals.log) == 1


@pytest.mark.rule("A3")
async def test_a_database_that_is_away_is_503_with_retry_after(
    client: httpx.AsyncClient, domain: MemoryDomain
) -> None:
    await post(client, full())
    domain.failure = ConnectionError("away")
    response = await client.post(URL, content=full().SerializeToString())
    assert response.status_code == 503
    assert comes_back(response.headers["retry-after"])


@pytest.mark.rule("A3")
async def test_who_cannot_come_in_now_is_asked_to_come_back(
    client: httpx.AsyncClient, domain: MemoryDomain
) -> None:
    domain.put_off = {UID}
    response = await client.post(URL, content=full().SerializeToString())
    assert response.status_code == 503
    assert comes_back(response.headers["retry-after"])


async def test_a_fault_of_ours_is_500_without_internals(
    client: httpx.AsyncClient, domain: MemoryDomain
) -> None:
    await post(client, full())
    domain.failure = KeyError("secret detail")
    response = await client.post(URL, content=full().SerializeToString())
    assert response.status_code == 500
    assert b"secret detail" not in response.content


@pytest.mark.rule("M6")
async def test_an_agent_that_asks_for_an_identity_gets_one(
    client: httpx.AsyncClient, domain: MemoryDomain
) -> None:
    _, reply = await post(client, hello(flags=1))
    assert UUID(bytes=reply.agent_identification.new_instance_uid).version == 7
    assert "admit_agents" not in domain.names()
