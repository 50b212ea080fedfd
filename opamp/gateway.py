"""One gateway per process: everything between the sockets and the protocol core.

The first message of an agent touches the database (token, agent, desired state) on a small thread pool; after that
the receive path never waits for it (I5). What agents say goes into the write buffer; what they should have is followed
by opamp/intent.py. Servers without ASGI lifespan exist, so it starts with the first connection.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from agents.snapshot import AgentPatch, AgentSnapshot, Components, Transport
from opamp.auth import RefusalLog, TokenVerifier
from opamp.buffer import WriteBuffer
from opamp.errors import AgentRefused, ConnectionRefused, Overloaded
from opamp.intent import IntentWatcher, Layer
from opamp.metrics import Counters, admission, numbers_of
from opamp.options import GatewayOptions
from opamp.ports import Credential, Domain
from opamp.proto.opamp_pb2 import AgentToServer, ServerToAgent
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.framing import decode_frame, encode_frame
from opamp.protocol.identity import read_instance_uid, wants_new_uid
from opamp.protocol.replies import bad_request, new_identity, unavailable
from opamp.protocol.session import AgentSession
from opamp.registry import Connection, HeldAgent, Registry, Send
from telflo.base.clock import now
from telflo.base.ids import new_id
from telflo.base.measures import Numbers

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

SERVICE_RESTART: Final = 1012
REPLACED: Final = (
    "Another connection with this instance_uid is newer and is the one that counts."
    " If this machine is a copy of another, give it an instance id of its own."
)
_FAILED: Final = "The server could not process this message."


class Gateway:
    """The connections of this process and what is done for them."""

    def __init__(
        self, domain: Domain, layer: Callable[[], Layer], options: GatewayOptions | None = None
    ) -> None:
        self.options = options or GatewayOptions()
        self.domain = domain
        self.registry = Registry()
        self.counters = Counters()
        self.refusals = RefusalLog()
        self.verifier = TokenVerifier(self._verify, remember_s=self.options.remember_tokens_s)
        self.is_draining = False
        self._layer = layer
        self._admitting = 0
        self._stored_components: set[str] = set()
        self._started = False
        self._tasks: set[asyncio.Task[None]] = set()

    # ── life ──

    def ensure_started(self) -> None:
        """Start on the running loop unless it has started already."""
        if self._started:
            return
        self._started = True
        options = self.options
        self._admissions = ThreadPoolExecutor(options.threads, thread_name_prefix="opamp-admit")
        self._control = ThreadPoolExecutor(2, thread_name_prefix="opamp-control")
        self.buffer = WriteBuffer(
            self.counters.flushing(self.record_patches),
            options.buffer,
            is_temporary=self.domain.is_temporary,
            on_rejected=self._rejected,
        )
        self.buffer.start()
        self.intent = IntentWatcher(
            domain=self.domain,
            registry=self.registry,
            buffer=self.buffer,
            options=options,
            counters=self.counters,
            layer=self._layer(),
            on_thread=partial(self._on_thread, self._control),
            forget_tokens=self.verifier.forget,
        )
        self.intent.start()
        self._spawn(self._flush_refusals())

    async def drain(self) -> None:
        """Let nobody in any more, and close what is open with 1012 in slices (A4). Clients come back by themselves."""
        self.is_draining = True
        waiting = list(self.registry.connections)
        size = self.options.drain_slice
        for start in range(0, len(waiting), size):
            closing = (
                connection.close(SERVICE_RESTART, "The server restarts.")
                for connection in waiting[start : start + size]
            )
            await asyncio.gather(*closing)
            await asyncio.sleep(self.options.drain_pause_s)
        try:
            async with asyncio.timeout(self.options.drain_timeout_s):
                await asyncio.gather(*(connection.closed.wait() for connection in waiting))
        except TimeoutError:
            logger.info("%d connections did not close in time.", self.registry.connection_count)

    async def stop(self) -> None:
        """Drain, store what is left, end the threads. Harmless when it never started."""
        if not self._started:
            return
        await self.drain()
        for connection in self.registry.connections:
            self.disconnected(connection, "The server stopped.")
        await self.intent.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.buffer.stop()
        finally:
            self._admissions.shutdown(wait=False, cancel_futures=True)
            self._control.shutdown(wait=False, cancel_futures=True)
            self._started = self.is_draining = False

    # ── letting in ──

    @property
    def waiting(self) -> int:
        """Handshakes and new agents that wait for the database."""
        return self.verifier.waiting + self._admitting

    def check_capacity(self) -> None:
        """Raises Overloaded when nothing more should come in now (A3)."""
        self.ensure_started()
        if self.is_draining or self.buffer.is_full or self.waiting >= self.options.waiting:
            self.counters.unavailable_answers += 1
            raise Overloaded(self.options.retry_after_s)

    async def authenticate(self, secret: str) -> Credential:
        """Who holds the secret. Raises ConnectionRefused or Overloaded (also when the database cannot say)."""
        self.check_capacity()
        try:
            return await self.verifier.verify(secret)
        except ConnectionRefused:
            raise
        except Exception as error:
            logger.warning("A token could not be checked.", exc_info=error)
            raise Overloaded(self.options.retry_after_s) from error

    def refused(
        self, refusal: ConnectionRefused, *, address: str, transport: str, user_agent: str
    ) -> None:
        """Count a refused attempt; it is stored a little later."""
        self.ensure_started()
        self.counters.refused_connections += 1
        self.refusals.add(
            refusal, address=address, transport=transport, user_agent=user_agent, at=now()
        )

    def connected(self, send: Send, *, credential: Credential, address: str) -> Connection:
        """Take an accepted connection. Call it from the task that receives, and disconnected() at its end."""
        connection = Connection(
            send,
            credential=credential,
            address=address,
            send_timeout_s=self.options.send_timeout_s,
        )
        self.registry.add_connection(connection)
        return connection

    def disconnected(self, connection: Connection, reason: str) -> None:
        """The connection is over: its agents are disconnected, unless they are on a newer one."""
        connection.closed.set()
        for agent in self.registry.remove_connection(connection):
            if agent.session is not None:
                patch = agent.session.disconnect(now(), connection.close_reason or reason)
                self.buffer.submit(patch, force=True)

    # ── a message's way ──

    async def receive(self, connection: Connection, data: bytes) -> None:
        """Answer one binary WebSocket message (M1). Never raises for what a peer sends."""
        self.counters.messages += 1
        raw_uid = b""
        try:
            message = decode_frame(data)
            raw_uid = message.instance_uid
            uid = read_instance_uid(message)
        except MalformedMessage as error:
            self.counters.malformed_messages += 1
            await self._reply(connection, bad_request(raw_uid, str(error)))
            return
        if wants_new_uid(message):
            await self._reply(connection, new_identity(message, new_id()))
            return
        agent = self._agent_on(connection, uid)
        if agent is None:
            await self._reply(connection, self._refuse_more(message))
        elif not agent.ready.is_set():
            await self._queue(agent, message)
        elif self.registry.get(uid) is agent:
            await self._handle(agent, message)
        else:
            await self._reply(connection, bad_request(raw_uid, REPLACED))

    def _agent_on(self, connection: Connection, uid: UUID) -> HeldAgent | None:
        """The agent as this connection knows it, being admitted if need be; None when it holds too many."""
        agent = connection.agents.get(uid)
        is_over = agent is not None and agent.ready.is_set() and self.registry.get(uid) is None
        if agent is not None and not is_over:
            return agent
        if agent is None and len(connection.agents) >= self.options.agents_per_connection:
            self.counters.limits["agents_per_connection"] += 1
            return None
        agent = connection.agents[uid] = HeldAgent(uid, connection)
        self._spawn(self._admit(agent))
        return agent

    def _refuse_more(self, message: AgentToServer) -> ServerToAgent:
        most = self.options.agents_per_connection
        return bad_request(message.instance_uid, f"One connection carries at most {most} agents.")

    async def _queue(self, agent: HeldAgent, message: AgentToServer) -> None:
        """Keep a message until its agent is admitted; others on the connection go on unless too many wait."""
        agent.waiting.append(message)
        if len(agent.waiting) >= self.options.waiting_messages:
            await agent.ready.wait()

    async def _admit(self, agent: HeldAgent) -> None:
        """Begin the agent's session, then answer what waited, in order."""
        try:
            snapshot = await self._open_session(agent)
            agent.session = self.new_session(snapshot)
            if agent.connection.closed.is_set():
                self.buffer.submit(agent.session.disconnect(now(), "closed"), force=True)
                return
            is_newest = self.registry.hold(agent)
            while agent.waiting:
                message = agent.waiting.popleft()
                # A goodbye among them ends the session; what came after it is not this session's.
                if is_newest and self.registry.get(agent.uid) is agent:
                    await self._handle(agent, message)
                else:
                    answer = bad_request(message.instance_uid, REPLACED)
                    await self._reply(agent.connection, answer)
        except AgentRefused as refusal:
            self._count_refusal(agent, refusal)
            await self._turn_away(agent, partial(bad_request, problem=refusal.text))
        except Exception as error:
            logger.warning("%s could not be admitted.", agent.uid, exc_info=error)
            self.counters.unavailable_answers += 1
            await self._turn_away(
                agent, partial(unavailable, retry_after_s=self.options.retry_after_s)
            )
        finally:
            agent.ready.set()

    @admission
    async def _open_session(self, agent: HeldAgent) -> AgentSnapshot:
        self._admitting += 1
        try:
            if self.buffer.holds(agent.uid):
                # What it said on its last connection is of an older epoch and would be fenced off.
                await self.buffer.flush_agents([agent.uid])
            return await self._on_thread(
                self._admissions,
                self.domain.admit_agent,
                credential=agent.connection.credential,
                instance_uid=agent.uid,
                transport=Transport.WEBSOCKET,
                remote_address=agent.connection.address,
                now=now(),
            )
        finally:
            self._admitting -= 1

    def _count_refusal(self, agent: HeldAgent, refusal: AgentRefused) -> None:
        self.counters.refused_agents += 1
        prefix = agent.connection.credential.prefix
        refused = ConnectionRefused(refusal.reason, text=refusal.text, token_prefix=prefix)
        self.refusals.add(
            refused,
            address=agent.connection.address,
            transport=Transport.WEBSOCKET.value,
            user_agent="",
            at=now(),
        )

    async def _turn_away(self, agent: HeldAgent, answer: Callable[[bytes], ServerToAgent]) -> None:
        """Answer everything that waited with an error; the next message tries again."""
        if agent.connection.agents.get(agent.uid) is agent:
            del agent.connection.agents[agent.uid]
        while agent.waiting:
            message = agent.waiting.popleft()
            await self._reply(agent.connection, answer(message.instance_uid))

    async def _handle(self, agent: HeldAgent, message: AgentToServer) -> None:
        """One message of an admitted agent: no database, exactly one reply."""
        assert agent.session is not None
        if self.buffer.is_full:
            self.counters.unavailable_answers += 1
            answer = unavailable(message.instance_uid, self.options.retry_after_s)
            await self._reply(agent.connection, answer)
            return
        try:
            outcome = agent.session.receive(message, now())
        except Exception:
            logger.exception("A message of %s could not be processed.", agent.uid)
            self._end_session(agent)
            await self._reply(agent.connection, bad_request(message.instance_uid, _FAILED))
            return
        self.counters.kinds[outcome.kind] += 1
        if outcome.patch is not None:
            self.buffer.submit(outcome.patch, force=True)
        if outcome.close is not None:
            self._end_session(agent)
        await self._reply(agent.connection, outcome.reply)
        if outcome.offer_due:
            self.intent.want_offer(agent)

    def _end_session(self, agent: HeldAgent) -> None:
        """Forget the session: the agent's next message is admitted anew, and a gap asks for its full state."""
        self.registry.drop(agent)
        if agent.connection.agents.get(agent.uid) is agent:
            del agent.connection.agents[agent.uid]

    async def _reply(self, connection: Connection, answer: ServerToAgent) -> None:
        if not await connection.deliver(encode_frame(answer)):
            self.counters.lost_sends += 1

    def new_session(self, snapshot: AgentSnapshot) -> AgentSession:
        """A session for what is known of an agent."""
        if snapshot.components_hash and not snapshot.lacks_components:
            self._stored_components.add(snapshot.components_hash)
        return AgentSession(
            snapshot, self.options.protocol, stored_components=self._stored_components
        )

    def record_patches(self, patches: Sequence[AgentPatch]) -> None:
        """On a thread: store patches, and remember whose component trees are stored by now (C4)."""
        self.domain.record_patches(patches)
        for patch in patches:
            if isinstance(patch.components, Components) and patch.components.tree is not None:
                self._stored_components.add(patch.components.hash)

    def _rejected(self, patch: AgentPatch, error: Exception) -> None:
        """A report that can never be stored: say so, and begin the agent's session anew."""
        logger.error("A report of %s could not be stored.", patch.instance_uid, exc_info=error)
        agent = self.registry.get(patch.instance_uid)
        if agent is not None and agent.epoch == patch.epoch:
            self._end_session(agent)

    # ── threads and tasks ──

    @admission
    async def run_admission(self, work: Callable[..., Result], *args: Any, **named: Any) -> Result:
        """Run blocking work on the pool that lets agents in; it counts as waiting."""
        self._admitting += 1
        try:
            return await self._on_thread(self._admissions, work, *args, **named)
        finally:
            self._admitting -= 1

    def numbers(self) -> Numbers:
        """What this process counts and holds. Any thread."""
        held = {"connections": self.registry.connection_count, "agents": len(self.registry)}
        waits = {"waiting": self.waiting, **self.buffer.levels()} if self._started else {}
        return numbers_of(self.counters, {**held, **waits}, self.refusals.by_reason)

    async def _verify(self, secret: str) -> Credential:
        return await self._on_thread(self._admissions, self.domain.verify_token, secret, now=now())

    @staticmethod
    async def _on_thread(
        pool: ThreadPoolExecutor, work: Callable[..., Result], *args: Any, **named: Any
    ) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, partial(work, *args, **named))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _flush_refusals(self) -> None:
        while True:
            await asyncio.sleep(self.options.refusals_s)
            if refusals := self.refusals.take():
                try:
                    await self._on_thread(self._control, self.domain.record_refusals, refusals)
                except Exception:
                    logger.warning("Refused attempts were not stored.", exc_info=True)
