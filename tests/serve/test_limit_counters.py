"""Each limit that operations.md lists is counted by the name that it gives it (A5), whichever way a peer came."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from agents.snapshot import ConfigFile
from fleets.offer import Offer
from opamp.identities import REPLACED
from opamp.pending import BufferLimits
from opamp.proto.opamp_pb2 import AgentToServer
from opamp.protocol.limits import Limits
from tests.fuzz.extremes import FLOODS
from tests.opamp.fakes import HASH, SECRET, UID, UID2, full
from tests.serve import raw
from tests.serve.conftest import Running, quick
from tests.serve.raw import Raw, frame
from tests.serve.test_websocket import agent, say

pytestmark = pytest.mark.rule("A5")

SHORT_S = 0.3
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
Provoke = Callable[[Running], Awaitable[Any]]


def hits(running: Running, limit: str) -> int:
    """How often the limit was met, as /metrics has it."""
    samples = running.gateway.numbers()["telflo_opamp_limits_hit"]
    return sum(int(count) for labels, count in samples if labels == {"limit": limit})


async def until_hit(running: Running, limit: str) -> None:
    async with asyncio.timeout(raw.TIMEOUT_S):
        while not hits(running, limit):  # noqa: ASYNC110 - a look from outside has no event
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
async def hang_up(running: Running) -> AsyncIterator[None]:
    """Peers that answer nothing would hold up the server's stop."""
    yield
    running.domain.gate.set()
    Raw.hang_up_all()


def crowded() -> AgentToServer:
    """A message that has two of everything that may be too much."""
    message = full()
    for name in ("a", "b", "c"):
        message.agent_description.identifying_attributes.add(key=name)
        message.health.component_health_map[name].healthy = True
        message.effective_config.config_map.config_map[name].body = b"x"
        message.available_components.components[name].SetInParent()
        message.custom_capabilities.capabilities.append(name)
        message.package_statuses.packages[name].SetInParent()
    return message


async def say_once(running: Running, message: AgentToServer) -> None:
    peer = await Raw.upgraded(running.port)
    peer.send(frame(raw.BINARY, b"\x00" + message.SerializeToString()))


async def too_much(running: Running) -> None:
    await say_once(running, crowded())


async def too_many_parts(running: Running) -> None:
    peer = await Raw.upgraded(running.port)
    peer.send(frame(raw.BINARY, b"\x00" + FLOODS["health"](UID.bytes, 40_000)))


async def two_large(running: Running) -> None:
    for _ in range(2):
        peer = await Raw.upgraded(running.port)
        peer.send(frame(raw.BINARY, b"\x00" + full().SerializeToString() + bytes(2_000)))
        await peer.message()


async def too_big(running: Running) -> None:
    peer = await Raw.upgraded(running.port)
    peer.send(frame(raw.BINARY, bytes(5_000)))


async def too_big_in_parts(running: Running) -> None:
    peer = await Raw.upgraded(running.port)
    peer.send(frame(raw.BINARY, bytes(800), is_last=False) + frame(raw.CONTINUATION, bytes(800)))


async def two_agents(running: Running) -> None:
    async with agent(running) as socket:
        await say(socket, full(UID))
        await say(socket, full(UID2))


async def flood(running: Running) -> None:
    peer = await Raw.upgraded(running.port)
    peer.send(frame(raw.PING, b"x") * 50)


async def two_connections(running: Running) -> None:
    async with agent(running):
        with pytest.raises(InvalidStatus):
            await agent(running)


async def refused_handshake(running: Running) -> None:
    with pytest.raises(InvalidStatus):
        await agent(running)


async def two_bad_tokens(running: Running) -> None:
    for _ in range(2):
        peer = await Raw.open(running.port)
        peer.send(f"{raw.UPGRADE.replace(SECRET, 'tflo_nobody')}\r\n".encode())
        await peer.rest()


async def two_sockets(running: Running) -> None:
    await Raw.open(running.port)
    await Raw.open(running.port)


async def large_head(running: Running) -> None:
    peer = await Raw.open(running.port)
    peer.send(f"{raw.UPGRADE}X: {'x' * 4096}\r\n\r\n".encode())


async def mute(running: Running) -> None:
    await Raw.upgraded(running.port)


async def endless_message(running: Running) -> None:
    peer = await Raw.upgraded(running.port)
    peer.send(frame(raw.BINARY, b"\x00", is_last=False))


async def deaf(running: Running) -> None:
    running.domain.offers[HASH] = Offer(HASH, (ConfigFile("", bytes(8 * 1024 * 1024), ""),))
    running.domain.desired = {UID: HASH}
    peer = await Raw.upgraded(running.port, takes=4096)
    peer.send(frame(raw.BINARY, b"\x00" + full().SerializeToString()))


async def dead(running: Running) -> None:
    await say_once(running, full())


async def early_messages(running: Running) -> None:
    peer = await Raw.upgraded(running.port)
    running.domain.gate.clear()
    for number in range(2):
        peer.send(frame(raw.BINARY, b"\x00" + full(UID, number).SerializeToString()))


async def while_the_buffer_is_full(running: Running) -> None:
    async with agent(running) as socket:
        await say(socket, full())
        await refused_handshake(running)


async def newcomer(running: Running) -> None:
    running.domain.refuse_agents = "rate"
    await say_once(running, full())


async def two_unfinished(running: Running) -> None:
    for _ in range(2):
        await endless_message(running)


async def copied_machine(running: Running) -> None:
    async with agent(running) as first, agent(running) as second:
        await say(first, full())
        await say(second, full())
        answer = await say(first, full(sequence_num=1))
        assert answer.error_response.error_message == REPLACED


