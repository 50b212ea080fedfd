"""What the write buffer counts is what memory it takes (A5)."""

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from opamp.proto.opamp_pb2 import AgentToServer, ServerErrorResponseType
from opamp.protocol.limits import Limits
from opamp.protocol.reports import read_report
from opamp.weight import weight
from telflo.base.ids import new_id
from tests.opamp.conftest import Connect
from tests.opamp.fakes import MemoryDomain, full, hello

pytestmark = pytest.mark.rule("A5")
UNKNOWN = ServerErrorResponseType.ServerErrorResponseType_Unknown
UNAVAILABLE = ServerErrorResponseType.ServerErrorResponseType_Unavailable
EMOJI = "\N{GRINNING FACE}"


def texts(message: AgentToServer) -> None:
    for number in range(500):
        said = message.agent_description.identifying_attributes.add(key=str(number))
        said.value.string_value = "x" * 16_000


def texts_with_an_emoji(message: AgentToServer) -> None:
    for number in range(50):
        said = message.agent_description.identifying_attributes.add(key=str(number))
        said.value.string_value = "x" * 16_000 + EMOJI


def small_values(message: AgentToServer) -> None:
    for number in range(500):
        said = message.agent_description.identifying_attributes.add(key=str(number))
        said.value.kvlist_value.SetInParent()


def health(message: AgentToServer) -> None:
    for number in range(4_000):
        message.health.component_health_map[str(number)].healthy = True


def components(message: AgentToServer) -> None:
    message.available_components.hash = b"x" * 32
    for number in range(4_000):
        message.available_components.components[str(number)].SetInParent()


def bodies(message: AgentToServer) -> None:
    message.effective_config.config_map.config_map[""].body = b"x" * 1_000_000


@pytest.mark.parametrize(
    "say", [texts, texts_with_an_emoji, small_values, health, components, bodies]
)
def test_a_weight_is_what_memory_was_taken(say: Callable[[AgentToServer], None]) -> None:
    message = AgentToServer()
    say(message)
    read_report(message, Limits())  # imports and caches
    gc.collect()
    tracemalloc.start()
    try:
        report = read_report(message, Limits())
        assert weight(report) == pytest.approx(tracemalloc.get_traced_memory()[0], rel=0.25)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "options", [GatewayOptions(buffer=BufferLimits(flush_s=0.02, bytes=20_000_000, share=1.0))]
)
async def test_descriptions_fill_the_buffer_and_what_is_more_has_to_come_back(
    connect: Connect, domain: MemoryDomain, gateway: Gateway
) -> None:
    wire = connect()
    await wire.next()
    uids = [new_id() for _ in range(4)]
    for uid in uids:
        wire.say(full(uid))
        await wire.reply()
    domain.failure = ConnectionError("away")
    answers = []
    for uid in uids:
        message = hello(uid, 1)
        texts(message)
        wire.say(message)
        answers.append((await wire.reply()).error_response.type)
    assert answers == [UNKNOWN, UNKNOWN, UNKNOWN, UNAVAILABLE]
    assert 20_000_000 < gateway.buffer.bytes < 30_000_000
