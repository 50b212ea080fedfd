"""Offers go out only after their claim; hints may be lost, and what they would have told is found all the same."""

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from channels.layers import InMemoryChannelLayer

from agents import notify
from fleets.connection_offer import Held, SettingsOffer
from fleets.offer import Claim, Intent, Offer
from opamp import loops
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from tests.opamp.adapters import AsgiWire
from tests.opamp.conftest import Connect
from tests.opamp.fakes import (
    HASH,
    UID,
    UID2,
    MemoryDomain,
    hello,
    joined,
)
from tests.opamp.waiting import until


class Losing(MemoryDomain):
    """Writes a claim down and loses its answer, once; or cannot claim settings."""

    loses_answer = False
    lacks_settings = False

    def __init__(self) -> None:
        super().__init__()
        self.may_give_back = threading.Event()
        self.may_give_back.set()

    def give_back_offers(self, claims: Mapping[UUID, Claim], *, now: datetime) -> None:
        self.log.append(("begins_to_give_back", claims))
        assert self.may_give_back.wait(10)
        super().give_back_offers(claims, now=now)

    def claim_offers(self, agents: Mapping[UUID, int], *, now: datetime) -> Mapping[UUID, Offer]:
        granted = super().claim_offers(agents, now=now)
        if granted and self.loses_answer:
            self.loses_answer = False
            raise ConnectionError
        return granted

    def claim_settings(
        self, agents: Mapping[UUID, Held], *, now: datetime
    ) -> Mapping[UUID, SettingsOffer]:
        if self.lacks_settings:
            raise ConnectionError
        return super().claim_settings(agents, now=now)


class TestClaimsThatFail:
    @pytest.fixture
    def domain(self) -> MemoryDomain:
        return Losing()

    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.05, decline_s=0.05)])
    async def test_a_claim_whose_answer_was_lost_is_given_back_and_claimed_again(
        self, connect: Connect, domain: Losing
    ) -> None:
        domain.loses_answer = True
        domain.desired[UID] = HASH
        wire = connect()
        await joined(wire)
        assert (await wire.reply()).remote_config.config_hash == bytes.fromhex(HASH)
        assert ("give_back_offers", {UID: Claim(1, HASH)}) in domain.log
        assert domain.claimed == {UID: HASH}

    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.05, decline_s=0.05)])
    async def test_nothing_is_claimed_while_a_claim_is_given_back(
        self, connect: Connect, domain: Losing, gateway: Gateway
    ) -> None:
        domain.loses_answer = True
        domain.may_give_back.clear()
        domain.desired[UID] = HASH
        wire = connect()
        await joined(wire)
        await until(lambda: "begins_to_give_back" in domain.names())
        agent = gateway.registry.get(UID)
        assert agent is not None
        gateway.intent.want_offer(agent)
        for number in range(1, 6):
            wire.say(hello(sequence_num=number))
            assert (await wire.reply()).instance_uid == UID.bytes
        assert domain.names().count("claim_offers") == 1
        domain.may_give_back.set()
        await until(lambda: domain.names().count("claim_offers") > 1)
        returned = [
            name for name in domain.names() if name.endswith(("give_back_offers", "claim_offers"))
        ]
        assert returned[:3] == ["claim_offers", "give_back_offers", "claim_offers"]

    async def test_an_offer_is_sent_although_settings_cannot_be_claimed(
        self, connect: Connect, domain: Losing
    ) -> None:
        domain.lacks_settings = True
        domain.settings[UID] = SettingsOffer(HASH, heartbeat_s=5)
        domain.desired[UID] = HASH
        wire = connect()
        await joined(wire)
        assert (await wire.reply()).remote_config.config_hash == bytes.fromhex(HASH)


class Poking(MemoryDomain):
    """While it answers what the agents should have, the next poke arrives."""

    again: Callable[[], None] = staticmethod(lambda: None)

    def intents(self, uids: Collection[UUID] | None) -> Mapping[UUID, Intent]:
        self.again()
        return super().intents(uids)


class TestPokesWithoutEnd:
    @pytest.fixture
    def domain(self) -> MemoryDomain:
        return Poking()

    @pytest.mark.rule("I4")
    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.05)])
    async def test_they_do_not_keep_it_from_comparing_everything(
        self, connect: Connect, domain: Poking, layer: Any, gateway: Gateway
    ) -> None:
        loop = asyncio.get_running_loop()
        wire = connect()
        await joined(wire)
        domain.again = lambda: asyncio.run_coroutine_threadsafe(poke(layer, UID.hex), loop).result()
        await poke(layer, UID.hex)
        await until(lambda: ("intents", {UID}) in domain.log)
        compared = domain.log.count(("intents", None))
        await until(lambda: domain.log.count(("intents", None)) > compared + 1)


