"""Recordings replayed against the whole server: gateway, domain, store and a database, over both transports.

tests/protocol replays them at every position against the pure core; here one message in eight has a mishap, at other positions for each kind.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer
from django.db import OperationalError

from agents.models import Agent as AgentRow
from agents.models import AgentEvent, AgentStatus
from agents.snapshot import AgentPatch, ComponentHealth, FactKind, Transport
from agents.status import tells_shutdown
from opamp.domain import DjangoDomain
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from opamp.protocol import reports
from opamp.protocol.health import read_health, read_tree
from tests.factories import make_fleet, make_token, open_session
from tests.opamp.adapters import ADAPTERS, Adapter
from tests.opamp.fakes import Wire, post
from tests.protocol import world as pure
from tests.protocol.world import (
    COMPONENTS,
    FULL_STATE,
    LIMITS,
    NAMES,
    START,
    STORIES,
    Agent,
    server_for,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("C1", "C2", "C3", "I1", "I2"),
]

Fate = Callable[["Server", Agent, AgentToServer], Awaitable[None]]
STEP = 8
NEVER_BY_ITSELF = BufferLimits(flush_s=3600, heartbeat_flush_s=3600)


class MortalDomain(DjangoDomain):
    """A domain whose process can die: from then on nothing is written any more."""

    is_dead = False

    def record_patches(self, patches: Sequence[AgentPatch]) -> None:
        """See Domain."""
        if self.is_dead:
            raise OperationalError("The process is gone.")
        super().record_patches(patches)

    def is_temporary(self, error: Exception) -> bool:
        """See Domain. Who is dead does not try again."""
        return not self.is_dead and super().is_temporary(error)


class Server:
    """One server process after the other, and the connection of an agent to the present one."""

    def __init__(self, secret: str, transport: Transport, adapter: Adapter) -> None:
        self._secret = secret
        self._adapter = adapter
        self._is_websocket = transport is Transport.WEBSOCKET
        self._uids: set[UUID] = set()
        self.at = START
        self._begin()

    def _begin(self) -> None:
        self._domain = MortalDomain()
        layer = InMemoryChannelLayer()
        options = GatewayOptions(
            buffer=NEVER_BY_ITSELF, reconcile_s=3600, drain_pause_s=0, drain_timeout_s=1
        )
        self._gateway = Gateway(self._domain, lambda: layer, options)
        self._wire: Wire | None = None

    async def answer(self, message: AgentToServer) -> ServerToAgent:
        """Deliver a message."""
        self._uids.add(UUID(bytes=message.instance_uid))
        if self._is_websocket:
            wire = self._wire or await self._connect()
            wire.say(message)
            return await wire.reply()
        status, reply = await post(self._gateway, self._secret, message.SerializeToString())
        assert status == 200
        return reply

    async def flush(self) -> None:
        """Write what waits; over plain HTTP nothing does."""
        if self._wire is not None:
            await self._gateway.buffer.flush_agents(self._uids)

    async def restart(self) -> None:
        """An orderly stop, which writes everything, and the next process."""
        await self._end()
        self._begin()

    async def crash(self) -> None:
        """The process dies with what it had not written."""
        self._domain.is_dead = True
        await self.restart()

    async def _end(self) -> None:
        await self._gateway.stop()
        if self._wire is not None:
            await self._wire.over()

    async def _connect(self) -> Wire:
        wire = self._wire = self._adapter.connect(self._gateway, secret=self._secret)
        assert (await wire.next())["type"] == "websocket.accept"
        return wire

    async def stop(self) -> None:
        """The end of the test."""
        await self._end()


@pytest.fixture
async def server(name: str, adapter: Adapter) -> AsyncIterator[Server]:
    token = await sync_to_async(lambda: make_token(fleet=make_fleet()))()
    transport = Transport.HTTP if name.startswith("http") else Transport.WEBSOCKET
    made = Server(token.secret, transport, adapter)
    with patch("django.utils.timezone.now", lambda: made.at):
        yield made
        await made.stop()


async def converse(server: Server, agent: Agent, message: AgentToServer) -> None:
    """Deliver a message and let the agent do what the replies ask for."""
    reply = await server.answer(message)
    for _ in range(10):
        assert not reply.HasField("error_response"), reply
        if reply.flags & FULL_STATE:
            reply = await server.answer(agent.say_all())
        elif reply.flags & COMPONENTS:
            reply = await server.answer(agent.say_components())
        else:
            return
    raise AssertionError("the server asks again and again")


async def lost(server: Server, agent: Agent, message: AgentToServer) -> None:
    """The message never arrives."""


async def repeated(server: Server, agent: Agent, message: AgentToServer) -> None:
    await converse(server, agent, message)
    await converse(server, agent, message)


async def restarted(server: Server, agent: Agent, message: AgentToServer) -> None:
    await server.restart()
    await converse(server, agent, message)


async def flush_lost(server: Server, agent: Agent, message: AgentToServer) -> None:
    """All before is stored; the message is answered, and what it said dies with the process."""
    await server.flush()
    await server.answer(message)
    await server.crash()


async def all_unwritten_lost(server: Server, agent: Agent, message: AgentToServer) -> None:
    """Nothing was written for many messages."""
    await server.crash()
    await converse(server, agent, message)


async def reply_lost(server: Server, agent: Agent, message: AgentToServer) -> None:
    """What the message said is stored; the answer is lost, and over plain HTTP the client sends it again."""
    await server.answer(message)
    await server.flush()
    await server.crash()


BOTH_WAYS = pytest.mark.parametrize(
    ("name", "adapter"),
    [
        (name, adapter)
        for name in NAMES
        for adapter in ADAPTERS
        if adapter == "asgi" or not name.startswith("http")
    ],
    indirect=["adapter"],
)
"""A WebSocket's story by each adapter; plain HTTP has one way."""
FATES: Sequence[Fate] = (lost, repeated, restarted, flush_lost, all_unwritten_lost, reply_lost)
IN_TURNS = pytest.mark.parametrize(
    ("name", "fate", "adapter"),
    [
        (name, fate, "asgi" if name.startswith("http") or (story + place) % 2 else "picows")
        for story, name in enumerate(NAMES)
        for place, fate in enumerate(FATES)
    ],
    indirect=["adapter"],
)
"""Each mishap in each story, and by each adapter in some."""


