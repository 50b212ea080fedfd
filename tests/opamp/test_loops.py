"""What runs for ever goes on behind a fault of ours, and one faulty thing keeps nobody from the others."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.db import OperationalError

from agents.notify import GATEWAYS
from agents.snapshot import AgentSnapshot
from opamp import loops
from opamp.domain import DjangoDomain
from opamp.gateway import Gateway
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.protocol.session import AgentSession
from opamp.registry import Connection
from tests.opamp.conftest import Connect
from tests.opamp.fakes import UID, UID2, MemoryDomain, hello, joined
from tests.opamp.waiting import until


async def counted_in(errors: Mapping[int, Exception], runs: int) -> Counters:
    """Runs a loop for ever, so many times; the runs with an error, counted from 1, raise it."""
    counters, done = Counters(), list[None]()

    async def looking() -> None:
        done.append(None)
        if error := errors.get(len(done)):
            raise error
        if len(done) == runs:
            await asyncio.Event().wait()

    task = asyncio.create_task(loops.for_ever(looking, counters, DjangoDomain().is_temporary))
    await until(lambda: len(done) == runs)
    task.cancel()
    return counters


async def test_a_loop_that_fails_is_counted_and_runs_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loops, "_RETRY_S", 0)
    counters = await counted_in({1: ValueError("a fault")}, runs=2)
    assert counters.loop_failures == 1
    assert "looking failed" in caplog.text


async def test_a_database_that_is_away_is_said_once_and_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loops, "_RETRY_S", 0)
    away = OperationalError("away")
    counters = await counted_in(dict.fromkeys((1, 2, 4, 5), away), runs=6)
    assert counters.loop_failures == 0
    assert caplog.text.count("looking cannot go on for now") == 2
    assert "Traceback" not in caplog.text


async def test_one_whose_session_cannot_begin_is_cut_and_the_others_are_let_in(
    gateway: Gateway, connect: Connect, domain: MemoryDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, faulty_uid = Gateway.new_session, UID

    def new_session(self: Gateway, snapshot: AgentSnapshot) -> AgentSession:
        if snapshot.instance_uid == faulty_uid:
            raise ValueError("a fault")
        return begin(self, snapshot)

    monkeypatch.setattr(Gateway, "new_session", new_session)
    faulty, good, later = connect(), connect(), connect()
    domain.gate.clear()
    for wire, uid in ((faulty, UID), (good, UID2)):
        assert (await wire.next())["type"] == "websocket.accept"
        wire.say(hello(uid))
    domain.gate.set()
    assert (await good.reply()).instance_uid == UID2.bytes
    await faulty.over()
    assert gateway.counters.loop_failures == 1
    faulty_uid = UID2
    await joined(later)


@pytest.mark.parametrize("options", [GatewayOptions(first_message_s=0.05)])
async def test_a_connection_that_cannot_be_looked_at_keeps_nobody_from_the_others(
    gateway: Gateway, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Connection.look
    faulty: list[Connection] = []

    def fails_for_the_first(self: Connection, now_s: float) -> Any:
        faulty[:] = faulty or [self]
        if self is faulty[0]:
            raise ValueError("a fault")
        return look(self, now_s)

    monkeypatch.setattr(Connection, "look", fails_for_the_first)
    wires = [connect(), connect()]
    for wire in wires:
        assert (await wire.next())["type"] == "websocket.accept"
    await until(lambda: gateway.counters.cut_connections)
    assert gateway.counters.loop_failures


@pytest.mark.parametrize("options", [GatewayOptions(reconcile_s=0.05)])
async def test_a_layer_that_forgot_who_listens_is_told_again(
    connect: Connect, layer: InMemoryChannelLayer
) -> None:
    """As a Redis that was started anew: until then no hint arrives."""
    wire = connect()
    await joined(wire)
    await until(lambda: layer.groups.get(GATEWAYS))
    layer.groups.clear()
    await until(lambda: layer.groups.get(GATEWAYS))
    await layer.group_send(GATEWAYS, {"type": "close_agents", "uids": [UID.hex], "reason": "gone"})
    assert (await wire.next())["type"] == "websocket.close"
