"""What the gateway does for connections: one reply a message, the newest wins, offers only after their claim."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from channels.layers import InMemoryChannelLayer

from agents import notify
from fleets.offer import Offer
from opamp.buffer import WriteBuffer
from opamp.gateway import Gateway
from opamp.identities import REPLACED
from opamp.options import GatewayOptions
from opamp.proto.opamp_pb2 import AgentDisconnect, ComponentHealth, ServerErrorResponseType
from tests.opamp.adapters import AsgiWire
from tests.opamp.conftest import Connect
from tests.opamp.fakes import (
    CREDENTIAL,
    HASH,
    TOO_MANY,
    UID,
    UID2,
    MemoryDomain,
    Wire,
    full,
    hello,
)
from tests.opamp.waiting import until

BAD_REQUEST = ServerErrorResponseType.ServerErrorResponseType_BadRequest
FULL_STATE = 1
UNAVAILABLE = ServerErrorResponseType.ServerErrorResponseType_Unavailable


async def joined(wire: Wire, *, uid: Any = UID) -> None:
    """Connect and be answered once, with a full state."""
    assert (await wire.next())["type"] == "websocket.accept"
    wire.say(full(uid))
    assert (await wire.reply()).instance_uid == uid.bytes


class TestMessages:
    @pytest.mark.rule("M1")
    async def test_every_message_gets_one_reply(self, connect: Connect) -> None:
        wire = connect()
        await joined(wire)
        for n in range(1, 4):
            wire.say(hello(sequence_num=n))
            assert (await wire.reply()).instance_uid == UID.bytes
        await wire.nothing_more()

    @pytest.mark.rule("I5")
    async def test_only_the_first_message_touches_the_database(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await joined(wire)
        await until(lambda: domain.patches)
        before = domain.names()
        assert before == ["verify_token", "admit_agents", "record_patches"]
        wire.say(hello(sequence_num=1))
        await wire.reply()
        assert domain.names() == before

    async def test_messages_wait_in_order_while_their_agent_is_admitted(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        domain.gate.clear()
        wire = connect()
        await wire.next()
        wire.say(full())
        for n in (1, 2):
            wire.say(hello(sequence_num=n))
        await until(lambda: "admit_agents" in domain.names())
        domain.gate.set()
        assert [(await wire.reply()).flags for _ in range(3)] == [0, 0, 0]
        assert domain.names().count("admit_agents") == 1

    @pytest.mark.rule("M2")
    async def test_one_connection_carries_two_agents(
        self, connect: Connect, gateway: Gateway
    ) -> None:
        wire = connect()
        await joined(wire)
        wire.say(full(UID2))
        assert (await wire.reply()).instance_uid == UID2.bytes
        wire.say(hello(sequence_num=1))
        assert (await wire.reply()).instance_uid == UID.bytes
        assert set(gateway.registry.uids()) == {UID, UID2}

    async def test_a_slow_admission_does_not_hold_up_another_agent_on_the_connection(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await joined(wire)
        domain.gate.clear()
        wire.say(full(UID2))
        wire.say(hello(sequence_num=1))
        assert (await wire.reply()).instance_uid == UID.bytes
        domain.gate.set()
        assert (await wire.reply()).instance_uid == UID2.bytes

    @pytest.mark.rule("A5")
    @pytest.mark.parametrize("options", [GatewayOptions(agents_per_connection=1)])
    async def test_a_connection_carries_only_so_many_agents(self, connect: Connect) -> None:
        wire = connect()
        await joined(wire)
        wire.say(full(UID2))
        reply = await wire.reply()
        assert reply.error_response.type == BAD_REQUEST
        assert "at most 1" in reply.error_response.error_message

    @pytest.mark.rule("M7")
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"\x01abc", "header is 1"),
            (b"\x00\xff\xff\xff", "not a valid AgentToServer"),
            (b"", "empty"),
            (b"\x00\x0a\x0f" + b"x" * 15, "15 bytes"),
        ],
    )
    async def test_a_malformed_message_is_answered_and_the_connection_stays(
        self, connect: Connect, data: bytes, words: str
    ) -> None:
        wire = connect()
        await wire.next()
        wire.feed(data)
        error = (await wire.reply()).error_response
        assert error.type == BAD_REQUEST
        assert words in error.error_message
        wire.say(full())
        assert not (await wire.reply()).HasField("error_response")

    @pytest.mark.rule("M6")
    async def test_an_agent_that_asks_for_an_identity_is_not_registered_under_the_old_one(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await wire.next()
        wire.say(hello(flags=1))
        given = (await wire.reply()).agent_identification.new_instance_uid
        assert UUID(bytes=given).version == 7
        assert "admit_agents" not in domain.names()
        wire.say(full(UUID(bytes=given)))
        assert (await wire.reply()).instance_uid == given
        assert ("admit_agents", (UUID(bytes=given),)) in domain.log

    @pytest.mark.rule("M6")
    async def test_one_that_asks_while_the_database_is_away_is_told_to_come_back(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await wire.next()
        domain.failure = ConnectionError("away")
        wire.say(hello(flags=1))
        assert (await wire.reply()).error_response.type == UNAVAILABLE
        domain.failure = None
        wire.say(hello(flags=1))
        assert (await wire.reply()).HasField("agent_identification")

    @pytest.mark.rule("T2")
    async def test_a_text_frame_closes_with_1003_and_says_why(self, connect: Connect) -> None:
        wire = connect()
        await wire.next()
        wire.feed_text("hello")
        closed = await wire.next()
        assert (closed["type"], closed["code"]) == ("websocket.close", 1003)
        assert "binary" in closed["reason"]

    @pytest.mark.rule("D1")
    async def test_a_goodbye_ends_the_session_and_is_stored(
        self, connect: Connect, gateway: Gateway, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await joined(wire)
        wire.say(hello(sequence_num=1, agent_disconnect=AgentDisconnect()))
        await wire.reply()
        assert len(gateway.registry) == 0
        await until(lambda: any(patch.disconnected_at for patch in domain.patches))

    @pytest.mark.rule("M1", "M7", "A2")
    async def test_what_comes_right_behind_a_goodbye_begins_a_session_of_its_own(
        self, connect: Connect, gateway: Gateway, domain: MemoryDomain
    ) -> None:
        domain.gate.clear()
        wire = connect()
        await wire.next()
        wire.say(full())
        wire.say(hello(sequence_num=1, agent_disconnect=AgentDisconnect()))
        wire.say(hello(sequence_num=2))
        wire.say(hello(sequence_num=3))
        await until(lambda: "admit_agents" in domain.names())
        domain.gate.set()
        replies = [await wire.reply() for _ in range(4)]
        assert [reply.error_response.error_message for reply in replies] == [""] * 4
        assert domain.names().count("admit_agents") == 2
        held = gateway.registry.get(UID)
        assert held is not None
        assert (held.epoch, held.is_newest) == (2, True)

    @pytest.mark.rule("D2")
    async def test_a_cut_connection_is_stored_as_disconnected(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await joined(wire)
        wire.hang_up()
        await until(lambda: any(patch.disconnected_at for patch in domain.patches))

    @pytest.mark.rule("A3", "C2")
    async def test_what_a_full_buffer_refused_is_asked_for_once_there_is_room(
        self, connect: Connect, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wire = connect()
        await joined(wire)
        with monkeypatch.context() as full_buffer:
            full_buffer.setattr(WriteBuffer, "is_full", True)
            wire.say(hello(sequence_num=1, health=ComponentHealth(healthy=True)))
            assert (await wire.reply()).error_response.type == UNAVAILABLE
        wire.say(hello(sequence_num=2))
        assert (await wire.reply()).flags == FULL_STATE


class TestLettingIn:
    @pytest.mark.rule("A1")
    @pytest.mark.parametrize("secret", ["tlf_e_wrong", ""])
    async def test_a_bad_token_is_refused_before_the_upgrade(
        self, gateway: Gateway, connect: Connect, secret: str
    ) -> None:
        wire = connect(secret=secret)
        start, body = await wire.next(), await wire.next()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
        assert (b"www-authenticate", b"Bearer") in start["headers"]
        assert b"oken" in body["body"]
        assert len(gateway.refusals) == 1

    @pytest.mark.parametrize("adapter", ["asgi"], indirect=True)
    async def test_a_server_that_cannot_say_401_closes_before_accepting(
        self, connect: Connect
    ) -> None:
        wire = connect(secret="tlf_e_wrong", extensions={})
        assert (await wire.next())["type"] == "websocket.close"

    async def test_refused_attempts_are_counted_and_stored_together(
        self, gateway: Gateway, connect: Connect, domain: MemoryDomain
    ) -> None:
        for _ in range(3):
            await connect(secret="tlf_e_wrong").next()
        await until(lambda: sum(refusal.count for refusal in domain.refusals) == 3)
        assert {(one.reason, one.address) for one in domain.refusals} == {("unknown", "192.0.2.7")}

    async def test_one_token_is_asked_for_once(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wires = [connect() for _ in range(20)]
        for wire in wires:
            assert (await wire.next())["type"] == "websocket.accept"
        assert domain.names() == ["verify_token"]

    @pytest.mark.rule("A3")
    async def test_one_newcomer_too_many_is_told_so_and_to_come_back(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        domain.refuse_agents = "rate"
        wire = connect()
        await wire.next()
        wire.say(full())
        error = (await wire.reply()).error_response
        assert error.type == UNAVAILABLE
        assert error.error_message.startswith(TOO_MANY)
        assert error.retry_info.retry_after_nanoseconds == 30 * 10**9
        domain.refuse_agents = ""
        wire.say(full())
        assert not (await wire.reply()).HasField("error_response")

    async def test_an_agent_that_may_not_enrol_gets_an_error_and_no_closed_connection(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        domain.refuse_agents = "expired"
        wire = connect()
        await wire.next()
        wire.say(full())
        error = (await wire.reply()).error_response
        assert error.type == BAD_REQUEST
        assert error.error_message == "The token expired."
        domain.refuse_agents = ""
        wire.say(hello(sequence_num=1))
        assert not (await wire.reply()).HasField("error_response")

    @pytest.mark.rule("A3")
    async def test_a_database_that_is_away_asks_to_come_back(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await wire.next()
        domain.failure = ConnectionError("away")
        wire.say(full())
        error = (await wire.reply()).error_response
        assert error.type == UNAVAILABLE
        assert error.retry_info.retry_after_nanoseconds >= 30 * 10**9
        domain.failure = None
        wire.say(full())
        assert not (await wire.reply()).HasField("error_response")

    @pytest.mark.rule("A3")
    async def test_of_a_batch_those_alone_who_cannot_come_in_now_are_asked_to_come_back(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        domain.put_off = {UID2}
        known, new = connect(), connect()
        for wire in (known, new):
            await wire.next()
        known.say(full(UID))
        new.say(full(UID2))
        assert not (await known.reply()).HasField("error_response")
        assert (await new.reply()).error_response.type == UNAVAILABLE
        assert ("admit_agents", (UID, UID2)) in domain.log
        domain.put_off = set()
        new.say(full(UID2))
        assert not (await new.reply()).HasField("error_response")

    @pytest.mark.rule("A3")
    @pytest.mark.parametrize("options", [GatewayOptions(waiting=1)])
    async def test_too_many_waiting_handshakes_are_turned_away_with_503(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        first = connect()
        await first.next()
        domain.gate.clear()
        first.say(full())
        await until(lambda: "admit_agents" in domain.names())
        start = await connect().next()
        assert start["status"] == 503
        assert (b"retry-after", b"30") in start["headers"]
        domain.gate.set()
        await first.reply()
        assert (await connect().next())["type"] == "websocket.accept"

    @pytest.mark.rule("A5")
    @pytest.mark.parametrize("options", [GatewayOptions(connections_per_token=1)])
    async def test_a_token_has_only_so_many_connections(self, connect: Connect) -> None:
        first = connect()
        await first.next()
        start = await connect().next()
        assert start["status"] == 429
        assert (b"retry-after", b"30") in start["headers"]

    @pytest.mark.rule("A2")
    async def test_the_newest_connection_of_a_uid_wins(
        self, connect: Connect, gateway: Gateway
    ) -> None:
        old, new = connect(), connect()
        await joined(old)
        await joined(new)
        old.say(hello(sequence_num=1))
        assert (await old.reply()).error_response.error_message == REPLACED
        new.say(hello(sequence_num=1))
        assert not (await new.reply()).HasField("error_response")
        new.hang_up()
        await until(lambda: len(gateway.registry) == 0)
        old.say(hello(sequence_num=2))
        assert not (await old.reply()).HasField("error_response")

    @pytest.mark.rule("I3")
    async def test_what_the_old_connection_said_is_stored_before_a_new_session_begins(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        old = connect()
        await joined(old)
        new = connect()
        await joined(new)
        names = domain.names()
        assert names.index("record_patches") < len(names) - 1 - names[::-1].index("admit_agents")


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
        await until(lambda: ("give_back_offers", {UID: HASH}) in domain.log)
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

    async def group_add(self, group: str, channel: str) -> None:
        if self.is_away.is_set():
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


class TestEnding:
    @pytest.mark.rule("S8")
    async def test_a_revoked_token_closes_its_connections_and_is_forgotten(
        self, connect: Connect, domain: MemoryDomain, layer: Any
    ) -> None:
        wire = connect()
        await joined(wire)
        assert CREDENTIAL.id is not None
        domain.revoked.add(CREDENTIAL.id)
        message = {
            "type": "close_tokens",
            "tokens": [CREDENTIAL.id.hex],
            "reason": "The token is revoked.",
        }
        await layer.group_send(notify.GATEWAYS, message)
        closed = await wire.next()
        assert (closed["code"], closed["reason"]) == (1008, "The token is revoked.")
        assert (await connect().next())["status"] == 401

    @pytest.mark.rule("S8")
    @pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.02)])
    async def test_reconcile_finds_a_revoked_token_that_nobody_told(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await joined(wire)
        assert CREDENTIAL.id is not None
        domain.revoked.add(CREDENTIAL.id)
        assert (await wire.next())["code"] == 1008

    @pytest.mark.rule("A4")
    async def test_draining_closes_with_1012_and_stores_everything(
        self, connect: Connect, domain: MemoryDomain, gateway: Gateway
    ) -> None:
        wires = [connect(), connect()]
        await joined(wires[0])
        await joined(wires[1], uid=UID2)
        await gateway.stop()
        assert [(await wire.next())["code"] for wire in wires] == [1012, 1012]
        ended = {patch.instance_uid for patch in domain.patches if patch.disconnected_at}
        assert ended == {UID, UID2}

    @pytest.mark.rule("A4")
    async def test_nobody_comes_in_while_it_drains(
        self, connect: Connect, gateway: Gateway
    ) -> None:
        gateway.ensure_started()
        await gateway.drain()
        assert (await connect().next())["status"] == 503


async def poke(layer: Any, *uids: str) -> None:
    await layer.group_send(notify.GATEWAYS, {"type": "poke", "uids": list(uids)})
