"""A gateway with a domain in memory, and connections to it by each adapter."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from opamp.gateway import Gateway
from opamp.options import GatewayOptions
from opamp.pending import BufferLimits
from tests.opamp.adapters import Adapter
from tests.opamp.agent import Agent, Arrive
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
def connect(gateway: Gateway, adapter: Adapter) -> Connect:
    """Opens a connection to the gateway, as adapter.connect does."""
    return partial(adapter.connect, gateway)


@pytest.fixture
def arrive(adapter: Adapter) -> Arrive:
    """Opens the connection of an agent to any gateway."""
    return partial(Agent, adapter)
