"""What the gateway does for connections: one reply a message, and how it all ends."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from agents import notify
from opamp.buffer import WriteBuffer
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from opamp.proto.opamp_pb2 import AgentDisconnect, ComponentHealth, ServerErrorResponseType
from opamp.registry import Connection
from telflo.base.ids import new_id
from tests.opamp.adapters import Asgi
from tests.opamp.conftest import Connect
from tests.opamp.fakes import (
    CREDENTIAL,
    OTHER_SECRET,
    UID,
    UID2,
    MemoryDomain,
    full,
    hello,
    joined,
)
from tests.opamp.waiting import until

BAD_REQUEST = ServerErrorResponseType.ServerErrorResponseType_BadRequest
FULL_STATE = 1
UNAVAILABLE = ServerErrorResponseType.ServerErrorResponseType_Unavailable


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

    @pytest.mark.rule("A5")
    @pytest.mark.parametrize(
        "options", [GatewayOptions(buffer=BufferLimits(flush_s=60, rows=4, share=0.5))]
    )
    async def test_a_token_that_fills_its_share_of_the_buffer_is_put_off_and_others_are_not(
        self, connect: Connect, gateway: Gateway
    ) -> None:
        greedy, other = connect(), connect(secret=OTHER_SECRET)
        await joined(greedy)
        await joined(other, uid=UID2)
        more = new_id()
        for sequence_num in range(2):
            greedy.say(full(more, sequence_num))
            reply = await greedy.reply()
        assert reply.error_response.type == UNAVAILABLE
        assert (await connect().next())["status"] == 503
        other.say(full(UID2, 1))
        assert not (await other.reply()).HasField("error_response")
        assert gateway.counters.limits["buffer_share"] == 2


class Slow:
    """The link of a connection that is closed when the test says so."""

    def __init__(self) -> None:
        self.is_closing = False
        self.goes_on = asyncio.Event()

    @classmethod
    def connected(cls, gateway: Gateway, number: int) -> list["Slow"]:
        gateway.ensure_started()
        links = [cls() for _ in range(number)]
        for link in links:
            link.connection = gateway.connected(link, credential=CREDENTIAL, address="")  # type: ignore[arg-type]
        return links

    connection: Connection

    def go_on(self, gateway: Gateway) -> None:
        if self.is_closing and not self.goes_on.is_set():
            self.goes_on.set()
            gateway.disconnected(self.connection, "")

    def unsent(self) -> int:
        return 0

    def look(self, _now_s: float) -> str:
        return ""

    async def close(self, code: int, reason: str) -> None:
        self.is_closing = True
        await self.goes_on.wait()


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
    async def test_one_that_is_let_in_while_its_token_is_revoked_is_closed_as_well(
        self, gateway: Gateway, domain: MemoryDomain, layer: Any
    ) -> None:
        """The web port accepts before it holds a connection; the hint finds none then."""
        asgi = Asgi()
        first, wire = asgi.connect(gateway), asgi.connect(gateway)
        wire.reads.clear()
        await joined(first)
        assert CREDENTIAL.id is not None
        domain.revoked.add(CREDENTIAL.id)
        hint = {"type": "close_tokens", "tokens": [CREDENTIAL.id.hex], "reason": "Revoked."}
        await layer.group_send(notify.GATEWAYS, hint)
        assert (await first.next())["code"] == 1008
        wire.reads.set()
        assert (await wire.next())["type"] == "websocket.accept"
        assert (await wire.next())["code"] == 1008
        await asgi.stop()

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
    @pytest.mark.parametrize("options", [GatewayOptions(drain_slice=2, drain_pause_s=0)])
    async def test_draining_goes_by_slices(self, gateway: Gateway) -> None:
        """Those of a slice are closed before the next one is."""
        links = Slow.connected(gateway, 6)
        draining = asyncio.create_task(gateway.drain())
        for closed in (2, 4, 6):
            await until(lambda closed=closed: sum(link.is_closing for link in links) >= closed)  # type: ignore[misc]
            for _ in range(20):
                await asyncio.sleep(0)
            assert sum(link.is_closing for link in links) == closed
            for link in links:
                link.go_on(gateway)
        await draining

    @pytest.mark.rule("A4")
    async def test_nobody_comes_in_while_it_drains(
        self, connect: Connect, gateway: Gateway
    ) -> None:
        gateway.ensure_started()
        await gateway.drain()
        assert (await connect().next())["status"] == 503
