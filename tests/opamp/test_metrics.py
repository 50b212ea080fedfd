"""What a gateway counts."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from agents import notify
from opamp.errors import ConnectionRefused
from opamp.gateway import Gateway
from opamp.metrics import FAMILIES, Counters
from telflo.base.measures import Numbers
from tests.opamp.conftest import Connect
from tests.opamp.fakes import UID, UID2, MemoryDomain, Wire, full, hello


def of(numbers: Numbers, name: str, **labels: str) -> Any:
    """The value of one sample."""
    [value] = [value for has, value in numbers[f"telflo_opamp_{name}"] if has == labels]
    return value


async def eventually(condition: Callable[[], bool]) -> None:
    """Until the gateway's own tasks got there; fails after 10 s."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.005)


async def until(gateway: Gateway, name: str, wanted: Any) -> None:
    await eventually(lambda: of(gateway.numbers(), name) == wanted)


async def count(gateway: Gateway, name: str, wanted: int) -> None:
    """Until a histogram has so many observations."""
    await eventually(lambda: sum(of(gateway.numbers(), name)["counts"]) >= wanted)


async def joined(wire: Wire, uid: UUID = UID) -> None:
    """Let in, and its first message answered."""
    assert (await wire.next())["type"] == "websocket.accept"
    wire.say(full(uid))
    await wire.reply()


async def test_messages_are_counted_by_what_they_were(connect: Connect, gateway: Gateway) -> None:
    wire = connect()
    await joined(wire)
    for number in (1, 2):
        wire.say(hello(sequence_num=number))
        await wire.reply()
    report = hello(sequence_num=3)
    report.health.healthy = False
    wire.say(report)
    await wire.reply()
    wire.feed(b"\x00\xff\xff")
    await wire.reply()
    goodbye = hello(sequence_num=4)
    goodbye.agent_disconnect.SetInParent()
    wire.say(goodbye)
    await wire.reply()
    numbers = gateway.numbers()
    seen = {kind: of(numbers, "messages", transport="ws", type=kind) for kind in KINDS}
    assert seen == {"heartbeat": 2, "report": 1, "full_state": 1, "goodbye": 1, "refused": 0}
    assert of(numbers, "malformed_messages") == 1


KINDS = ("heartbeat", "report", "full_state", "goodbye", "refused")


async def test_letting_in_and_writing_are_timed(connect: Connect, gateway: Gateway) -> None:
    wire = connect()
    await joined(wire)
    assert sum(of(gateway.numbers(), "admission_seconds")["counts"]) == 1
    await count(gateway, "flush_seconds", 1)
    rows = of(gateway.numbers(), "flush_rows")
    assert rows["sum"] == 1


async def test_connections_and_agents_are_levels(connect: Connect, gateway: Gateway) -> None:
    first, second = connect(), connect()
    for wire, uid in ((first, UID), (second, UID2)):
        await joined(wire, uid)
    assert of(gateway.numbers(), "connections") == of(gateway.numbers(), "agents") == 2
    first.hang_up()
    await until(gateway, "connections", 1)


async def test_what_waits_while_the_database_is_away_is_seen(
    connect: Connect, gateway: Gateway, domain: MemoryDomain
) -> None:
    wire = connect()
    await joined(wire)
    await count(gateway, "flush_seconds", 1)
    domain.failure = ConnectionError("away")
    report = hello(sequence_num=1)
    report.health.healthy = False
    wire.say(report)
    await wire.reply()
    await until(gateway, "write_failures", 1)
    numbers = gateway.numbers()
    assert of(numbers, "buffer_rows") == 1
    assert of(numbers, "buffer_bytes") > 0
    assert of(numbers, "buffer_full_ratio") > 0
    first = of(numbers, "buffer_lag_seconds")
    assert 0 < first < of(gateway.numbers(), "buffer_lag_seconds")
    domain.failure = None
    await until(gateway, "buffer_lag_seconds", 0.0)


async def test_refusals_are_counted_by_reason(gateway: Gateway) -> None:
    refused = ConnectionRefused("revoked", text="The token is revoked.")
    for _ in range(2):
        gateway.refused(refused, address="192.0.2.1", transport="ws", user_agent="")
    assert of(gateway.numbers(), "refused", reason="revoked") == 2


async def test_refusals_that_are_not_kept_are_counted(gateway: Gateway) -> None:
    refused = ConnectionRefused("unknown", text="The token is not known here.")
    for number in range(1_005):
        gateway.refused(refused, address=f"host-{number}", transport="ws", user_agent="")
    assert of(gateway.numbers(), "limits_hit", limit="refusal_log") == 5


async def test_the_way_of_a_poke_is_timed_from_its_sender(
    connect: Connect, gateway: Gateway, layer: Any
) -> None:
    wire = connect()
    await joined(wire)
    message = {"type": "poke", "uids": [UID.hex], "sent_at": time.time() - 20}

    async def heard() -> None:
        # The gateway joins the group a little after its start.
        while not sum(of(gateway.numbers(), "poke_seconds")["counts"]):
            await layer.group_send(notify.GATEWAYS, message)
            await asyncio.sleep(0.01)

    await asyncio.wait_for(heard(), 5)
    assert of(gateway.numbers(), "poke_seconds")["sum"] >= 20


def test_a_sender_of_an_older_version_and_a_clock_ahead_do_no_harm() -> None:
    counters = Counters()
    counters.poked({"type": "poke", "uids": []})
    assert counters.pokes.value()["sum"] == 0
    counters.poked({"sent_at": time.time() + 60})
    assert counters.pokes.value()["sum"] == 0
    assert sum(counters.pokes.value()["counts"]) == 1


def test_a_reconcile_that_fails_is_not_the_last_one() -> None:
    counters = Counters()
    with counters.reconciling():
        pass
    before = counters.reconciled_s
    with pytest.raises(ConnectionError), counters.reconciling():
        raise ConnectionError
    assert counters.reconciled_s == before > 0
    assert sum(counters.reconciles.value()["counts"]) == 1


async def test_every_number_has_a_family(connect: Connect, gateway: Gateway) -> None:
    wire = connect()
    await joined(wire)
    assert set(gateway.numbers()) <= {family.name for family in FAMILIES}
