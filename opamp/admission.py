"""Letting an agent in: the only part of a connection's life that waits for the database."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from agents.snapshot import AgentSnapshot, Transport
from opamp.aside import Aside
from opamp.buffer import WriteBuffer
from opamp.errors import AgentPutOff, AgentRefused
from opamp.messages import forget
from opamp.metrics import AWAY, Counters, admission
from opamp.options import GatewayOptions
from opamp.ports import Admitted, Caller, Domain
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from opamp.protocol.framing import decode_frame, encode_frame
from opamp.protocol.identity import wants_new_uid
from opamp.protocol.replies import BUSY, bad_request, new_identity, unavailable
from opamp.protocol.session import AgentSession
from opamp.registry import Connection, HeldAgent, Registry
from telflo.base.clock import now
from telflo.base.ids import new_id

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 20
"""Of those that were let in: reading what they said takes a millisecond each, and others wait meanwhile."""

_OUR_FAULT: Final = "The server could not let the collector in."


class Admission:
    """Opens sessions, and answers what agents said meanwhile.

    refused: counts an agent that may not come in. run: runs blocking work on the threads for this. answer,
    answer_other: what a message of an admitted agent is answered with, and one whose session is over or replaced
    meanwhile (None: later).
    """

    def __init__(
        self,
        *,
        domain: Domain,
        registry: Registry,
        buffer: WriteBuffer,
        aside: Aside,
        options: GatewayOptions,
        counters: Counters,
        refused: Callable[[HeldAgent, AgentRefused], None],
        run: Callable[..., Awaitable[Any]],
        new_session: Callable[[AgentSnapshot], AgentSession],
        answer: Callable[[HeldAgent, AgentToServer], bytes],
        answer_other: Callable[[Connection, AgentToServer, bytes], bytes | None],
        leave: Callable[[HeldAgent, str], None],
        send: Callable[[Connection, bytes], Awaitable[None]],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._domain = domain
        self._registry = registry
        self._buffer = buffer
        self._aside = aside
        self._options = options
        self.counters = counters
        self._refused = refused
        self._run = run
        self._new_session = new_session
        self._answer = answer
        self._answer_other = answer_other
        self._leave = leave
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
            while batch := self._take():
                self._in_hand = len(batch)
                try:
                    await self._let_in(batch)
                finally:
                    self._in_hand = 0
            await self._wake.wait()
            self._wake.clear()

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
            try:
                if count % _AT_ONCE == 0:
                    await self._buffer.keep_up()
                self._settle(agent, answers.get(uid))
            except Exception as error:  # noqa: BLE001 - logged there
                self._failed(agent, error)

    @admission
    async def _open_sessions(self, batch: Mapping[UUID, HeldAgent]) -> Mapping[UUID, Admitted]:
        # What they said on their last connections is of older epochs and would be fenced off.
        if told := [uid for uid in batch if self._buffer.holds(uid)]:
            await self._buffer.flush_agents(told)
        nameless = await self._nameless(batch)
        callers = [
            Caller(
                agent.connection.credential,
                uid,
                Transport.WEBSOCKET,
                agent.connection.address,
                has_left=agent.connection.closed.is_set,
            )
            for uid, agent in batch.items()
            if uid not in nameless
        ]
        if not callers:
            return {}
        answers: Mapping[UUID, Admitted] = await self._run(
            self._domain.admit_agents, callers, now=now()
        )
        return answers

    async def _nameless(self, batch: Mapping[UUID, HeldAgent]) -> Collection[UUID]:
        """Those who begin by asking for a uid (M6) and are not known by the one they have: it is never registered."""
        asking = [uid for uid, agent in batch.items() if agent.asks_uid]
        known = await self._run(self._domain.sessions, asking) if asking else {}
        return set(asking) - set(known)

    def _settle(self, agent: HeldAgent, answer: Admitted | None) -> None:
        if answer is None:
            self._turn_away(agent, partial(new_identity, new_uid=new_id()))
        elif isinstance(answer, AgentRefused):
            self._refused(agent, answer)
            if answer.is_for_now:
                self._put_off([agent], answer.text, cause="newcomers")
            else:
                self._turn_away(agent, partial(bad_request, problem=answer.text))
        elif isinstance(answer, AgentPutOff):
            self._put_off([agent])
        else:
            agent.session = self._new_session(answer)
            self._begin(agent)

    def _failed(self, agent: HeldAgent, error: Exception) -> None:
        """A fault of ours: it begins anew, and whoever waits beside it is let in."""
        self.counters.loop_failures += 1
        logger.error("%s could not be let in; its connection is cut.", agent.uid, exc_info=error)
        agent.connection.abort(_OUR_FAULT)

    def _put_off(
        self, agents: Iterable[HeldAgent], problem: str = BUSY, *, cause: str = AWAY
    ) -> None:
        """They are told to come back, and why."""
        for agent in agents:
            self.counters.put_off(cause)
            retry_after_s = self._options.retry_after()
            answer = partial(unavailable, retry_after_s=retry_after_s, problem=problem)
            self._turn_away(agent, answer)

    def _begin(self, agent: HeldAgent) -> None:
        """Make the session the agent's; from here on its messages are answered where they arrive."""
        assert agent.session is not None
        agent.is_settled = True
        self._registry.hold(agent)
        answers = [self._answer_waiting(agent, frame) for frame in self._aside.take(agent)]
        if agent.connection.closed.is_set():
            # It hung up behind what it said, which counts all the same.
            self._leave(agent, agent.connection.close_reason or "closed")
        else:
            self._answer_all(agent, [frame for frame in answers if frame is not None])

    def _answer_waiting(self, agent: HeldAgent, frame: bytes) -> bytes | None:
        message = decode_frame(frame, self._options.protocol.parts)
        # A goodbye among them ends the session: what came after it begins another one.
        if agent.is_newest and not wants_new_uid(message):
            return self._answer(agent, message)
        return self._answer_other(agent.connection, message, frame)

    def _turn_away(self, agent: HeldAgent, answer: Callable[[bytes], ServerToAgent]) -> None:
        """Answer everything that waited in the same way; the next message tries again."""
        agent.is_settled = True
        forget(agent)
        frame = encode_frame(answer(agent.uid.bytes))
        self._answer_all(agent, [frame for _ in self._aside.take(agent)])

    def _answer_all(self, agent: HeldAgent, frames: Sequence[bytes]) -> None:
        """Beside everything else: a peer that does not read holds up nobody who waits to be let in."""
        if frames:
            self._spawn(self._send_in_turn(agent.connection, frames))

    async def _send_in_turn(self, connection: Connection, frames: Sequence[bytes]) -> None:
        for frame in frames:
            await self._send(connection, frame)