def check(agent: Agent) -> None:
    """What is stored equals what the agent has."""
    uid, truth = UUID(bytes=agent.uid), agent.truth
    row = AgentRow.objects.get(pk=uid)
    known = open_session(uid, now=START)
    description = reports.read_description(truth.agent_description, LIMITS)
    assert (row.identifying, row.non_identifying) == (
        description.identifying,
        description.non_identifying,
    )
    assert known.capabilities == agent.capabilities
    assert known.remote_config == reports.read_remote_config(truth.remote_config_status, LIMITS)
    effective = reports.read_effective_config(truth.effective_config, LIMITS)
    assert known.effective_sha256 == effective.sha256
    health = read_health(truth.health, LIMITS)
    if not health.says_nothing and not tells_shutdown(health):
        assert row.status.health_report is not None
        assert read_tree(row.status.health_report) == health
        assert known.health == ComponentHealth(health.healthy, health.status, health.last_error)
    assert known.components_hash == truth.available_components.hash.hex()
    assert not known.lacks_components


async def settle(server: Server, agent: Agent) -> None:
    """Quiet times with heartbeats only."""
    for _ in range(3):
        server.at += timedelta(seconds=31)
        await converse(server, agent, agent.beat())
    await server.flush()


def history(uids: Iterator[UUID]) -> dict[UUID, list[tuple[str, str]]]:
    """The configuration reports in the timelines, oldest first."""
    found = {}
    for uid in uids:
        events = AgentEvent.objects.filter(agent_id=uid, kind="remote_config").order_by("id")
        found[uid] = [(event.data["status"], event.data["hash"]) for event in events]
    return found


def expected_history(name: str) -> dict[UUID, list[tuple[str, str]]]:
    """The same by the pure core alone."""
    core, agent = server_for(name), Agent.of(STORIES[name])
    for step in STORIES[name]:
        pure.converse(core, agent, agent.follow(step.message), step.at)
    core.flush()
    return {
        uid: [
            (fact.remote_config.status.name, fact.remote_config.hash)
            for fact in patch.facts
            if fact.kind is FactKind.REMOTE_CONFIG and fact.remote_config
        ]
        for uid, patch in core.stored.items()
    }


@BOTH_WAYS
@pytest.mark.rule("R5", "D1", "H1", "M1")
async def test_a_recording_is_stored_with_its_whole_history(name: str, server: Server) -> None:
    agent = Agent.of(STORIES[name])
    for step in STORIES[name]:
        server.at = step.at
        await converse(server, agent, agent.follow(step.message))
        await server.flush()
    row = await AgentStatus.objects.aget(pk=UUID(bytes=agent.uid))
    assert row.connected == name.startswith("http")  # the others said goodbye
    expected = expected_history(name)
    assert sum(map(len, expected.values())) > 5
    assert await sync_to_async(history)(iter(expected)) == expected
    await sync_to_async(check)(agent)


@IN_TURNS
async def test_mishaps_all_along_a_recording_leave_the_stored_belief_true(
    name: str, server: Server, fate: Fate
) -> None:
    agent, start = Agent.of(STORIES[name]), FATES.index(fate)
    for place, step in enumerate(STORIES[name]):
        server.at = step.at
        happens = fate if place % STEP == start else converse
        await happens(server, agent, agent.follow(step.message))
    await settle(server, agent)
    await sync_to_async(check)(agent)
