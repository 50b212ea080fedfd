"""Messages and offers at the edge of the limits (T3, T4)."""

import logging

import pytest

from fleets.offer import Claim
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.protocol.limits import Limits
from tests.opamp.conftest import Connect
from tests.opamp.fakes import HASH, UID, MemoryDomain, full, hello
from tests.opamp.waiting import until

MOST = 1_000


@pytest.mark.rule("T3")
@pytest.mark.parametrize("options", [GatewayOptions(protocol=Limits(message_bytes=MOST))])
async def test_a_message_of_the_limit_is_read_and_one_byte_more_closes_with_1009(
    connect: Connect,
) -> None:
    wire = connect()
    await wire.next()
    wire.feed(b"\x00" * MOST)
    assert "not a valid" in (await wire.reply()).error_response.error_message
    wire.feed(b"\x00" * (MOST + 1))
    closed = await wire.next()
    assert (closed["type"], closed["code"]) == ("websocket.close", 1009)
    assert "1000" in closed["reason"]


@pytest.mark.rule("T4")
@pytest.mark.parametrize("options", [GatewayOptions(protocol=Limits(send_bytes=60))])
async def test_an_offer_over_the_send_limit_is_given_back_counted_and_logged(
    connect: Connect, domain: MemoryDomain, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    domain.desired[UID] = HASH
    wire = connect()
    await wire.next()
    with caplog.at_level(logging.INFO, "opamp"):
        wire.say(full())
        assert not (await wire.reply()).HasField("remote_config")
        await until(lambda: ("give_back_offers", {UID: Claim(1, HASH)}) in domain.log)
    assert gateway.counters.offers_not_sent == 1
    assert any(str(UID) in record.getMessage() for record in caplog.records)
    wire.say(hello(sequence_num=1))
    assert not (await wire.reply()).HasField("remote_config")
