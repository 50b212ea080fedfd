"""Giving agents identities of their own: on request (M6), and to one of several live agents that share a uid (A2).

A client never uses two connections at once. So a message on a connection after a newer one of the same uid began comes
from another agent, unless it was on its way; the newest keeps the uid, and the sender is told to use a new one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final
from uuid import UUID

from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.ports import Domain
from opamp.proto.opamp_pb2 import AgentToServer
from opamp.protocol.framing import encode_frame
from opamp.protocol.replies import bad_request, new_identity
from opamp.registry import Connection, HeldAgent, Registry
from telflo.base.clock import now
from telflo.base.ids import new_id

logger = logging.getLogger(__name__)

REPLACED: Final = (
    "Another connection with this instance_uid is newer and is the one that counts."
    " If this machine is a copy of another, give it an instance id of its own."
)


def goes_by(uid: UUID) -> str:
    """Why an agent that asked for an identity is gone from under its old one."""
    return f"It goes by {uid} now."


Send = Callable[[Connection, bytes], Awaitable[None]]


class Identities:
    """One per gateway. on_thread runs blocking work; leave says that an agent is gone, and why."""

    def __init__(
        self,
        domain: Domain,
        registry: Registry,
        options: GatewayOptions,
        counters: Counters,
        *,
        send: Send,
        leave: Callable[[HeldAgent, str], None],
        on_thread: Callable[..., Awaitable[Any]],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._domain = domain
        self._registry = registry
        self._options = options
        self._counters = counters
        self._send = send
        self._on_thread = on_thread
        self._leave = leave
        self._spawn = spawn

    def answer_request(self, agent: HeldAgent) -> None:
        """An agent that is known asks for an identity: the answer follows once the new one is kept, the same to each
        message that asks until then (M1).
        """
        agent.asked += 1
        if agent.asked == 1:
            self._spawn(self._rename(agent))

    def answer_replaced(self, agent: HeldAgent, message: AgentToServer) -> bytes | None:
        """A message on a session that a newer one replaced: a new identity, or the plain error. None: it follows.

        The error comes while the message may have been on its way, while an identity is being asked for, and for good
        after a few that were not taken.
        """
        if not self._is_due(agent):
            return encode_frame(bad_request(message.instance_uid, REPLACED))
        agent.times_given += 1
        if agent.new_uid is not None:
            return encode_frame(new_identity(message.instance_uid, agent.new_uid))
        self._spawn(self._give(agent))
        return None

    def compare(self, sessions: Mapping[UUID, tuple[int, bool]]) -> None:
        """Mark the sessions here that one in another process replaced.

        When that one is over already, the session here is forgotten, and its agent comes in anew with its next message.
        """
        for uid, (epoch, is_connected) in sessions.items():
            agent = self._registry.get(uid)
            if agent is None or agent.session is None or epoch <= agent.epoch:
                continue
            if is_connected:
                agent.replaced()
            else:
                self._registry.drop(agent)

    def _is_due(self, agent: HeldAgent) -> bool:
        """Whether it is told a new identity now."""
        is_asking = agent.times_given > 0 and agent.new_uid is None
        if agent.replaced_s is None or is_asking:
            return False
        if asyncio.get_running_loop().time() - agent.replaced_s < self._options.late_s:
            return False
        is_due = agent.times_given < self._options.new_uids
        if not is_due:
            self._counters.hit("new_uids")
        return is_due

    async def _rename(self, agent: HeldAgent) -> None:
        is_clone = agent.replaced_s is not None
        try:
            given = await self._ask(agent, is_clone=is_clone) or new_id()
            if not is_clone:
                self._leave(agent, goes_by(given))
            answer = encode_frame(new_identity(agent.uid.bytes, given))
            while agent.asked:
                agent.asked -= 1
                await self._send(agent.connection, answer)
        finally:
            agent.asked = 0

    async def _give(self, agent: HeldAgent) -> None:
        agent.new_uid = await self._ask(agent, is_clone=True)
        answer = bad_request(agent.uid.bytes, REPLACED)
        if agent.new_uid is not None:
            answer = new_identity(agent.uid.bytes, agent.new_uid)
        await self._send(agent.connection, encode_frame(answer))

    async def _ask(self, agent: HeldAgent, *, is_clone: bool) -> UUID | None:
        try:
            given: UUID | None = await self._on_thread(
                self._domain.give_uid,
                instance_uid=agent.uid,
                remote_address=agent.connection.address,
                is_clone=is_clone,
                now=now(),
            )
        except Exception:
            logger.warning("No new identity for %s could be kept.", agent.uid, exc_info=True)
            agent.times_given = 0
            return None
        return given
