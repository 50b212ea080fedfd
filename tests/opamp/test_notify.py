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


def test_the_channel_layer_port_sends_without_a_loop() -> None:
    hints.ChannelLayerPort().send("ui", {"type": "touch", "topics": ["fleets"]})
