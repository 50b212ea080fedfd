"""Letting an agent in: the only part of a connection's life that waits for the database."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from agents.snapshot import AgentSnapshot, Transport
from opamp.auth import RefusalLog
from opamp.buffer import WriteBuffer
from opamp.errors import AgentRefused, ConnectionRefused
from opamp.messages import forget
from opamp.metrics import Counters, admission
from opamp.options import GatewayOptions
from opamp.ports import Domain
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from opamp.protocol.framing import encode_frame
from opamp.protocol.replies import bad_request, unavailable
from opamp.protocol.session import AgentSession
from opamp.registry import Connection, HeldAgent, Registry
from telflo.base.clock import now

logger = logging.getLogger(__name__)


class Admission:
    """Opens sessions, and answers what agents said meanwhile.

    run: runs blocking work on the threads for this. answer, answer_replaced: what a message of an admitted agent is
    answered with, and of one that a newer session replaced meanwhile (None: later).
    """

    def __init__(
        self,
        *,
        domain: Domain,
        registry: Registry,
        buffer: WriteBuffer,
        options: GatewayOptions,
        counters: Counters,
        refusals: RefusalLog,
        run: Callable[..., Awaitable[Any]],
        new_session: Callable[[AgentSnapshot], AgentSession],
        answer: Callable[[HeldAgent, AgentToServer], bytes],
        answer_replaced: Callable[[HeldAgent, AgentToServer], bytes | None],
        send: Callable[[Connection, bytes], Awaitable[None]],
    ) -> None:
        self._domain = domain
        self._registry = registry
        self._buffer = buffer
        self._options = options
        self.counters = counters
        self._refusals = refusals
        self._run = run
        self._new_session = new_session
        self._answer = answer
        self._answer_replaced = answer_replaced
        self._send = send
        self.waiting = 0
        """How many agents wait for the database."""

    async def admit(self, agent: HeldAgent) -> None:
        """Begin the agent's session, then answer what waited, in order."""
        try:
            agent.session = self._new_session(await self._wait_for_session(agent))
            await self._begin(agent)
        except AgentRefused as refusal:
            self._count_refusal(agent, refusal)
            await self._turn_away(agent, partial(bad_request, problem=refusal.text))
        except Exception as error:
            logger.warning("%s could not be admitted.", agent.uid, exc_info=error)
            self.counters.unavailable_answers += 1
            retry_after_s = self._options.retry_after_s
            await self._turn_away(agent, partial(unavailable, retry_after_s=retry_after_s))
        finally:
            agent.is_settled = True

    async def _wait_for_session(self, agent: HeldAgent) -> AgentSnapshot:
        self.waiting += 1
        try:
            return await self._open_session(agent)
        finally:
            self.waiting -= 1

    @admission
    async def _open_session(self, agent: HeldAgent) -> AgentSnapshot:
        if self._buffer.holds(agent.uid):
            # What it said on its last connection is of an older epoch and would be fenced off.
            await self._buffer.flush_agents([agent.uid])
        snapshot: AgentSnapshot = await self._run(
            self._domain.admit_agent,
            credential=agent.connection.credential,
            instance_uid=agent.uid,
            transport=Transport.WEBSOCKET,
            remote_address=agent.connection.address,
            now=now(),
        )
        return snapshot

    async def _begin(self, agent: HeldAgent) -> None:
        assert agent.session is not None
        if agent.connection.closed.is_set():
            self._buffer.submit(agent.session.disconnect(now(), "closed"), force=True)
            return
        answers = [self._answer_waiting(agent, message) for message in self._hold(agent)]
        for frame in answers:
            if frame is not None:
                await self._send(agent.connection, frame)

    def _hold(self, agent: HeldAgent) -> list[AgentToServer]:
        """Make the session the agent's; from here on its messages are answered where they arrive."""
        self._registry.hold(agent)
        agent.is_settled = True
        waiting = list(agent.waiting)
        agent.waiting.clear()
        return waiting

    def _answer_waiting(self, agent: HeldAgent, message: AgentToServer) -> bytes | None:
        # A goodbye among them ends the session; what came after it is not this session's.
        if agent.is_newest:
            return self._answer(agent, message)
        return self._answer_replaced(agent, message)

    def _count_refusal(self, agent: HeldAgent, refusal: AgentRefused) -> None:
        self.counters.refused_agents += 1
        prefix = agent.connection.credential.prefix
        self._refusals.add(
            ConnectionRefused(refusal.reason, text=refusal.text, token_prefix=prefix),
            address=agent.connection.address,
            transport=Transport.WEBSOCKET.value,
            user_agent="",
            at=now(),
        )

    async def _turn_away(self, agent: HeldAgent, answer: Callable[[bytes], ServerToAgent]) -> None:
        """Answer everything that waited with an error; the next message tries again."""
        forget(agent)
        while agent.waiting:
            message = agent.waiting.popleft()
            await self._send(agent.connection, encode_frame(answer(message.instance_uid)))
