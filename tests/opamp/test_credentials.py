"""Connection settings and credentials between a gateway and the real domain, over both transports."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer
from django.db import OperationalError

from agents.models import Agent as StoredAgent
from agents.models import AgentStatus
from agents.snapshot import Capability
from fleets.connection import update_connection
from fleets.connection_offer import Held, SettingsOffer
from fleets.models import AgentConnection, Fleet, Membership, RefusedAttempt, Token, TokenKind
from fleets.tokens import Expiry, IssuedToken, issue_token, revoke_token
from opamp.domain import DjangoDomain
from opamp.errors import ConnectionRefused
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from telflo.base import hints
from tests.factories import TESTER, make_fleet
from tests.opamp.agent import Agent, Arrive, until
from tests.opamp.fakes import CAPABILITIES, UID, UID2, full, hello, post
from tests.protocol.world import FULL_STATE

pytestmark = pytest.mark.django_db(transaction=True)
ABLE = CAPABILITIES | int(Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS)
OPTIONS = GatewayOptions(buffer=BufferLimits(flush_s=0.02), reconcile_s=60, refusals_s=0.02)


@pytest.fixture(autouse=True)
def _address(settings: Any) -> None:
    settings.BASE_URL, settings.OPAMP_URL, settings.CA_FILE = "https://telflo.example", "", ""


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet(name="edge")


@pytest.fixture
def issued(fleet: Fleet) -> IssuedToken:
    return issue_token(fleet=fleet, name="test", expires=Expiry.NEVER, actor=TESTER)


@pytest.fixture
async def gateways() -> AsyncIterator[list[Gateway]]:
    """Two processes on one layer."""
    layer = InMemoryChannelLayer()
    before = hints.set_port(hints.EmbeddedPort(asyncio.get_running_loop(), layer))
    made = [Gateway(DjangoDomain(), lambda: layer, OPTIONS) for _ in range(2)]
    yield made
    for one in made:
        await one.stop()
    hints.set_port(before)


def able(message: AgentToServer) -> AgentToServer:
    """Of an agent that accepts connection settings."""
    message.capabilities = ABLE
    return message


async def change(fleet: Fleet, **how: Any) -> None:
    await sync_to_async(update_connection)(fleet=fleet, actor=TESTER, **how)


@pytest.mark.rule("S2", "S4")
async def test_an_interval_reaches_a_connected_agent_by_a_poke_and_once(
    arrive: Arrive, gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    agent = arrive(gateways[0], issued.secret)
    await agent.start()
    await until(lambda: StoredAgent.objects.get().capabilities)
    await change(fleet, heartbeat_s=60)
    settings = (await agent.wire.reply()).connection_settings
    assert settings.opamp.heartbeat_interval_seconds == 60
    assert not settings.opamp.destination_endpoint
    for number in (1, 2):
        agent.wire.say(hello(sequence_num=number))
        assert not (await agent.wire.reply()).HasField("connection_settings")
    assert (await AgentStatus.objects.aget()).interval_s == 60
    await agent.leave()


class Losing(DjangoDomain):
    """Writes claims down and loses their answers, so many times."""

    losses = 2

    def claim_settings(
        self, agents: Mapping[UUID, Held], *, now: datetime
    ) -> Mapping[UUID, SettingsOffer]:
        granted = super().claim_settings(agents, now=now)
        if self.losses:
            self.losses -= 1
            raise OperationalError("The connection is gone.")
        return granted


@pytest.mark.rule("S2", "S6")
async def test_settings_whose_claim_was_written_down_and_not_answered_are_offered_all_the_same(
    arrive: Arrive, gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    await change(fleet, heartbeat_s=60, own_credentials=True)
    domain, layer = Losing(), InMemoryChannelLayer()
    gateway = Gateway(domain, lambda: layer, replace(OPTIONS, reconcile_s=0.05))
    gateways.append(gateway)
    agent = arrive(gateway, issued.secret)
    await agent.wire.next()
    agent.wire.say(able(full()))
    while not (reply := await agent.wire.reply()).HasField("connection_settings"):
        pass
    assert domain.losses == 0
    made = await Token.objects.aget(kind=TokenKind.AGENT)
    secret = reply.connection_settings.opamp.headers.headers[0].value.removeprefix("Bearer ")
    assert secret.startswith(made.prefix)
    assert (await AgentConnection.objects.aget()).unused_offers == 1
    await agent.leave()


@pytest.mark.rule("S3", "S1")
async def test_a_new_agent_is_offered_them_right_behind_its_first_answer(
    arrive: Arrive, gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    await change(fleet, heartbeat_s=60)
    agent = arrive(gateways[0], issued.secret)
    await agent.start()
    assert (await agent.wire.reply()).connection_settings.opamp.heartbeat_interval_seconds == 60
    await agent.leave()


@pytest.mark.rule("S3", "S2")
async def test_over_plain_http_they_are_in_the_first_answer_and_in_no_other(
    gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    await change(fleet, heartbeat_s=60)
    _, first = await post(gateways[0], issued.secret, full().SerializeToString())
    assert first.connection_settings.opamp.heartbeat_interval_seconds == 60
    for number in (1, 2):
        message = hello(sequence_num=number).SerializeToString()
        _, later = await post(gateways[number % 2], issued.secret, message)
        assert not later.HasField("connection_settings")


@pytest.mark.rule("S2", "S3")
async def test_over_plain_http_settings_whose_answer_was_lost_are_offered_again_and_once(
    gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    """The number above that of the message that is posted anew is no proof that the first answer arrived."""

    async def said(message: AgentToServer) -> ServerToAgent:
        body = able(message).SerializeToString()
        return (await post(gateways[message.sequence_num % 2], issued.secret, body))[1]

    await said(full())
    await change(fleet, heartbeat_s=60)
    assert (await said(hello(sequence_num=1))).HasField("connection_settings")
    again = await said(hello(sequence_num=1))
    assert (again.flags, again.HasField("connection_settings")) == (FULL_STATE, False)
    whole = await said(full(sequence_num=2))
    assert whole.connection_settings.opamp.heartbeat_interval_seconds == 60
    assert not (await said(hello(sequence_num=3))).HasField("connection_settings")


async def offered_to(agent: Agent) -> str:
    """It comes, and is offered a credential of its own."""
    await agent.wire.next()
    agent.wire.say(able(full()))
    await agent.wire.reply()
    opamp = (await agent.wire.reply()).connection_settings.opamp
    return opamp.headers.headers[0].value.removeprefix("Bearer ")


async def has_come(agent: Agent) -> None:
    """It comes by its credential, and is offered nothing."""
    await agent.wire.next()
    agent.wire.say(able(full()))
    assert not (await agent.wire.reply()).HasField("connection_settings")


async def goes_on(agent: Agent, number: int = 1) -> None:
    """What it says on this connection is answered as ever."""
    agent.wire.say(able(hello(sequence_num=number)))
    assert not (await agent.wire.reply()).HasField("error_response")


@pytest.mark.rule("S6", "S5")
async def test_an_agent_is_moved_to_a_credential_of_its_own(
    arrive: Arrive, gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    await change(fleet, own_credentials=True)
    agent = arrive(gateways[0], issued.secret)
    secret = await offered_to(agent)
    await agent.leave()

    moved = arrive(gateways[1], secret)
    await has_come(moved)
    token = await Token.objects.aget(kind=TokenKind.AGENT)
    assert (await Membership.objects.aget()).token_id == token.pk
    moved.wire.say(able(hello(sequence_num=1)))
    assert not (await moved.wire.reply()).HasField("connection_settings")

    thief = arrive(gateways[0], secret)
    await thief.wire.next()
    thief.wire.say(able(full(UID2)))
    answer = await thief.wire.reply()
    assert "belongs to another collector" in answer.error_response.error_message
    await until(lambda: RefusedAttempt.objects.filter(reason="other_agent").exists())
    await thief.leave()
    await moved.leave()


@pytest.mark.rule("S6", "S8")
async def test_who_is_still_here_by_the_credential_before_it_is_closed_in_every_process(
    arrive: Arrive, gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    """A connection that was left open, or somebody who has a copy: at once, as when it is revoked by hand."""
    await change(fleet, own_credentials=True)
    first = arrive(gateways[0], issued.secret)
    before = await offered_to(first)
    await first.leave()
    left = [arrive(gateway, before) for gateway in gateways]
    await has_come(left[0])
    assert (await left[1].wire.next())["type"] == "websocket.accept"  # and says nothing

    restarted = arrive(gateways[1], issued.secret)
    newest = await offered_to(restarted)
    await goes_on(restarted)  # what was offered and not used yet ends nothing
    await restarted.leave()
    agent = arrive(gateways[1], newest)
    await has_come(agent)
    async with asyncio.timeout(1):
        for one in left:
            closed = await one.wire.next()
            assert (closed["code"], closed["reason"]) == (
                1008,
                "The collector uses a newer credential.",
            )
    for gateway in gateways:
        assert (await arrive(gateway, before).wire.next())["status"] == 401
    await goes_on(agent)
    await agent.leave()


@pytest.mark.rule("S6")
async def test_who_comes_by_its_first_credential_ends_nothing(
    arrive: Arrive, gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    """It may come back before it has left, and others use the shared token."""
    await change(fleet, own_credentials=True)
    agent, other = (arrive(gateway, issued.secret) for gateway in gateways)
    secret = await offered_to(agent)
    await other.wire.next()
    other.wire.say(full(UID2))
    await other.wire.reply()
    moved = arrive(gateways[1], secret)
    await has_come(moved)
    await goes_on(moved)
    other.wire.say(hello(UID2, 1))
    assert not (await other.wire.reply()).HasField("error_response")
    await agent.wire.nothing_more()
    for one in (agent, other, moved):
        await one.leave()


@pytest.mark.rule("S6")
async def test_over_plain_http_too(
    gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    await change(fleet, own_credentials=True)
    _, first = await post(gateways[0], issued.secret, able(full()).SerializeToString())
    opamp = first.connection_settings.opamp
    assert opamp.destination_endpoint == "https://telflo.example/v1/opamp"
    secret = opamp.headers.headers[0].value.removeprefix("Bearer ")
    _, again = await post(gateways[0], secret, able(full()).SerializeToString())
    assert not again.HasField("connection_settings")
    status, answer = await post(gateways[0], secret, able(full(UID2)).SerializeToString())
    assert status == 403
    assert "belongs to another collector" in answer.error_response.error_message


@pytest.mark.rule("S8")
async def test_revoking_closes_connections_in_every_process_and_refuses_at_once(
    arrive: Arrive, gateways: list[Gateway], issued: IssuedToken
) -> None:
    agents = [arrive(gateway, issued.secret) for gateway in gateways]
    for agent, uid in zip(agents, (UID, UID2), strict=True):
        assert (await agent.wire.next())["type"] == "websocket.accept"
        agent.wire.say(full(uid))
        await agent.wire.reply()
    silent = arrive(gateways[1], issued.secret)  # it has said nothing, so no membership names it
    assert (await silent.wire.next())["type"] == "websocket.accept"
    await sync_to_async(revoke_token)(token=issued.token, actor=TESTER)
    async with asyncio.timeout(1):
        for agent in (*agents, silent):
            event = await agent.wire.next()
            assert (event["type"], event.get("code")) == ("websocket.close", 1008)
    for gateway in gateways:
        assert (await arrive(gateway, issued.secret).wire.next())["status"] == 401
        with pytest.raises(ConnectionRefused, match="revoked"):
            await gateway.authenticate(issued.secret, address="192.0.2.1")


@pytest.mark.rule("S8")
async def test_revoking_one_agents_credential_leaves_the_others(
    arrive: Arrive, gateways: list[Gateway], issued: IssuedToken, fleet: Fleet
) -> None:
    other = await sync_to_async(issue_token)(
        fleet=fleet, name="other", expires=Expiry.NEVER, actor=TESTER
    )
    gone, stays = arrive(gateways[0], issued.secret), arrive(gateways[0], other.secret)
    for agent, uid in ((gone, UID), (stays, UID2)):
        await agent.wire.next()
        agent.wire.say(full(uid))
        await agent.wire.reply()
    await sync_to_async(revoke_token)(token=issued.token, actor=TESTER)
    assert (await gone.wire.next())["code"] == 1008
    stays.wire.say(hello(UID2, 1))
    assert (await stays.wire.reply()).instance_uid == UID2.bytes
    await stays.leave()
