"""Who goes by which uid: clones on two connections get uids of their own, agents move on to the uid they were given."""

from itertools import zip_longest
from typing import Any
from uuid import UUID

import pytest

from agents.snapshot import AgentPatch, Description, Fact, FactKind
from opamp.gateway import Gateway
from opamp.identities import REPLACED
from opamp.options import GatewayOptions
from opamp.proto.opamp_pb2 import ServerToAgent
from opamp.protocol.reports import read_description
from tests.opamp.conftest import Connect
from tests.opamp.fakes import UID, UID2, MemoryDomain, Wire, full, hello, joined
from tests.opamp.waiting import until
from tests.protocol.world import STORIES

pytestmark = pytest.mark.rule("A2")


@pytest.fixture
def options(request: Any) -> GatewayOptions:
    """Nothing is late here unless a test says so; comparing is quick."""
    return GatewayOptions(late_s=getattr(request, "param", 0.0), reconcile_s=0.05)


def given_in(reply: ServerToAgent) -> UUID | None:
    raw = reply.agent_identification.new_instance_uid
    return UUID(bytes=raw) if raw else None


async def say(wire: Wire, number: int, uid: UUID = UID) -> ServerToAgent:
    wire.say(hello(uid, number))
    return await wire.reply()


def ends(domain: MemoryDomain) -> list[Fact]:
    facts = [fact for patch in domain.patches for fact in patch.facts]
    return [fact for fact in facts if fact.kind is FactKind.DISCONNECTED]


