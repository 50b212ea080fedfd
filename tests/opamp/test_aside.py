"""What waits for the database to let agents in has a weight (A5)."""

import asyncio
from contextlib import ExitStack
from uuid import UUID

import pytest

from opamp.aside import Aside
from opamp.gateway import Gateway
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.proto.opamp_pb2 import AgentToServer, ServerErrorResponseType
from tests.opamp.conftest import Connect
from tests.opamp.fakes import (
    CREDENTIAL,
    OTHER,
    OTHER_SECRET,
    SECRET,
    UID,
    UID2,
    MemoryDomain,
    Wire,
    comes_back,
    full,
    hello,
    post,
)
from tests.opamp.waiting import until

pytestmark = pytest.mark.rule("A5")
BODY = bytes(12_000)
UNAVAILABLE = ServerErrorResponseType.ServerErrorResponseType_Unavailable


@pytest.fixture
def options() -> GatewayOptions:
    return GatewayOptions(waiting_bytes=20_000, waiting_share=1.0)


def large(uid: UUID, number: int = 0) -> AgentToServer:
    """A message of 8 kB and a little."""
    message = full(uid, number)
    message.effective_config.config_map.config_map[""].body = bytes(8_000)
    return message


async def waits(connect: Connect, domain: MemoryDomain, uid: UUID = UID) -> Wire:
    """An agent that is let in while the database does not answer."""
    wire = connect()
    await wire.next()
    domain.gate.clear()
    wire.say(large(uid))
    return wire


async def is_put_off(wire: Wire) -> bool:
    """Whether the answer asks to come back in 30 s."""
    error = (await wire.reply()).error_response
    return error.type == UNAVAILABLE and comes_back(
        error.retry_info.retry_after_nanoseconds // 10**9
    )


async def test_all_connections_share_it_and_what_is_too_much_has_to_come_back(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    second = connect()
    await second.next()
    first = await waits(connect, domain)
    first.say(large(UID, 1))
    await until(lambda: gateway.aside.bytes > 16_000)
    second.say(large(UID2))
    assert await is_put_off(second)
    first.say(large(UID, 2))
    assert await is_put_off(first)
    assert gateway.aside.bytes <= 20_000


async def test_it_is_free_again_when_the_agent_was_let_in(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    wire = await waits(connect, domain)
    await until(lambda: gateway.aside.bytes)
    domain.gate.set()
    assert not (await wire.reply()).HasField("error_response")
    assert gateway.aside.bytes == 0


async def test_it_is_free_again_when_the_agent_was_turned_away(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    wire = await waits(connect, domain)
    await until(lambda: gateway.aside.bytes)
    domain.failure = ConnectionError("away")
    domain.gate.set()
    assert await is_put_off(wire)
    assert gateway.aside.bytes == 0


async def test_what_an_agent_said_before_it_hung_up_counts_and_then_it_is_free_again(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    wire = await waits(connect, domain)
    await until(lambda: gateway.aside.bytes)
    first = gateway.aside.bytes
    worse = hello(sequence_num=1)
    worse.health.last_error = "out of memory"
    wire.say(worse)
    await until(lambda: gateway.aside.bytes > first)
    wire.hang_up()
    await until(lambda: gateway.registry.connection_count == 0)
    domain.gate.set()
    await until(lambda: gateway.aside.bytes == 0)
    await until(lambda: domain.patches and domain.patches[-1].disconnected_at is not None)
    facts = [fact for patch in domain.patches for fact in patch.facts]
    assert "out of memory" in [fact.health.last_error for fact in facts if fact.health]
    assert len(gateway.registry) == 0


async def test_one_message_is_always_taken_though_it_is_over_the_limit(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    wire = connect()
    await wire.next()
    message = large(UID)
    message.effective_config.config_map.config_map[""].body = bytes(30_000)
    wire.say(message)
    assert not (await wire.reply()).HasField("error_response")


@pytest.mark.parametrize("options", [GatewayOptions(waiting_bytes=40_000, waiting_share=0.5)])
async def test_what_one_token_fills_leaves_room_for_another(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    wire = await waits(connect, domain)
    wire.say(large(UID, 1))
    await until(lambda: gateway.aside.bytes > 16_000)
    wire.say(large(UID, 2))
    assert await is_put_off(wire)
    status, _ = await post(gateway, SECRET, large(UID2).SerializeToString())
    assert status == 503
    assert gateway.counters.limits["waiting_share"] == 2
    body = large(UID2).SerializeToString()
    other = asyncio.create_task(post(gateway, OTHER_SECRET, body))
    await until(lambda: gateway.aside.bytes > 24_000)
    domain.gate.set()
    assert (await other)[0] == 200
    assert not (await wire.reply()).HasField("error_response")
    assert not (await wire.reply()).HasField("error_response")
    assert gateway.aside.bytes == 0


async def test_requests_over_http_share_it(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    wire = await waits(connect, domain)
    wire.say(large(UID, 1))
    await until(lambda: gateway.aside.bytes > 16_000)
    status, _ = await post(gateway, SECRET, large(UID2).SerializeToString())
    assert status == 503
    domain.gate.set()
    await wire.reply()
    await wire.reply()
    status, _ = await post(gateway, SECRET, large(UID2).SerializeToString())
    assert status == 200
    assert gateway.aside.bytes == 0


def test_ten_thousand_that_share_a_token_and_come_all_at_once_fit_into_its_share() -> None:
    aside = Aside(GatewayOptions(), Counters())
    with ExitStack() as waiting:
        for _ in range(10_000):
            waiting.enter_context(aside.holding(CREDENTIAL.id, BODY))
        assert aside.bytes > 10_000 * len(BODY)
        waiting.enter_context(aside.holding(OTHER.id, bytes(16 * 1024 * 1024)))
