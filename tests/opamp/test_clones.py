"""Cloned machines on the real domain: one of them goes on under a uid of its own, as a member beside the original."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer

from agents.models import AgentEvent, AgentStatus
from fleets.models import ArrivalMode, Fleet, Membership, Token
from fleets.tokens import Expiry, IssuedToken, issue_token
from opamp.domain import DjangoDomain
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from opamp.proto.opamp_pb2 import ServerToAgent
from telflo.base import clock
from tests.factories import TESTER, make_fleet, make_version
from tests.opamp.agent import Agent, Arrive, until
from tests.opamp.fakes import UID, full, hello, post

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("A2")]


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet(name="edge", version=make_version())


@pytest.fixture
def issued(fleet: Fleet) -> IssuedToken:
    return issue_token(fleet=fleet, name="test", expires=Expiry.NEVER, actor=TESTER)


@pytest.fixture
async def processes() -> AsyncIterator[list[Gateway]]:
    """Two server processes beside one database."""
    layer = InMemoryChannelLayer()
    options = GatewayOptions(
        buffer=BufferLimits(flush_s=0.02, heartbeat_flush_s=0.02),
        reconcile_s=0.1,
        remember_tokens_s=0,
        late_s=0,
    )
    made = [Gateway(DjangoDomain(), lambda: layer, options) for _ in range(2)]
    yield made
    await asyncio.gather(*(gateway.stop() for gateway in made))


def given_in(reply: ServerToAgent) -> UUID:
    return UUID(bytes=reply.agent_identification.new_instance_uid)


async def answer(agent: Agent, number: int, uid: UUID = UID) -> ServerToAgent:
    """Its next message's answer; offers that come between are passed over."""
    agent.wire.say(hello(uid, number))
    while (reply := await agent.wire.reply()).HasField("remote_config"):
        pass
    return reply


def kinds(uid: UUID) -> list[str]:
    return list(AgentEvent.objects.filter(agent_id=uid).values_list("kind", flat=True))


@pytest.mark.parametrize("apart", [0, 1])
async def test_two_machines_with_one_uid_become_two_agents(
    arrive: Arrive, processes: list[Gateway], issued: IssuedToken, apart: int
) -> None:
    clone, original = arrive(processes[apart], issued.secret), arrive(processes[0], issued.secret)
    await clone.start()
    await original.start()
    # The token lets nobody new in any more, and the original is only observed: so is its copy.
    await Token.objects.aupdate(retired_at=clock.now() - timedelta(days=1))
    await Membership.objects.aupdate(mode=ArrivalMode.OBSERVED)
    number, reply = 1, ServerToAgent()
    async with asyncio.timeout(10):
        while not reply.HasField("agent_identification"):
            reply = await answer(clone, number)
            number += 1
            await asyncio.sleep(0.02)
    given = given_in(reply)
    clone.wire.say(full(given, number))
    assert (await clone.wire.reply()).instance_uid == given.bytes
    assert not (await answer(original, 1)).HasField("error_response")
    await until(lambda: AgentStatus.objects.filter(connected=True).count() == 2)
    copy = await Membership.objects.select_related("fleet").aget(agent_id=given)
    assert (copy.fleet.name, copy.mode) == ("edge", "observed")
    assert "cloned_from" in await sync_to_async(kinds)(given)
    assert "cloned" in await sync_to_async(kinds)(UID)
    await clone.leave()
    await original.leave()


async def test_two_machines_that_poll_by_plain_http_become_two_agents(
    processes: list[Gateway], issued: IssuedToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock.now()
    monkeypatch.setattr("opamp.post.now", lambda: moment)
    numbers, uids = [3, 40], [UID, UID]
    for turn in range(14):
        who = turn % 2
        moment += timedelta(seconds=15)
        message = full(uids[who], numbers[who])
        status, reply = await post(
            processes[who], issued.secret, message.SerializeToString(), address=f"192.0.2.{who}"
        )
        assert status == 200
        numbers[who] += 1
        if reply.HasField("agent_identification"):
            uids[who] = given_in(reply)
    assert len({*uids}) == 2
    assert await AgentStatus.objects.acount() == 2
    assert UID in uids


async def test_plain_http_beside_a_live_websocket_becomes_an_agent_of_its_own(
    arrive: Arrive, processes: list[Gateway], issued: IssuedToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = arrive(processes[0], issued.secret)
    await live.start()
    moment = clock.now() - timedelta(seconds=40)
    monkeypatch.setattr("opamp.post.now", lambda: moment)
    body = hello(UID, 9).SerializeToString()
    _, first = await post(processes[1], issued.secret, body)
    await answer(live, 1)
    moment += timedelta(seconds=30)
    body = hello(UID, 10).SerializeToString()
    _, second = await post(processes[1], issued.secret, body)
    assert [reply.HasField("agent_identification") for reply in (first, second)] == [False, True]
    given = given_in(second)
    status, third = await post(processes[1], issued.secret, full(given, 11).SerializeToString())
    assert (status, third.instance_uid) == (200, given.bytes)
    assert "cloned" in await sync_to_async(kinds)(UID)
    await live.leave()