class TestTwoConnections:
    async def test_the_one_that_goes_on_after_it_was_replaced_gets_a_uid_of_its_own(
        self, connect: Connect, gateway: Gateway, domain: MemoryDomain
    ) -> None:
        old, new = connect(), connect()
        await joined(old)
        await joined(new)
        assert given_in(await say(new, 1)) is None
        reply = await say(old, 1)
        given = given_in(reply)
        assert given is not None
        assert (reply.instance_uid, given.version) == (UID.bytes, 7)
        assert not reply.HasField("error_response")
        # opamp-go goes on under the new uid, counting on; nothing is known of it, so all is asked for
        assert (await say(old, 2, given)).flags == 1
        old.say(full(given, 3))
        assert (await old.reply()).instance_uid == given.bytes
        assert not (await say(new, 2)).HasField("error_response")
        assert set(gateway.registry.uids()) == {UID, given}
        assert domain.names().count("give_uid") == 1

    async def test_it_is_told_the_same_uid_again_while_its_messages_cross_with_ours(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        old, new = connect(), connect()
        await joined(old)
        await joined(new)
        assert given_in(await say(old, 1)) == given_in(await say(old, 2)) is not None
        assert domain.names().count("give_uid") == 1

    async def test_a_client_that_takes_none_is_told_three_times_and_then_what_is_wrong(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        old, new = connect(), connect()
        await joined(old)
        await joined(new)
        given = [given_in(await say(old, number)) for number in range(1, 4)]
        assert None not in given
        for number in range(4, 8):
            assert (await say(old, number)).error_response.error_message == REPLACED
        assert not (await say(new, 1)).HasField("error_response")
        assert domain.names().count("give_uid") == 1

    async def test_a_uid_for_which_too_many_were_given_gets_no_more(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        domain.given = None
        old, new = connect(), connect()
        await joined(old)
        await joined(new)
        for number in range(1, 4):
            assert (await say(old, number)).error_response.error_message == REPLACED
        assert domain.names().count("give_uid") == 1

    async def test_a_database_that_is_away_costs_the_error_and_the_next_message_tries_again(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        old, new = connect(), connect()
        await joined(old)
        await joined(new)
        domain.failure = ConnectionError()
        assert (await say(old, 1)).error_response.error_message == REPLACED
        domain.failure = None
        assert given_in(await say(old, 2)) is not None

    @pytest.mark.parametrize("options", [60.0], indirect=True)
    async def test_what_was_on_its_way_when_a_connection_was_replaced_proves_nothing(
        self, connect: Connect, domain: MemoryDomain
    ) -> None:
        old, new = connect(), connect()
        await joined(old)
        await joined(new)
        assert (await say(old, 1)).error_response.error_message == REPLACED
        assert "give_uid" not in domain.names()

    @pytest.mark.parametrize("goes_on", [True, False])
    async def test_its_end_is_not_told_as_the_end_of_the_other(
        self, connect: Connect, domain: MemoryDomain, gateway: Gateway, goes_on: bool
    ) -> None:
        old, new = connect(), connect()
        await joined(old)
        await joined(new)
        if goes_on:
            await say(old, 1)
        old.hang_up()
        await until(lambda: gateway.registry.connection_count == 1)
        await gateway.buffer.flush_agents([UID])
        assert not ends(domain)

    @pytest.mark.rule("I3")
    async def test_one_that_is_let_in_late_replaces_no_newer_session(
        self, connect: Connect, gateway: Gateway, domain: MemoryDomain
    ) -> None:
        """The database began its session first; its answer came here last."""
        newest, late = connect(), connect()
        domain.epochs[UID] = 5
        await joined(newest)
        domain.epochs[UID] = 2
        await late.next()
        assert given_in(await say(late, 0)) is not None
        reply = await say(newest, 1)
        assert (given_in(reply), reply.HasField("error_response")) == (None, False)
        held = gateway.registry.get(UID)
        assert held is not None
        assert held.epoch == 6


class TestAcrossProcesses:
    async def test_a_session_that_was_replaced_elsewhere_is_found_by_its_epoch(
        self, connect: Connect, gateway: Gateway, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await joined(wire)
        assert not (await say(wire, 1)).HasField("error_response")
        domain.elsewhere[UID] = (2, True)
        held = gateway.registry.get(UID)
        assert held is not None
        await until(lambda: held.replaced_s is not None)
        assert given_in(await say(wire, 2)) is not None
        wire.hang_up()
        await until(lambda: not gateway.registry.uids())
        await gateway.buffer.flush_agents([UID])
        assert not ends(domain), "the other goes on"

    async def test_when_the_other_is_gone_the_agent_here_comes_in_anew(
        self, connect: Connect, gateway: Gateway, domain: MemoryDomain
    ) -> None:
        wire = connect()
        await joined(wire)
        domain.elsewhere[UID] = (2, False)
        domain.epochs[UID] = 2
        await until(lambda: gateway.registry.get(UID) is None)
        del domain.elsewhere[UID]
        assert not (await say(wire, 1)).HasField("error_response")
        held = gateway.registry.get(UID)
        assert held is not None
        assert held.epoch == 3


@pytest.mark.rule("M6")
async def test_an_agent_that_is_known_and_asks_for_a_uid_leaves_the_old_one(
    connect: Connect, gateway: Gateway, domain: MemoryDomain
) -> None:
    wire = connect()
    await joined(wire)
    wire.say(full(UID2))
    await wire.reply()
    wire.say(hello(sequence_num=1, flags=1))
    given = given_in(await wire.reply())
    assert given is not None
    await until(lambda: any(patch.disconnected_at for patch in domain.patches))
    assert [end.reason for end in ends(domain)] == [f"It goes by {given} now."]
    assert ("give_uid", (UID, False)) in domain.log
    wire.say(full(given, 2))
    assert (await wire.reply()).instance_uid == given.bytes
    assert set(gateway.registry.uids()) == {UID2, given}


@pytest.mark.rule("M6")
@pytest.mark.rule("M1")
async def test_who_asks_again_and_again_while_an_identity_is_made_is_given_one_as_often(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    wire = connect()
    await joined(wire)
    agent = gateway.registry.get(UID)
    assert agent is not None
    domain.gate.clear()
    for number in range(1, 101):
        wire.say(hello(sequence_num=number, flags=1))
    await until(lambda: agent.asked == 100)
    domain.gate.set()
    given = {given_in(await wire.reply()) for _ in range(100)}
    assert len(given) == 1
    assert None not in given
    assert domain.names().count("give_uid") == 1


@pytest.mark.rule("M2")
async def test_recorded_agents_interleaved_on_one_connection_are_each_answered_and_believed(
    connect: Connect, gateway: Gateway, domain: MemoryDomain
) -> None:
    names = ("ws-0.149.0", "ws-0.158.0-rollback", "ws-0.158.0-validate")
    wire = connect()
    await wire.next()
    stories = [[step.message for step in STORIES[name]] for name in names]
    descriptions: dict[UUID, Description] = {}
    for messages in zip_longest(*stories):
        for message in filter(None, messages):
            uid = UUID(bytes=message.instance_uid)
            if message.HasField("agent_description"):
                described = read_description(message.agent_description, gateway.options.protocol)
                descriptions[uid] = described
            wire.say(message)
            reply = await wire.reply()
            assert (reply.instance_uid, reply.error_response.error_message) == (uid.bytes, "")
    wire.hang_up()
    await until(lambda: not gateway.registry.uids())
    await gateway.buffer.flush_agents(list(descriptions))
    said: dict[UUID, AgentPatch] = {}
    for patch in domain.patches:
        before = said.get(patch.instance_uid)
        said[patch.instance_uid] = before.merge(patch) if before else patch
    assert {uid: patch.description for uid, patch in said.items()} == descriptions
