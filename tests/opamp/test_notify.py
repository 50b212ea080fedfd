"""Hints: one message a call, in chunks when there are many, and never an error for the caller."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from channels.layers import InMemoryChannelLayer

from agents import notify
from telflo.base import hints
from tests.opamp.fakes import UID, UID2
from tests.opamp.waiting import until


@pytest.fixture
def port() -> Iterator[hints.RecordingPort]:
    recording = hints.RecordingPort()
    before = hints.set_port(recording)
    yield recording
    hints.set_port(before)


def test_a_poke_is_one_message_for_many_agents(port: hints.RecordingPort) -> None:
    notify.poke([UID2, UID, UID])
    [(group, message)] = port.sent
    assert time.time() - message.pop("sent_at") < 60
    assert (group, message) == ("gateways", {"type": "poke", "uids": [UID.hex, UID2.hex]})


def test_very_many_agents_are_told_in_chunks(port: hints.RecordingPort) -> None:
    notify.close_agents((uuid4() for _ in range(5_001)), "revoked")
    assert [len(message["uids"]) for _, message in port.sent] == [5_000, 1]
    assert {message["reason"] for _, message in port.sent} == {"revoked"}


def test_nothing_to_tell_is_no_message(port: hints.RecordingPort) -> None:
    notify.poke([])
    hints.touch([])
    assert port.sent == []


def test_topics_are_told_once_each(port: hints.RecordingPort) -> None:
    hints.touch(["fleets", "agents", "fleets"])
    assert port.sent == [("ui", {"type": "touch", "topics": ["agents", "fleets"]})]


async def test_the_embedded_port_sends_from_a_thread_within_a_turn_of_the_loop() -> None:
    layer = InMemoryChannelLayer()
    channel = await layer.new_channel()
    await layer.group_add(notify.GATEWAYS, channel)
    before = hints.set_port(hints.EmbeddedPort(asyncio.get_running_loop(), layer))
    try:
        await asyncio.to_thread(notify.poke, [UID])
        async with asyncio.timeout(1):
            message = await layer.receive(channel)
    finally:
        hints.set_port(before)
    assert (message["type"], message["uids"]) == ("poke", [UID.hex])


def test_a_layer_that_fails_disturbs_nobody() -> None:
    class Broken:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            raise ConnectionError("no Redis")

    loop = asyncio.new_event_loop()
    port = hints.EmbeddedPort(loop, Broken())
    port.send("ui", {"type": "touch"})
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    port.send("ui", {"type": "touch"})


class Hanging:
    """A layer of a Redis that hangs, until it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.goes_on = asyncio.Event()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.asked += 1
        await self.goes_on.wait()


async def test_while_redis_hangs_few_hints_wait_and_the_rest_is_dropped_and_counted() -> None:
    layer, before = Hanging(), hints.lost()
    port = hints.EmbeddedPort(asyncio.get_running_loop(), layer)
    for _ in range(hints.WAITING + 50):
        port.send("ui", {"type": "touch"})
    await until(lambda: layer.asked == hints.AT_ONCE)
    assert hints.lost() - before == 50
    layer.goes_on.set()
    await until(lambda: layer.asked == hints.WAITING)
    assert hints.lost() - before == 50


async def test_a_hint_that_is_not_taken_in_time_is_given_up_and_others_go_out_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hints, "SEND_S", 0.01)
    layer, before = Hanging(), hints.lost()
    port = hints.EmbeddedPort(asyncio.get_running_loop(), layer)
    for _ in range(hints.WAITING):
        port.send("ui", {"type": "touch"})
    await until(lambda: hints.lost() - before == hints.WAITING)
    layer.goes_on.set()
    asked = layer.asked
    port.send("ui", {"type": "touch"})
    await until(lambda: layer.asked == asked + 1)
    assert hints.lost() - before == hints.WAITING


def test_a_worker_does_not_wait_for_a_redis_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "SEND_S", 0.01)
    monkeypatch.setattr(hints, "get_channel_layer", Hanging)
    before = hints.lost()
    hints.ChannelLayerPort().send("ui", {"type": "touch"})
    assert hints.lost() - before == 1


def test_the_channel_layer_port_sends_without_a_loop() -> None:
    hints.ChannelLayerPort().send("ui", {"type": "touch", "topics": ["fleets"]})
