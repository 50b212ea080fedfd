"""One gateway per process: its life, its door, and what it is made of.

The first message of an agent touches the database (token, agent, desired state) on a small thread pool
(opamp/admission.py); after that the receive path never waits for it (I5, opamp/messages.py). What agents say goes into
the write buffer; what they should have is followed by opamp/intent.py. Servers without ASGI lifespan exist, so it
starts with the first connection.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from sys import intern
from typing import Any, Final, TypeVar

from agents.snapshot import AgentPatch, AgentSnapshot, Components, Transport
from opamp.admission import Admission
from opamp.allowances import Allowances
from opamp.aside import Aside
from opamp.auth import TokenVerifier, key_of
from opamp.buffer import WriteBuffer
from opamp.errors import AgentRefused, ConnectionRefused, Overloaded, TooMany
from opamp.identities import Identities
from opamp.intent import IntentWatcher, Layer
from opamp.loops import for_ever
from opamp.messages import Messages
from opamp.metrics import AWAY, STOPPING, Counters, numbers_of
from opamp.options import GatewayOptions
from opamp.polls import Polls
from opamp.ports import Credential, Domain
from opamp.protocol.session import AgentSession
from opamp.refusals import USER_AGENT_LENGTH, Refusals
from opamp.registry import Connection, HeldAgent, KnownTrees, Link, Registry
from opamp.unfinished import Unfinished
from opamp.watch import Watch
from telflo.base.clock import now
from telflo.base.measures import Numbers

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

SERVICE_RESTART: Final = 1012


class Gateway:
    """The connections of this process and what is done for them."""

    def __init__(
        self, domain: Domain, layer: Callable[[], Layer], options: GatewayOptions | None = None
    ) -> None:
        self.options = options or GatewayOptions()
        self.domain = domain
        self.registry = Registry()
        self.counters = Counters()
        self.allowances = Allowances(self.options, self.counters)
        self.aside = Aside(self.options, self.counters)
        self.unfinished = Unfinished(self.options.unfinished_bytes, self.counters)
        self.polls = Polls(self.options, self.counters)
        self.refusals = Refusals(self.options)
        self.verifier = TokenVerifier(self._verify, remember_s=self.options.remember_tokens_s)
        self.is_draining = False
        self._layer = layer
        self._stored_components = KnownTrees()
        self._started = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.identities = Identities(
            domain,
            self.registry,
            self.options,
            self.counters,
            send=self._send,
            leave=self._leave,
            on_thread=self._let_in,
            spawn=self._spawn,
        )

    # ── life ──

    def ensure_started(self) -> None:
        """Start on the running loop unless it has started already."""
        if self._started:
            return
        options = self.options
        self._admissions = ThreadPoolExecutor(options.threads, thread_name_prefix="opamp-admit")
        self._control = ThreadPoolExecutor(options.control_threads, "opamp-control")
        self.polls.start()
        self._make_storing()
        self._make_talking()
        self.buffer.start()
        self.intent.start()
        watch = Watch(self.registry, options, self.counters)
        for loop in (self._admission.run, watch.run):
            self._spawn(for_ever(loop, self.counters, self.domain.is_temporary))
        store = partial(self._on_thread, self._control, self.domain.record_refusals)
        self._spawn(self.refusals.keep_storing(store))
        self._started = True  # from now on other threads may ask what it counts

    def _make_storing(self) -> None:
        """What stands between here and the database: what agents say, and what they should have."""
        self.buffer = WriteBuffer(
            self.counters.flushing(self.record_patches),
            self.options.buffer,
            is_temporary=self.domain.is_temporary,
            on_rejected=self._rejected,
        )
        self.intent = IntentWatcher(
            domain=self.domain,
            registry=self.registry,
            buffer=self.buffer,
            options=self.options,
            counters=self.counters,
            layer=self._layer(),
            on_thread=partial(self._on_thread, self._control),
            forget_tokens=self.verifier.forget,
            compare_sessions=self.identities.compare,
        )

    def _make_talking(self) -> None:
        """What answers agents, those that are new and those that are known."""
        self._messages = Messages(
            registry=self.registry,
            buffer=self.buffer,
            aside=self.aside,
            allowances=self.allowances,
            options=self.options,
            counters=self.counters,
            identities=self.identities,
            check=self._check,
            admit=self._admit,
            want_offer=self.intent.want_offer,
        )
        self._admission = Admission(
            domain=self.domain,
            registry=self.registry,
            buffer=self.buffer,
            aside=self.aside,
            options=self.options,
            counters=self.counters,
            refused=self._refused,
            run=self._let_in,
            new_session=self.new_session,
            answer=self._messages.answer,
            answer_other=self._messages.receive_other,
            leave=self._leave,
            send=self._send,
            spawn=self._spawn,
        )

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
            connection.abort("The server stopped.")
            self.disconnected(connection, "The server stopped.")
        await self.intent.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.buffer.stop()
        finally:
            self.polls.stop()
            self._admissions.shutdown(wait=False, cancel_futures=True)
            self._control.shutdown(wait=False, cancel_futures=True)
            self._started = self.is_draining = False

    # ── letting in ──

    @property
    def waiting(self) -> int:
        """Handshakes, new agents and requests that wait for the database."""
        return self.verifier.waiting + self._admission.waiting + self.polls.open

    def check_capacity(self) -> None:
        """Raises Overloaded when nothing more should come in now (A3)."""
        self.ensure_started()
        if self.is_draining:
            raise self.put_off(STOPPING)
        if self.buffer.is_full:
            raise self.put_off("buffer")
        if self.waiting >= self.options.waiting:
            raise self.put_off("waiting")

    def put_off(self, cause: str) -> Overloaded:
        """Count that somebody is told to come back; answers the error that says so."""
        self.counters.put_off(cause)
        return Overloaded(self.options.retry_after())

    async def authenticate(self, secret: str, *, address: str) -> Credential:
        """Who holds the secret. Raises ConnectionRefused, TooMany, or Overloaded (also when the database
        cannot say). Secrets that were good here are looked up however many others the address sends.
        """
        self.check_capacity()
        key = key_of(secret)
        self.refusals.check_secret(key, address=address)
        if not self.verifier.was_good(secret):
            self.refusals.check_address(address)
        try:
            async with asyncio.timeout(self.options.verify_s):
                return await self.verifier.verify(secret)
        except ConnectionRefused as refusal:
            self.refusals.count_secret(refusal, key, address=address)
            raise
        except Exception as error:
            self.verifier.asking.failed(error)
            raise self.put_off(AWAY) from error

    def refused(
        self, refusal: ConnectionRefused, *, address: str, transport: str, user_agent: str
    ) -> None:
        """Count a refused attempt; it is stored a little later."""
        self.ensure_started()
        self.refusals.add(refusal, address=address, transport=transport, user_agent=user_agent)

    def check_connections(self, credential: Credential) -> None:
        """Raises TooMany when the credential has all the connections it may have (A5), Overloaded while draining and
        when as much of what came by it waits to be written as may.
        """
        if self.is_draining:
            raise self.put_off(STOPPING)
        if limit := self.buffer.refuses(credential.id):
            raise self.put_off(limit)
        most = self.options.connections_per_token
        if self.registry.held_by(credential.id) >= most:
            self.counters.hit("connections_per_token")
            raise TooMany(f"This token has {most} connections already.", self.options.retry_after())

    def connected(
        self, link: Link, *, credential: Credential, address: str, user_agent: str = ""
    ) -> Connection:
        """Take an accepted connection; call disconnected() at its end."""
        connection = Connection(
            link,
            credential=credential,
            address=address,
            user_agent=intern(user_agent[:USER_AGENT_LENGTH]),  # a fleet has few
            send_timeout_s=self.options.send_timeout_s,
            pace=self.options.pace(_now_s()),
        )
        self.registry.add_connection(connection)
        return connection

    def receive(self, connection: Connection, data: bytes) -> bytes | None:
        """The answer to one binary message, to be sent by the adapter; None when it follows by itself."""
        return self._messages.receive(connection, data)

    def disconnected(self, connection: Connection, reason: str) -> None:
        """The connection is over: its agents are disconnected, unless they are on a newer one."""
        connection.closed.set()
        self._messages.end_connection(connection, now(), connection.close_reason or reason)

    def _check(self, agent: HeldAgent) -> None:
        connection = agent.connection
        self.refusals.check_agent(
            agent.uid, credential=connection.credential, address=connection.address
        )

    def _refused(self, agent: HeldAgent, refusal: AgentRefused) -> None:
        connection = agent.connection
        self.refusals.add_agent(
            refusal,
            agent.uid,
            credential=connection.credential,
            address=connection.address,
            transport=Transport.WEBSOCKET.value,
            user_agent=connection.user_agent,
        )

    def _admit(self, agent: HeldAgent) -> None:
        self._admission.admit(agent)

    def _leave(self, agent: HeldAgent, reason: str) -> None:
        self._messages.leave(agent, now(), reason)

    async def _send(self, connection: Connection, frame: bytes) -> None:
        was_over = connection.is_aborted
        if not await connection.deliver(frame):
            self.counters.lost_sends += 1
            if connection.is_aborted and not was_over:
                self.counters.hit("send_timeout_s")

    # ── sessions and storing, for plain HTTP too ──

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
            self._messages.end_session(agent)

    # ── threads and tasks ──

    def numbers(self) -> Numbers:
        """What this process counts and holds. Any thread."""
        held = {"connections": self.registry.connection_count, "agents": len(self.registry)}
        waits = self._waits() if self._started else {}
        self.counters.limits["refusals_per_minute"] = self.refusals.turned_away
        self.counters.limits["refusal_log"] = self.refusals.log.dropped
        return numbers_of(self.counters, {**held, **waits}, self.refusals.log.by_reason)

    def _waits(self) -> dict[str, float]:
        return {
            "waiting": self.waiting,
            "waiting_bytes": self.aside.bytes,
            "unfinished_bytes": self.unfinished.bytes,
            **self.buffer.levels(),
        }

    async def _verify(self, secret: str) -> Credential:
        return await self._let_in(self.domain.verify_token, secret, now=now())

    async def _let_in(self, work: Callable[..., Result], *args: Any, **named: Any) -> Result:
        return await self._on_thread(self._admissions, work, *args, **named)

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


def _now_s() -> float:
    return asyncio.get_running_loop().time()
