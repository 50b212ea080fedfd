"""Delivering what agents are to be told: found by a poke or at the next reconcile, claimed once, sent once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from uuid import UUID

from opamp.ports import Domain
from opamp.protocol.framing import encode_frame
from opamp.registry import Registry
from telflo.base.clock import now

logger = logging.getLogger(__name__)


class CommandSender:
    """One per gateway, for the agents on WebSockets; over plain HTTP answers carry commands.

    on_thread runs blocking work.
    """

    def __init__(
        self, domain: Domain, registry: Registry, on_thread: Callable[..., Awaitable[Any]]
    ) -> None:
        self._domain = domain
        self._registry = registry
        self._on_thread = on_thread

    async def look(self, uids: Collection[UUID]) -> None:
        """Send what waits for these agents, one after the other."""
        while await self._send_next(uids):
            pass

    async def _send_next(self, uids: Collection[UUID]) -> bool:
        """Send each agent its oldest command; False when there was none."""
        epochs = {
            agent.uid: agent.epoch
            for agent in self._registry.held(iter(uids))
            if agent.session is not None and agent.replaced_s is None
        }
        if not epochs:
            return False
        claimed = await self._on_thread(self._domain.claim_commands, epochs, now=now())
        sending = []
        for uid, command in claimed.items():
            agent = self._registry.get(uid)
            session = agent.session if agent is not None else None
            message = session.make_command(command) if session is not None else None
            if agent is None or message is None:
                logger.info("A command for %s could not be sent any more.", uid)
            else:
                sending.append(agent.connection.deliver(encode_frame(message)))
        await asyncio.gather(*sending)
        return bool(claimed)
