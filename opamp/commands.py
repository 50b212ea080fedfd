"""Delivering what agents are to be told: found by a poke or at the next reconcile, claimed once, sent once."""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from typing import Any
from uuid import UUID

from opamp.ports import Domain
from opamp.protocol.framing import encode_frame
from opamp.registry import Connection, Registry
from telflo.base.clock import now

logger = logging.getLogger(__name__)


class CommandSender:
    """One per gateway, for the agents on WebSockets; over plain HTTP answers carry commands.

    on_thread runs blocking work.
    """

    def __init__(
        self,
        domain: Domain,
        registry: Registry,
        on_thread: Callable[..., Awaitable[Any]],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._domain = domain
        self._registry = registry
        self._on_thread = on_thread
        self._spawn = spawn

    async def look(self, uids: Collection[UUID]) -> None:
        """Send what waits for these agents, to each one after the other. Nobody waits for who does not read."""
        frames: dict[Connection, list[bytes]] = defaultdict(list)
        while await self._take_next(uids, frames):
            pass
        for connection, waiting in frames.items():
            self._spawn(_deliver(connection, waiting))

    async def _take_next(
        self, uids: Collection[UUID], frames: dict[Connection, list[bytes]]
    ) -> bool:
        """Each agent's oldest command becomes a frame; False when there was none."""
        epochs = {
            agent.uid: agent.epoch
            for agent in self._registry.held(iter(uids))
            if agent.session is not None
            and agent.session.takes_commands
            and agent.replaced_s is None
        }
        if not epochs:
            return False
        claimed = await self._on_thread(self._domain.claim_commands, epochs, now=now())
        for uid, command in claimed.items():
            agent = self._registry.get(uid)
            session = agent.session if agent is not None else None
            message = session.make_command(command) if session is not None else None
            if agent is None or message is None:
                logger.info("A command for %s could not be sent any more.", uid)
            else:
                frames[agent.connection].append(encode_frame(message))
        return bool(claimed)


async def _deliver(connection: Connection, frames: Iterable[bytes]) -> None:
    for frame in frames:
        await connection.deliver(frame)
