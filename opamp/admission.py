"""Letting an agent in: the only part of a connection's life that waits for the database."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from agents.snapshot import AgentSnapshot, Transport
from opamp.auth import RefusalLog
from opamp.buffer import WriteBuffer
from opamp.errors import AgentRefused, ConnectionRefused
from opamp.messages import forget
from opamp.metrics import Counters, admission
from opamp.options import GatewayOptions
from opamp.ports import Caller, Domain
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from opamp.protocol.framing import decode_frame, encode_frame
from opamp.protocol.replies import bad_request, unavailable
from opamp.protocol.session import AgentSession
from opamp.registry import Connection, HeldAgent, Registry
from telflo.base.clock import now

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 20
"""Of those that were let in: reading what they said takes a millisecond each, and others wait meanwhile."""


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
        spawn: Callable[[Coroutine[Any, Any, None]], None],
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
        self._spawn = spawn
        self._queue: deque[HeldAgent] = deque()
        self._wake = asyncio.Event()
        self._in_hand = 0

    def admit(self, agent: HeldAgent) -> None:
        """Let the agent in soon, together with others; then what waited is answered, in order."""
        self._queue.append(agent)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """How many agents wait for the database."""
        return len(self._queue) + self._in_hand

    async def run(self) -> None:
        """Let in who waits, a batch at a time, until cancelled. What one asks for does not wait for a batch to fill."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._take():
                self._in_hand = len(batch)
                try:
                    await self._let_in(batch)
                finally:
                    self._in_hand = 0

    def _take(self) -> dict[UUID, HeldAgent]:
        """The longest waiting, each uid once: of two connections with one uid the second comes with the next batch."""
        batch: dict[UUID, HeldAgent] = {}
        later = []
        while self._queue and len(batch) < self._options.admit_rows:
            agent = self._queue.popleft()
            if agent.uid in batch:
                later.append(agent)
            else:
                batch[agent.uid] = agent
        self._queue.extendleft(reversed(later))
        return batch

    async def _let_in(self, batch: Mapping[UUID, HeldAgent]) -> None:
        """Begin the sessions of a batch. What stands in everybody's way is found by halving the batch."""
        try:
            answers = await self._open_sessions(batch)
        except Exception as error:
            if len(batch) > 1 and not self._domain.is_temporary(error):
                agents = list(batch.items())
                middle = len(agents) // 2
                await self._let_in(dict(agents[:middle]))
                await self._let_in(dict(agents[middle:]))
                return
            logger.warning("%d collectors could not be let in.", len(batch), exc_info=error)
            self._put_off(batch.values())
            return
        for count, (uid, agent) in enumerate(batch.items()):
            if count % _AT_ONCE == 0:
                await self._buffer.keep_up()
            self._settle(agent, answers[uid])

    @admission
    async def _open_sessions(
        self, batch: Mapping[UUID, HeldAgent]
    ) -> Mapping[UUID, AgentSnapshot | AgentRefused]:
        # What they said on their last connections is of older epochs and would be fenced off.
        if told := [uid for uid in batch if self._buffer.holds(uid)]:
            await self._buffer.flush_agents(told)
        callers = [
            Caller(agent.connection.credential, uid, Transport.WEBSOCKET, agent.connection.address)
            for uid, agent in batch.items()
        ]
        answers: Mapping[UUID, AgentSnapshot | AgentRefused] = await self._run(
            self._domain.admit_agents, callers, now=now()
        )
        return answers

    def _settle(self, agent: HeldAgent, answer: AgentSnapshot | AgentRefused) -> None:
        if isinstance(answer, AgentRefused):
            self._count_refusal(agent, answer)
            self._turn_away(agent, partial(bad_request, problem=answer.text))
        else:
            agent.session = self._new_session(answer)
            self._begin(agent)

    def _put_off(self, agents: Iterable[HeldAgent]) -> None:
        """The database cannot say: they are told to come back."""
        answer = partial(unavailable, retry_after_s=self._options.retry_after_s)
        for agent in agents:
            self.counters.unavailable_answers += 1
            self._turn_away(agent, answer)

    def _begin(self, agent: HeldAgent) -> None:
        """Make the session the agent's; from here on its messages are answered where they arrive."""
        assert agent.session is not None
        agent.is_settled = True
        if agent.connection.closed.is_set():
            self._buffer.submit(agent.session.disconnect(now(), "closed"), force=True)
            return
        self._registry.hold(agent)
        waiting, agent.waiting = agent.waiting, []
        answers = (self._answer_waiting(agent, decode_frame(data)) for data in waiting)
        self._answer_all(agent, [frame for frame in answers if frame is not None])

    def _answer_waiting(self, agent: HeldAgent, message: AgentToServer) -> bytes | None:
        # A goodbye among them ends the session; what came after it is not this session's.
        if agent.is_newest:
            return self._answer(agent, message)
        return self._answer_replaced(agent, message)

    def _count_refusal(self, agent: HeldAgent, refusal: AgentRefused) -> None:
        prefix = agent.connection.credential.prefix
        self._refusals.add(
            ConnectionRefused(refusal.reason, text=refusal.text, token_prefix=prefix),
            address=agent.connection.address,
            transport=Transport.WEBSOCKET.value,
            user_agent="",
            at=now(),
        )

    def _turn_away(self, agent: HeldAgent, answer: Callable[[bytes], ServerToAgent]) -> None:
        """Answer everything that waited with an error; the next message tries again."""
        agent.is_settled = True
        forget(agent)
        waiting, agent.waiting = agent.waiting, []
        frames = [encode_frame(answer(agent.uid.bytes)) for _ in waiting]
        self._answer_all(agent, frames)

    def _answer_all(self, agent: HeldAgent, frames: Sequence[bytes]) -> None:
        """Beside everything else: a peer that does not read holds up nobody who waits to be let in."""
        if frames:
            self._spawn(self._send_in_turn(agent.connection, frames))

    async def _send_in_turn(self, connection: Connection, frames: Sequence[bytes]) -> None:
        for frame in frames:
            await self._send(connection, frame)
