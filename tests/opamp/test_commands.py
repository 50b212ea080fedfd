"""Commands reach the agent that they are for: over a WebSocket by a poke or the next reconcile, over plain HTTP in an answer."""

import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

import httpx
import pytest
from channels.layers import InMemoryChannelLayer

from agents.commands import Command, Message, Restart
from agents.notify import GATEWAYS
from agents.snapshot import AgentSnapshot, Capability
from fleets.connection_offer import SettingsOffer
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.ports import Caller
from opamp.post import OpampPost
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from tests.opamp.conftest import Connect
from tests.opamp.fakes import CAPABILITIES, SECRET, UID, MemoryDomain, full, joined
from tests.opamp.waiting import until

PING = "io.example.ping/1.0"
TAKES_ALL = CAPABILITIES | Capability.ACCEPTS_RESTART_COMMAND


def introduction(number: int = 0) -> AgentToServer:
    message = full(sequence_num=number)
    message.capabilities = int(TAKES_ALL)
    message.custom_capabilities.capabilities.append(PING)
    return message


@pytest.mark.rule("K1")
class TestOverAWebSocket:
    async def test_a_poke_brings_it_and_it_goes_out_once(
        self, connect: Connect, domain: MemoryDomain, layer: InMemoryChannelLayer
    ) -> None:
        wire = connect()
        await wire.next()
        wire.say(introduction())
        await wire.reply()
        domain.commands[UID] = [Restart()]
        await layer.group_send(GATEWAYS, {"type": "poke", "uids": [UID.hex]})
        told = await wire.reply()
        assert [field.name for field, _ in told.ListFields()] == ["instance_uid", "command"]
        await layer.group_send(GATEWAYS, {"type": "poke", "uids": [UID.hex]})
        await until(lambda: domain.names().count("claim_commands") == 3)
        await wire.nothing_more()

    @pytest.mark.rule("K2")
    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.05)])
    async def test_what_no_poke_told_is_found_and_all_of_it_in_order(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await wire.next()
        wire.say(introduction())
        await wire.reply()
        domain.commands[UID] = [Message(PING, "ping", b"1"), Restart(), Message(PING, "ping", b"2")]
        told = [await wire.reply() for _ in range(3)]
        assert [one.custom_message.data for one in told] == [b"1", b"", b"2"]
        assert [one.HasField("command") for one in told] == [False, True, False]

    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.05)])
    async def test_an_agent_that_takes_nothing_is_not_asked_for(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await joined(wire)
        domain.commands[UID] = [Restart()]
        await until(lambda: domain.names().count("intents") > 3)
        assert "claim_commands" not in domain.names()
        await wire.nothing_more()

    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.05)])
    async def test_a_message_for_a_capability_that_is_gone_is_not_sent(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await wire.next()
        wire.say(introduction())
        await wire.reply()
        domain.commands[UID] = [Message("io.example.gone", "ping", b"1")]
        await until(lambda: not domain.commands[UID])
        asked = domain.names().count("claim_commands")
        await until(lambda: domain.names().count("claim_commands") > asked)
        await wire.nothing_more()

    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.05)])
    async def test_a_session_that_was_replaced_elsewhere_claims_nothing(
        self, connect: Connect, gateway: Gateway, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await wire.next()
        wire.say(introduction())
        await wire.reply()
        domain.elsewhere[UID] = (2, True)
        held = gateway.registry.get(UID)
        assert held is not None
        await until(lambda: held.replaced_s is not None)
        domain.commands[UID] = [Restart()]
        asked = domain.names().count("intents")
        await until(lambda: domain.names().count("intents") > asked + 2)
        assert domain.commands[UID] == [Restart()]


class Slow(MemoryDomain):
    """Takes longer to answer than a gateway pauses between two looks at everything."""

    def claim_commands(
        self, agents: Mapping[uuid.UUID, int], *, now: datetime
    ) -> Mapping[uuid.UUID, Command]:
        claimed = super().claim_commands(agents, now=now)
        if claimed:
            self.gate.wait(0.1)
        return claimed


@pytest.mark.rule("K1")
class TestWhileTheNextLookIsDue:
    @pytest.fixture
    def domain(self) -> MemoryDomain:
        return Slow()

    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.05)])
    async def test_what_is_claimed_is_sent(
        self, connect: Connect, domain: MemoryDomain, layer: InMemoryChannelLayer
    ) -> None:
        wire = connect()
        await wire.next()
        wire.say(introduction())
        await wire.reply()
        domain.gate.clear()
        for _ in range(5):
            domain.commands[UID] = [Restart()]
            await layer.group_send(GATEWAYS, {"type": "poke", "uids": [UID.hex]})
            assert (await wire.reply()).HasField("command")


class Remembering(MemoryDomain):
    """Knows what an agent of plain HTTP said before."""

    def _admit(self, caller: Caller) -> AgentSnapshot:
        known = super()._admit(caller)
        assert isinstance(known, AgentSnapshot)
        return AgentSnapshot(
            known.instance_uid,
            known.epoch,
            sequence_num=4,
            capabilities=int(TAKES_ALL),
            is_new=False,
            desired_hash=known.desired_hash,
            settings=known.settings,
            transport=known.transport,
            custom_capabilities=(PING,),
        )


class TestOverPlainHttp:
    @pytest.fixture
    def domain(self) -> MemoryDomain:
        return Remembering()

    @pytest.fixture
    async def client(self, gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(OpampPost(gateway))
        headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/x-protobuf"}
        async with httpx.AsyncClient(
            transport=transport, headers=headers, base_url="http://server"
        ) as made:
            yield made

    async def poll(self, client: httpx.AsyncClient, number: int) -> ServerToAgent:
        message = AgentToServer(
            instance_uid=UID.bytes, sequence_num=number, capabilities=int(TAKES_ALL)
        )
        response = await client.post("/v1/opamp", content=message.SerializeToString())
        assert response.status_code == 200
        return ServerToAgent.FromString(response.content)

    @pytest.mark.rule("K1")
    async def test_the_next_answer_carries_it_and_nothing_else(
        self, client: httpx.AsyncClient, domain: MemoryDomain
    ) -> None:
        domain.commands[UID] = [Restart(), Message(PING, "ping", b"1")]
        told = await self.poll(client, 5)
        names = [field.name for field, _ in told.ListFields()]
        assert names == ["instance_uid", "capabilities", "command"]
        assert (await self.poll(client, 5)).custom_message.data == b"1"

    @pytest.mark.rule("K1")
    async def test_an_answer_that_asks_or_offers_something_does_not_carry_it(
        self, client: httpx.AsyncClient, domain: MemoryDomain
    ) -> None:
        domain.commands[UID] = [Restart()]
        assert (await self.poll(client, 9)).flags == 1  # a gap
        assert domain.commands[UID] == [Restart()]

    @pytest.mark.rule("K1", "S2")
    async def test_connection_settings_are_not_taken_away_by_a_command(
        self, client: httpx.AsyncClient, domain: MemoryDomain
    ) -> None:
        domain.settings[UID] = SettingsOffer("cc" * 32, heartbeat_s=5)
        domain.commands[UID] = [Restart()]
        told = await self.poll(client, 5)
        assert told.connection_settings.hash == bytes.fromhex("cc" * 32)
        assert not told.HasField("command")
        assert domain.commands[UID] == [Restart()]
