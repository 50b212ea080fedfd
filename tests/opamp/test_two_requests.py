"""Two requests of one agent with one message, under way at once: its network broke, and a server that hung works on the
first one late.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from agents.models import AgentStatus
from agents.snapshot import AgentPatch, Capability
from fleets.connection import update_connection
from fleets.models import Fleet
from fleets.tokens import IssuedToken
from opamp.consumers import SOCKET
from opamp.domain import DjangoDomain
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent, ServerToAgentFlags
from telflo.base import hints
from tests.factories import CAPABILITIES, TESTER, make_fleet, make_token
from tests.opamp.fakes import full, hello, post

pytestmark = pytest.mark.django_db(transaction=True)

ABLE = int(CAPABILITIES | Capability.REPORTS_HEARTBEAT)
FULL_STATE = int(ServerToAgentFlags.ServerToAgentFlags_ReportFullState)


class Slow(DjangoDomain):
    """Something else happens, once, before what a request said is stored."""

    def __init__(self) -> None:
        self.meanwhile: Iterator[Callable[[], Any]] = iter(())

    def record_patches(self, patches: Sequence[AgentPatch]) -> None:
        for happen in self.meanwhile:
            happen()
        super().record_patches(patches)


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet()


@pytest.fixture
def issued(fleet: Fleet) -> IssuedToken:
    return make_token(fleet=fleet)


@pytest.fixture
def domain() -> Slow:
    return Slow()


@pytest.fixture
async def gateway(domain: Slow) -> AsyncIterator[Gateway]:
    layer = InMemoryChannelLayer()
    before = hints.set_port(hints.EmbeddedPort(asyncio.get_running_loop(), layer))
    made = Gateway(domain, lambda: layer, GatewayOptions(reconcile_s=60))
    yield made
    await made.stop()
    hints.set_port(before)


@pytest.mark.rule("S2")
@pytest.mark.rule("I3")
async def test_settings_in_the_answer_that_nobody_heard_do_not_count_as_arrived(
    gateway: Gateway, domain: Slow, fleet: Fleet, issued: IssuedToken
) -> None:
    loop = asyncio.get_running_loop()

    async def say(message: AgentToServer) -> tuple[int, ServerToAgent]:
        message.capabilities = ABLE
        return await post(gateway, issued.secret, message.SerializeToString())

    def wish() -> None:
        update_connection(fleet=fleet, heartbeat_s=17, actor=TESTER)

    unheard: list[tuple[int, ServerToAgent]] = []

    def work_on_the_first_request() -> None:
        done = asyncio.run_coroutine_threadsafe(say(hello(sequence_num=1)), loop)
        unheard.append(done.result(10))

    await say(full())
    domain.meanwhile = iter([wish, work_on_the_first_request])
    status, _ = await say(hello(sequence_num=1))

    assert [reply.HasField("connection_settings") for _, reply in unheard] == [True]
    assert status == 503
    _, reply = await say(hello(sequence_num=1))
    assert reply.flags & FULL_STATE
    told = full(sequence_num=2)
    _, reply = await say(told)
    assert reply.connection_settings.opamp.heartbeat_interval_seconds == 17
    _, reply = await say(hello(sequence_num=3))
    assert not reply.HasField("connection_settings")
    assert gateway.counters.limits["overtaken"] == 1


class _Ended(asyncio.Transport):
    """The socket of a client that hung up."""

    def is_closing(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 0


@pytest.mark.rule("I3")
async def test_who_hung_up_and_says_nothing_new_begins_no_session(
    gateway: Gateway, issued: IssuedToken
) -> None:
    await post(gateway, issued.secret, full().SerializeToString())
    await post(gateway, issued.secret, hello(sequence_num=1).SerializeToString())
    known = (await AgentStatus.objects.aget()).session_epoch
    ended = {SOCKET: {"transport": _Ended()}}

    stale = hello(sequence_num=1).SerializeToString()
    assert (await post(gateway, issued.secret, stale, extensions=ended))[0] == 503
    assert (await AgentStatus.objects.aget()).session_epoch == known
    assert gateway.counters.limits["overtaken"] == 1

    last = hello(sequence_num=2).SerializeToString()
    assert (await post(gateway, issued.secret, last, extensions=ended))[0] == 200
    assert (await AgentStatus.objects.aget()).sequence_num == 2
