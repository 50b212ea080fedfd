"""The gateway on the real domain and a real database: enrolment, offers, what is stored, what is refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer
from django.db import OperationalError
from redis.exceptions import TimeoutError as RedisTimeout

from agents.models import Agent as StoredAgent
from agents.models import AgentEvent, AgentStatus, GivenUid
from fleets.models import Attempt, Fleet, Membership, RefusedAttempt, Token
from fleets.rollouts.services import start_rollout
from fleets.tokens import Expiry, IssuedToken, issue_token, retire_token, revoke_token
from opamp.domain import DjangoDomain
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from opamp.proto.opamp_pb2 import AgentToServer, RemoteConfigStatuses, ServerToAgent
from telflo.base import clock, hints
from tests.factories import TESTER, make_fleet, make_version
from tests.opamp.agent import Arrive, until
from tests.opamp.fakes import UID, full, hello, post

pytestmark = pytest.mark.django_db(transaction=True)

APPLIED = RemoteConfigStatuses.RemoteConfigStatuses_APPLIED


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet(version=make_version())


@pytest.fixture
def issued(fleet: Fleet) -> IssuedToken:
    return issue_token(fleet=fleet, name="test", expires=Expiry.NEVER, actor=TESTER)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    layer = InMemoryChannelLayer()
    before = hints.set_port(hints.EmbeddedPort(asyncio.get_running_loop(), layer))
    options = GatewayOptions(
        buffer=BufferLimits(flush_s=0.02), reconcile_s=60, refusals_s=0.02, remember_tokens_s=0
    )
    made = Gateway(DjangoDomain(), lambda: layer, options)
    yield made
    await made.stop()
    hints.set_port(before)


async def test_a_new_agent_is_enrolled_and_offered_its_fleets_version(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken, fleet: Fleet
) -> None:
    agent = arrive(gateway, issued.secret)
    assert not (await agent.start()).HasField("error_response")
    offer = (await agent.wire.reply()).remote_config
    attempt = await Attempt.objects.aget(agent_id=UID)
    assert (offer.config_hash.hex(), attempt.state) == (attempt.hash, "offered")
    member = await Membership.objects.aget(agent_id=UID)
    assert member.fleet_id == fleet.pk
    report = hello(sequence_num=1)
    report.remote_config_status.last_remote_config_hash = offer.config_hash
    report.remote_config_status.status = APPLIED
    agent.wire.say(report)
    await agent.wire.reply()
    await until(lambda: Attempt.objects.get().state == "applied")
    await agent.leave()
    await until(lambda: not AgentStatus.objects.get().connected)


async def test_another_version_reaches_a_connected_agent_by_a_poke(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken, fleet: Fleet
) -> None:
    agent = arrive(gateway, issued.secret)
    await agent.start()
    first = (await agent.wire.reply()).remote_config
    report = hello(sequence_num=1)
    report.remote_config_status.last_remote_config_hash = first.config_hash
    report.remote_config_status.status = APPLIED
    agent.wire.say(report)
    await agent.wire.reply()
    await until(lambda: Attempt.objects.get().state == "applied")
    version = await sync_to_async(make_version)()
    await sync_to_async(start_rollout)(fleet=fleet, version=version, actor=TESTER)
    second = (await agent.wire.reply()).remote_config
    assert second.config_hash not in {b"", first.config_hash}
    await agent.leave()


async def test_plain_http_gets_its_offer_in_the_answer(
    gateway: Gateway, issued: IssuedToken
) -> None:
    status, reply = await post(gateway, issued.secret, full().SerializeToString())
    assert status == 200
    assert reply.remote_config.config_hash
    status, again = await post(gateway, issued.secret, hello(sequence_num=1).SerializeToString())
    assert status == 200
    assert not again.HasField("remote_config")
    assert await Attempt.objects.acount() == 1


@pytest.mark.rule("I3")
async def test_plain_http_beside_a_live_websocket_changes_nothing(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken
) -> None:
    agent = arrive(gateway, issued.secret)
    await agent.start()
    await agent.wire.reply()
    status, reply = await post(gateway, issued.secret, hello(sequence_num=9).SerializeToString())
    assert status == 200
    assert not reply.HasField("remote_config")
    row = await AgentStatus.objects.aget()
    assert (row.transport, row.connected) == ("ws", True)
    await agent.leave()


async def test_an_expired_token_lets_known_agents_in_and_no_others(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken
) -> None:
    known = arrive(gateway, issued.secret)
    await known.start()
    await known.leave()
    await Token.objects.aupdate(enrol_until=clock.now() - timedelta(days=1))
    again = arrive(gateway, issued.secret)
    assert not (await again.start()).HasField("error_response")
    stranger = full(uid=type(UID)(int=UID.int + 7))
    again.wire.say(stranger)
    while not (reply := await again.wire.reply()).HasField("error_response"):
        pass
    assert "expired" in reply.error_response.error_message
    await until(lambda: RefusedAttempt.objects.filter(reason="expired").exists())
    await again.leave()


@pytest.mark.rule("S8")
async def test_revoking_a_token_closes_its_connections_and_refuses_the_next(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken
) -> None:
    agent = arrive(gateway, issued.secret)
    await agent.start()
    await agent.wire.reply()
    await sync_to_async(revoke_token)(token=issued.token, actor=TESTER, reason="leaked")
    while (event := await agent.wire.next())["type"] != "websocket.close":
        pass
    assert event["code"] == 1008
    await agent.wire.over()
    refused = arrive(gateway, issued.secret)
    assert (await refused.wire.next())["status"] == 401
    await until(lambda: RefusedAttempt.objects.filter(reason="revoked").exists())


async def test_a_retired_token_keeps_its_agents(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken
) -> None:
    agent = arrive(gateway, issued.secret)
    await agent.start()
    await agent.leave()
    await sync_to_async(retire_token)(token=issued.token, actor=TESTER)
    again = arrive(gateway, issued.secret)
    assert not (await again.start()).HasField("error_response")
    await again.leave()


EVERY_WAY = pytest.mark.parametrize(
    ("way", "adapter"), [("http", "asgi"), ("ws", "asgi"), ("ws", "picows")], indirect=["adapter"]
)


@pytest.mark.rule("M6")
@EVERY_WAY
async def test_an_agent_that_is_known_and_asks_for_a_uid_in_its_first_message_is_the_same_one_under_the_new(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken, way: str
) -> None:
    async def tell(message: AgentToServer) -> ServerToAgent:
        if way == "http":
            return (await post(gateway, issued.secret, message.SerializeToString()))[1]
        agent = arrive(gateway, issued.secret)
        await agent.wire.next()
        agent.wire.say(message)
        reply = await agent.wire.reply()
        await agent.leave()
        return reply

    await tell(full())
    await sync_to_async(retire_token)(token=issued.token, actor=TESTER)
    asked = await tell(hello(sequence_num=1, flags=1))
    given = UUID(bytes=asked.agent_identification.new_instance_uid)
    assert (asked.instance_uid, given.version) == (UID.bytes, 7)
    assert not (await tell(full(given, 2))).HasField("error_response")
    await until(lambda: ("disconnected", f"It goes by {given} now.") in timeline(UID))
    assert not (await AgentStatus.objects.aget(pk=UID)).connected
    assert "formerly" in dict(await sync_to_async(timeline)(given))


def timeline(uid: UUID) -> list[tuple[str, str]]:
    """Kind and reason of each event of an agent."""
    events = AgentEvent.objects.filter(agent_id=uid).order_by("id")
    return [(event.kind, event.data.get("reason", "")) for event in events]


@pytest.mark.rule("M6")
@EVERY_WAY
async def test_asking_for_a_uid_under_one_that_is_not_known_leaves_nothing_behind(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken, way: str
) -> None:
    asking = hello(flags=1)
    if way == "http":
        _, reply = await post(gateway, issued.secret, asking.SerializeToString())
    else:
        agent = arrive(gateway, issued.secret)
        await agent.wire.next()
        agent.wire.say(asking)
        reply = await agent.wire.reply()
        await agent.leave()
    assert len(reply.agent_identification.new_instance_uid) == 16
    assert not await StoredAgent.objects.aexists()
    assert not await GivenUid.objects.aexists()


@pytest.mark.rule("M6")
async def test_asking_by_plain_http_beside_a_live_websocket_does_not_end_that(
    arrive: Arrive, gateway: Gateway, issued: IssuedToken
) -> None:
    agent = arrive(gateway, issued.secret)
    await agent.start()
    body = hello(sequence_num=9, flags=1).SerializeToString()
    _, reply = await post(gateway, issued.secret, body)
    assert len(reply.agent_identification.new_instance_uid) == 16
    assert (await AgentStatus.objects.aget(pk=UID)).connected
    assert "disconnected" not in dict(await sync_to_async(timeline)(UID))
    await agent.leave()


def test_a_database_that_is_away_is_temporary_and_a_bad_value_is_not() -> None:
    domain = DjangoDomain()
    assert domain.is_temporary(OperationalError("locked"))
    assert domain.is_temporary(RedisTimeout("Timeout reading from socket"))
    assert not domain.is_temporary(ValueError("a NUL character"))