SMALL = Limits(message_bytes=1_000)
PROVOCATIONS: list[tuple[str, dict[str, Any], Provoke]] = [
    ("message_bytes", {"protocol": SMALL}, too_big),
    ("message_bytes", {"protocol": SMALL}, too_big_in_parts),
    ("parts", {"protocol": Limits(parts=1_000)}, too_many_parts),
    ("attributes", {"protocol": Limits(attributes=2)}, too_much),
    ("health", {"protocol": Limits(health_components=2)}, too_much),
    ("effective_config", {"protocol": Limits(config_files=2)}, too_much),
    ("components", {"protocol": Limits(component_details=2)}, too_much),
    ("components", {"protocol": Limits(component_depth=0)}, too_much),
    ("custom_capabilities", {"protocol": Limits(custom_capabilities=2)}, too_much),
    ("packages", {"protocol": Limits(packages=2)}, too_much),
    ("agents_per_connection", {"agents_per_connection": 1}, two_agents),
    ("messages_per_s", {"message_burst": 5.0, "messages_per_s": 200.0}, flood),
    ("token_bytes", {"token_burst_bytes": 10.0, "token_bytes_per_s": 0.001}, two_large),
    ("connections_per_token", {"connections_per_token": 1}, two_connections),
    ("connections", {"connections": 1}, two_sockets),
    ("handshakes", {"handshakes": 1}, two_sockets),
    ("header_bytes", {"header_bytes": 2048}, large_head),
    ("handshake_s", {"handshake_s": SHORT_S}, two_sockets),
    ("first_message_s", {"first_message_s": SHORT_S}, mute),
    ("message_s", {"message_s": SHORT_S}, endless_message),
    ("send_timeout_s", {"send_timeout_s": SHORT_S}, deaf),
    ("ping_s", {"ping_s": SHORT_S}, dead),
    ("waiting", {"waiting": 0}, refused_handshake),
    ("waiting_messages", {"waiting_messages": 1}, early_messages),
    ("waiting_bytes", {"waiting_bytes": 1}, early_messages),
    ("waiting_share", {"waiting_share": 0.0}, early_messages),
    ("new_uids", {"new_uids": 0, "late_s": 0.0}, copied_machine),
    ("unfinished", {"unfinished_bytes": 1}, two_unfinished),
    ("buffer", {"buffer": BufferLimits(rows=1, flush_s=60)}, while_the_buffer_is_full),
    ("buffer_share", {"buffer": BufferLimits(rows=2, flush_s=60)}, while_the_buffer_is_full),
    ("newcomers", {}, newcomer),
    ("refusals_per_minute", {"refusals_per_minute": 1}, two_bad_tokens),
]


def test_each_limit_of_the_table_has_a_name_that_is_provoked_here() -> None:
    _, _, table = OPERATIONS.read_text().partition("| what | limit | to change")
    rows = [line for line in table.partition("\n\n")[0].splitlines() if "`TELFLO_" in line]
    named = [re.findall(r"`([a-z_]+)`", row.split("|")[-2]) for row in rows]
    without = [row for row, names in zip(rows, named, strict=True) if not names]
    assert [row.split("`")[1] for row in without] == ["TELFLO_OPAMP_RETRY_AFTER_S"]
    provoked = {name for name, *_ in [*PROVOCATIONS, *OVER_HTTP]}
    assert provoked - {name for names in named for name in names} == {"send_bytes", "away"}
    assert {name for names in named for name in names} <= provoked


@pytest.mark.parametrize(
    ("limit", "options", "provoke"),
    [(limit, quick(**options), provoke) for limit, options, provoke in PROVOCATIONS],
    ids=[f"{limit}-{provoke.__name__}" for limit, _, provoke in PROVOCATIONS],
)
async def test_a_limit_that_is_met_is_counted_by_its_name(
    running: Running, limit: str, provoke: Provoke
) -> None:
    await provoke(running)
    await until_hit(running, limit)


OVER_HTTP: list[tuple[str, dict[str, Any], int, str]] = [
    ("message_bytes", {"protocol": Limits(message_bytes=20)}, 413, ""),
    ("attributes", {"protocol": Limits(attributes=2)}, 200, "refused_messages"),
    ("send_bytes", {"protocol": Limits(send_bytes=10)}, 500, ""),
    ("waiting", {"waiting": 0}, 503, "unavailable_answers"),
    ("requests", {"requests": 0}, 503, "unavailable_answers"),
    ("requests_per_token", {"requests_per_token": 0}, 429, "unavailable_answers"),
    ("messages_per_s", {"message_burst": 0.0}, 429, "slowed_messages"),
    ("newcomers", {}, 503, "unavailable_answers"),
    ("away", {}, 503, "unavailable_answers"),
]


@pytest.mark.parametrize(
    ("limit", "options", "status", "total"),
    [(limit, quick(**options), status, total) for limit, options, status, total in OVER_HTTP],
    ids=[limit for limit, *_ in OVER_HTTP],
)
@pytest.mark.parametrize("running", ["uvicorn"], indirect=True)
async def test_so_is_one_that_is_met_over_http(
    running: Running, limit: str, status: int, total: str
) -> None:
    running.domain.refuse_agents = "rate" if limit == "newcomers" else ""
    running.domain.failure = ConnectionError("away") if limit == "away" else None
    headers = {"content-type": "application/x-protobuf", "authorization": f"Bearer {SECRET}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
        answer = await client.post(
            "/v1/opamp", content=crowded().SerializeToString(), headers=headers
        )
    assert answer.status_code == status
    assert hits(running, limit) == 1
    if total:
        assert getattr(running.gateway.counters, total) == 1
