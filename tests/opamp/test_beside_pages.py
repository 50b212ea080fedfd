"""A gateway and open pages of one process, on the channel layer that the settings name: each hears what is for it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
from channels.layers import channel_layers, get_channel_layer
from channels.testing import WebsocketCommunicator

from agents.notify import GATEWAYS
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from telflo.base.hints import UI
from telflo.base.models import User
from telflo.live import LiveConsumer
from tests.opamp.fakes import MemoryDomain, post

pytestmark = pytest.mark.django_db


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    channel_layers.backends.clear()  # one belongs to the loop of one test
    made = Gateway(MemoryDomain(), get_channel_layer, GatewayOptions(reconcile_s=60))
    await post(made, "nobody's", b"")  # the first request starts it
    yield made
    await made.stop()
    channel_layers.backends.clear()


def heard(gateway: Gateway) -> int:
    counts: list[int] = gateway.counters.pokes.value()["counts"]
    return sum(counts)


async def test_pages_hear_every_change_though_a_gateway_listens(gateway: Gateway) -> None:
    page = WebsocketCommunicator(LiveConsumer.as_asgi(), "/ws/live/")
    page.scope["user"] = User(username="viewer", is_active=True)
    await page.connect()
    layer = get_channel_layer()
    assert layer is not None
    for topic in ("agents", "tokens", "activity"):
        await page.send_to(text_data=json.dumps({"subscribe": [topic]}))
        assert await page.receive_nothing(timeout=0.05)
        await layer.group_send(UI, {"type": "touch", "topics": [topic]})
        assert (await page.receive_json_from(timeout=10))["topic"] == topic
    async with asyncio.timeout(10):
        while not heard(gateway):
            await layer.group_send(GATEWAYS, {"type": "poke", "uids": [], "sent_at": time.time()})
            await asyncio.sleep(0.02)
    await page.disconnect()
