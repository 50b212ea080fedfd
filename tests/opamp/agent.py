"""One agent on one connection to a gateway with a real domain."""

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async

from opamp.gateway import Gateway
from opamp.proto.opamp_pb2 import ServerToAgent
from tests.opamp.adapters import Adapter
from tests.opamp.fakes import full


class Agent:
    """A connection of one agent."""

    def __init__(self, adapter: Adapter, gateway: Gateway, secret: str) -> None:
        self.wire = adapter.connect(gateway, secret=secret)

    async def start(self) -> ServerToAgent:
        """Say all, and be answered."""
        assert (await self.wire.next())["type"] == "websocket.accept"
        self.wire.say(full())
        return await self.wire.reply()

    async def leave(self) -> None:
        """Hang up; returns when the server knows it."""
        self.wire.hang_up()
        await self.wire.over()


Arrive = Callable[[Gateway, str], Agent]
"""An agent that opens a connection to a gateway with a secret."""


async def until(condition: Callable[[], Any]) -> None:
    """Until a look into the database says so."""
    look = sync_to_async(condition)
    async with asyncio.timeout(10):
        while not await look():  # noqa: ASYNC110 - a look from outside has no event
            await asyncio.sleep(0.01)
