"""A gateway with a domain in memory, and connections to it without a socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from opamp.buffer import BufferLimits
from opamp.consumers import OpampConsumer
from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from tests.opamp.fakes import MemoryDomain, Wire

Connect = Callable[..., Wire]


@pytest.fixture
def domain() -> MemoryDomain:
    return MemoryDomain()


@pytest.fixture
def layer() -> Any:
    return InMemoryChannelLayer()


@pytest.fixture
def options() -> GatewayOptions:
    return GatewayOptions(
        buffer=BufferLimits(flush_s=0.02, heartbeat_flush_s=0.05),
        reconcile_s=60,
        refusals_s=0.02,
        send_timeout_s=0.1,
        drain_pause_s=0,
        drain_timeout_s=1,
    )


@pytest.fixture
async def gateway(
    domain: MemoryDomain, layer: Any, options: GatewayOptions
) -> AsyncIterator[Gateway]:
    made = Gateway(domain, lambda: layer, options)
    yield made
    domain.failure = None
    domain.gate.set()
    await made.stop()


@pytest.fixture
async def connect(gateway: Gateway) -> AsyncIterator[Connect]:
    tasks: list[asyncio.Task[None]] = []
    consumer = OpampConsumer(gateway)

    def start(**scope: Any) -> Wire:
        wire = Wire()
        tasks.append(asyncio.create_task(consumer(wire.scope(**scope), wire.receive, wire.send)))
        return wire

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
