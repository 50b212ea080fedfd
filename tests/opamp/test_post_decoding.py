"""What is posted is decoded once, and only what may be."""

import asyncio
import gzip

import pytest

from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.proto.opamp_pb2 import AgentToServer
from opamp.protocol.framing import decode_body
from opamp.protocol.limits import Limits
from tests.fuzz.extremes import FLOODS
from tests.opamp.fakes import SECRET, UID, MemoryDomain, full, post
from tests.opamp.waiting import until


class Decoding:
    """Counts what was decoded."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, body: bytes, most_parts: int) -> AgentToServer:
        self.times += 1
        return decode_body(body, most_parts)


@pytest.fixture
def decoding(monkeypatch: pytest.MonkeyPatch) -> Decoding:
    made = Decoding()
    monkeypatch.setattr("opamp.post.decode_body", made)
    return made


@pytest.mark.rule("A5")
async def test_a_message_is_decoded_once_and_only_when_its_turn_has_come(
    gateway: Gateway, domain: MemoryDomain, decoding: Decoding
) -> None:
    domain.gate.clear()
    body = full().SerializeToString()
    polls = [asyncio.create_task(post(gateway, SECRET, body)) for _ in range(8)]
    await until(lambda: domain.names().count("admit_agents") == gateway.options.request_threads)
    assert gateway.polls.open == 8
    assert decoding.times == gateway.options.request_threads
    domain.gate.set()
    assert {status for status, _ in await asyncio.gather(*polls)} == {200}
    assert decoding.times == 8


@pytest.mark.rule("A5")
@pytest.mark.parametrize("options", [GatewayOptions(protocol=Limits(parts=1_000))])
async def test_a_message_of_too_many_parts_is_refused_before_it_is_decoded(
    gateway: Gateway, decoding: Decoding
) -> None:
    body = FLOODS["packages"](UID.bytes, 40_000)
    zipped = [(b"content-encoding", b"gzip")]
    status, reply = await post(gateway, SECRET, gzip.compress(body), headers=zipped)
    assert status == 400
    assert reply.error_response.error_message == "The message has more than 1000 parts."
    assert gateway.counters.limits["parts"] == 1