class TestOffers:
    async def test_an_offer_is_sent_after_its_claim_and_the_claim_after_the_flush(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        domain.desired[UID] = HASH
        wire = connect()
        await joined(wire)
        offer = await wire.reply()
        assert offer.remote_config.config_hash == bytes.fromhex(HASH)
        assert domain.names()[-2:] == ["record_patches", "claim_offers"]
        assert domain.claimed == {UID: HASH}

    async def test_nothing_is_offered_without_a_claim(
        self, connect: Connect, domain: MemoryDomain, gateway: Gateway
    ) -> None:
        domain.desired[UID] = HASH
        domain.claimed[UID] = HASH  # in flight or quarantined: the domain grants nothing
        wire = connect()
        await joined(wire)
        await until(lambda: "claim_offers" in domain.names())
        wire.say(hello(sequence_num=1))
        assert not (await wire.reply()).HasField("remote_config")
        await wire.nothing_more()

    async def test_a_claim_that_must_not_be_sent_is_given_back(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        domain.desired[UID] = HASH
        domain.offers[HASH] = Offer(HASH, ())  # an empty map would stop the collector
        wire = connect()
        await joined(wire)
        await until(lambda: ("give_back_offers", {UID: Claim(1, HASH)}) in domain.log)
        await wire.nothing_more()

    async def test_offers_of_many_agents_are_claimed_in_one_transaction(
        self, connect: Connect, domain: MemoryDomain, layer: Any
    ) -> None:
        wires = {UID: connect(), UID2: connect()}
        for uid, wire in wires.items():
            await joined(wire, uid=uid)
        domain.desired = {UID: HASH, UID2: HASH}
        await poke(layer, UID.hex, UID2.hex)
        for wire in wires.values():
            assert (await wire.reply()).HasField("remote_config")
        claims = [agents for name, agents in domain.log if name == "claim_offers"]
        assert claims == [{UID: 1, UID2: 1}]

    @pytest.mark.rule("I4")
    async def test_a_poke_reaches_the_session(
        self, connect: Connect, domain: MemoryDomain, layer: Any
    ) -> None:
        wire = connect()
        await joined(wire)
        domain.desired[UID] = HASH
        await poke(layer, UID.hex)
        assert (await wire.reply()).remote_config.config_hash == bytes.fromhex(HASH)

    @pytest.mark.rule("I4")
    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.02)])
    async def test_reconcile_finds_what_no_poke_told(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await joined(wire)
        domain.desired[UID] = HASH
        assert (await wire.reply()).remote_config.config_hash == bytes.fromhex(HASH)

    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.01)])
    async def test_a_declined_claim_is_not_repeated_at_every_reconcile(
        self, connect: Connect, domain: MemoryDomain, layer: Any
    ) -> None:
        wire = connect()
        await joined(wire)
        domain.claimed[UID] = domain.desired[UID] = HASH
        await until(lambda: "claim_offers" in domain.names())
        seen = domain.names().count("intents")
        await until(lambda: domain.names().count("intents") > seen + 3)
        assert domain.names().count("claim_offers") == 1
        domain.claimed.clear()
        await poke(layer, UID.hex)
        assert (await wire.reply()).HasField("remote_config")

    @pytest.mark.parametrize("adapter", ["asgi"], indirect=True)  # tests/serve has it over sockets
    async def test_a_peer_that_does_not_read_is_cut_off_and_holds_up_nobody(
        self, connect: Connect, domain: MemoryDomain, layer: Any, gateway: Gateway
    ) -> None:
        slow, quick = connect(), connect()
        assert isinstance(slow, AsgiWire)
        await joined(slow)
        await joined(quick, uid=UID2)
        slow.reads.clear()
        domain.desired = {UID: HASH, UID2: HASH}
        await poke(layer, UID.hex, UID2.hex)
        assert (await quick.reply()).HasField("remote_config")
        await until(lambda: gateway.registry.uids() == [UID2])
        assert gateway.registry.connection_count == 1


class ForgetfulLayer(InMemoryChannelLayer):  # type: ignore[misc]  # it has no types
    """A layer that can be away, and knows nobody when it is back."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = asyncio.Event()
        self.failures = 0

    async def group_add(self, group: str, channel: str) -> None:
        if self.is_away.is_set():
            self.failures += 1
            raise ConnectionError("away")
        await super().group_add(group, channel)

    async def receive(self, channel: str) -> dict[str, Any]:
        receiving = asyncio.ensure_future(super().receive(channel))
        leaving = asyncio.ensure_future(self.is_away.wait())
        await asyncio.wait({receiving, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            receiving.cancel()
            raise ConnectionError("away")
        leaving.cancel()
        message: dict[str, Any] = await receiving
        return message

    def forget(self) -> None:
        self.is_away.set()
        self.groups.clear()


class TestALayerThatIsAway:
    @pytest.fixture
    def layer(self) -> ForgetfulLayer:
        return ForgetfulLayer()

    @pytest.mark.rule("I4")
    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.02)])
    async def test_changes_are_found_meanwhile(
        self, connect: Connect, domain: MemoryDomain, layer: ForgetfulLayer
    ) -> None:
        wire = connect()
        await joined(wire)
        layer.forget()
        domain.desired[UID] = HASH
        assert (await wire.reply()).remote_config.config_hash == bytes.fromhex(HASH)

    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.02)])
    async def test_it_is_said_once_and_is_no_fault_of_ours(
        self,
        gateway: Gateway,
        connect: Connect,
        layer: ForgetfulLayer,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(loops, "_RETRY_S", 0.01)
        await joined(connect())
        for outages in (1, 2):
            layer.forget()
            await until(lambda: layer.failures > 5)
            layer.is_away.clear()
            await until(lambda: layer.groups.get(notify.GATEWAYS))
            assert caplog.text.count("Hints do not reach this process") == outages
            layer.failures = 0
        assert "Traceback" not in caplog.text
        assert gateway.counters.loop_failures == 0

    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=60)])
    async def test_hints_arrive_again_when_it_is_back(
        self, connect: Connect, domain: MemoryDomain, layer: ForgetfulLayer
    ) -> None:
        wire = connect()
        await joined(wire)
        layer.forget()
        await asyncio.sleep(0)
        layer.is_away.clear()
        await until(lambda: notify.GATEWAYS in layer.groups)
        domain.desired[UID] = HASH
        await poke(layer, UID.hex)
        assert (await wire.reply()).remote_config.config_hash == bytes.fromhex(HASH)


async def poke(layer: Any, *uids: str) -> None:
    await layer.group_send(notify.GATEWAYS, {"type": "poke", "uids": list(uids)})
