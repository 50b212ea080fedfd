"""Who may come in: tokens, limits, and what each is told who may not."""

from collections.abc import Sequence
from typing import Any

import pytest

from opamp.gateway import Gateway
from opamp.identities import REPLACED
from opamp.options import GatewayOptions
from opamp.ports import Refusal
from opamp.proto.opamp_pb2 import ServerErrorResponseType
from tests.opamp.conftest import Connect
from tests.opamp.fakes import (
    TOO_MANY,
    UID,
    UID2,
    MemoryDomain,
    comes_back,
    full,
    hello,
    joined,
)
from tests.opamp.waiting import until

BAD_REQUEST = ServerErrorResponseType.ServerErrorResponseType_BadRequest
UNAVAILABLE = ServerErrorResponseType.ServerErrorResponseType_Unavailable


class TestLettingIn:
    @pytest.mark.rule("A2")
    async def test_who_left_while_it_waited_does_not_replace_the_session_that_is_here(
        self, gateway: Gateway, connect: Connect, domain: MemoryDomain
    ) -> None:
        here = connect()
        await joined(here)
        gone = connect()
        await gone.next()
        domain.gate.clear()
        gone.say(hello())
        await until(lambda: domain.names().count("admit_agents") == 2)
        gone.hang_up()
        await until(lambda: gateway.registry.connection_count == 1)
        domain.gate.set()
        await until(lambda: gateway.waiting == 0)
        assert domain.epochs[UID] == 1
        here.say(hello(sequence_num=1))
        assert (await here.reply()).instance_uid == UID.bytes

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
        assert len(gateway.refusals.log) == 1

    @pytest.mark.parametrize("adapter", ["asgi"], indirect=True)
    async def test_a_server_that_cannot_say_401_closes_before_accepting(
        self, connect: Connect
    ) -> None:
        wire = connect(secret="tlf_e_wrong", extensions={})
        assert (await wire.next())["type"] == "websocket.close"

    async def test_refused_attempts_that_could_not_be_stored_are_stored_later(
        self, connect: Connect, domain: MemoryDomain, gateway: Gateway, monkeypatch: Any
    ) -> None:
        store = domain.record_refusals
        failures: list[type[Exception]] = []

        def record_refusals(refusals: Sequence[Refusal]) -> None:
            if not failures:
                failures.append(ConnectionError)
                raise ConnectionError
            store(refusals)

        monkeypatch.setattr(domain, "record_refusals", record_refusals)
        await connect(secret="tlf_e_wrong").next()
        await until(lambda: failures)
        await connect(secret="tlf_e_wrong").next()
        await until(lambda: sum(refusal.count for refusal in domain.refusals) == 2)
        assert gateway.refusals.log.dropped == 0

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
        assert comes_back(error.retry_info.retry_after_nanoseconds // 10**9)
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
        assert comes_back(dict(start["headers"])[b"retry-after"])
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
        assert comes_back(dict(start["headers"])[b"retry-after"])

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


@pytest.mark.rule("A3")
def test_those_who_are_turned_away_together_do_not_come_back_together() -> None:
    said = {GatewayOptions().retry_after() for _ in range(1_000)}
    assert (min(said), max(said)) == (30, 45)
