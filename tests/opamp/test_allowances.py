"""Bytes that come by one token are bounded, whatever connections and uids they come by; its heartbeats are not (A5)."""

import gzip
from uuid import UUID

import pytest

from opamp.allowances import Allowances
from opamp.gateway import Gateway
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.proto.opamp_pb2 import AgentToServer, ServerErrorResponseType
from telflo.base.ids import new_id
from tests.opamp.conftest import Connect
from tests.opamp.fakes import (
    CREDENTIAL,
    OTHER_SECRET,
    SECRET,
    UID,
    UID2,
    MemoryDomain,
    full,
    hello,
    joined,
    post,
)

KIB = 1024
UNAVAILABLE = ServerErrorResponseType.ServerErrorResponseType_Unavailable
pytestmark = pytest.mark.rule("A5")


@pytest.fixture
def options() -> GatewayOptions:
    return GatewayOptions(token_burst_bytes=30 * KIB, token_bytes_per_s=0.01)


def large(uid: UUID, number: int = 0) -> AgentToServer:
    """A message of 20 KiB and a little."""
    message = full(uid, number)
    message.effective_config.config_map.config_map[""].body = bytes(20 * KIB)
    return message


async def test_new_connections_and_uids_do_not_evade_it(connect: Connect, gateway: Gateway) -> None:
    for _ in range(2):
        await joined(connect(), uid=UID)
        wire = connect()
        await wire.next()
        wire.say(large(new_id()))
        assert not (await wire.reply()).HasField("error_response")
    wire = connect()
    await wire.next()
    wire.say(large(UID2))
    reply = await wire.reply()
    assert reply.error_response.type == UNAVAILABLE
    assert reply.instance_uid == UID2.bytes
    assert gateway.counters.limits["token_bytes"] == 1


async def test_what_is_short_passes_and_so_does_another_token(
    connect: Connect, gateway: Gateway
) -> None:
    gateway.allowances.take(CREDENTIAL.id, 10**9)
    wire = connect()
    await joined(wire)
    wire.say(hello(sequence_num=1))
    assert not (await wire.reply()).HasField("error_response")
    other = connect(secret=OTHER_SECRET)
    await other.next()
    other.say(large(UID2))
    assert not (await other.reply()).HasField("error_response")


async def test_what_was_not_read_is_asked_for(connect: Connect, gateway: Gateway) -> None:
    wire = connect()
    await joined(wire)
    gateway.allowances.take(CREDENTIAL.id, 10**9)
    wire.say(large(UID, 1))
    assert (await wire.reply()).error_response.type == UNAVAILABLE
    wire.say(hello(sequence_num=2))
    assert (await wire.reply()).flags == 1


@pytest.mark.parametrize("is_packed", [False, True])
async def test_over_plain_http_too_before_it_is_inflated_and_decoded(
    gateway: Gateway, domain: MemoryDomain, is_packed: bool
) -> None:
    async def say(uid: UUID, secret: str = SECRET) -> int:
        body = large(uid).SerializeToString()
        headers = [(b"content-encoding", b"gzip")] if is_packed else []
        packed = gzip.compress(body) if is_packed else body
        status, _ = await post(gateway, secret, packed, headers=headers)
        return status

    assert [await say(new_id()) for _ in range(4)] == [200, 200, 429, 429]
    assert domain.names().count("admit_agents") == 2
    assert await say(UID2, OTHER_SECRET) == 200
    status, _ = await post(
        gateway,
        SECRET,
        hello(UID).SerializeToString(),
        headers=[(b"content-length", b"100")],
    )
    assert status == 200


async def test_ten_thousand_that_share_a_token_and_come_all_at_once_do_not_notice() -> None:
    allowances = Allowances(GatewayOptions(), Counters())
    for _ in range(3 * 10_000):
        allowances.check(CREDENTIAL.id, 16 * KIB)
        allowances.take(CREDENTIAL.id, 16 * KIB)
