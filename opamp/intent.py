"""Following what agents should have: pokes, the reconcile loop, claims and offers.

Membership rows are the truth, pokes are hints; every few seconds one query compares what the agents here should have
with what their sessions know (I4). An offer is claimed in the database before it is sent, so it is never sent twice.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from agents.notify import GATEWAYS
from fleets.connection_offer import Held, SettingsClaim, SettingsOffer
from fleets.offer import Claim, Intent, Offer
from opamp.buffer import WriteBuffer
from opamp.commands import CommandSender
from opamp.loops import for_ever, pause
from opamp.metrics import Counters
from opamp.options import GatewayOptions
from opamp.ports import Domain
from opamp.proto.opamp_pb2 import ServerToAgent
from opamp.protocol.framing import encode_frame
from opamp.protocol.session import AgentSession
from opamp.registry import POLICY_VIOLATION, Connection, HeldAgent, Registry
from opamp.turns import some_at_a_time
from telflo.base.clock import now
from telflo.base.outage import Outage
from telflo.base.tracing import traced

logger = logging.getLogger(__name__)

OnThread = Callable[..., Awaitable[Any]]

_LAYER_S: Final = 2.0
"""So long the layer is waited for; below it nothing ends."""
_REVOKED: Final = "The token is revoked."


class Layer(Protocol):
    """The part of a channel layer that a listener uses."""

    async def new_channel(self) -> str:
        """A channel of this process."""

    async def group_add(self, group: str, channel: str) -> None:
        """Join, or stay in, a group."""

    async def group_discard(self, group: str, channel: str) -> None:
        """Leave a group."""

    async def receive(self, channel: str) -> dict[str, Any]:
        """The next message on the channel."""


class IntentWatcher:
    """One per gateway: sees to it that every agent held here is offered what it should have."""

    def __init__(
        self,
        *,
        domain: Domain,
        registry: Registry,
        buffer: WriteBuffer,
        options: GatewayOptions,
        counters: Counters,
        layer: Layer,
        on_thread: OnThread,
        forget_tokens: Callable[[], None],
        compare_sessions: Callable[[Mapping[UUID, tuple[int, bool]]], None],
    ) -> None:
        self._domain = domain
        self._registry = registry
        self._buffer = buffer
        self._options = options
        self._counters = counters
        self._layer = layer
        self._on_thread = on_thread
        self._forget_tokens = forget_tokens
        self._compare_sessions = compare_sessions
        self._commands = CommandSender(domain, registry, on_thread, self.spawn)
        self._channel = ""
        self._hints = Outage(logger, "Hints do not reach this process; it looks by itself.")
        self._poked: set[UUID] = set()
        self._looking = asyncio.Event()
        self._wanted: dict[UUID, HeldAgent] = {}
        self._claiming = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unsent: dict[UUID, Claim] = {}
        self._unsent_settings: dict[UUID, SettingsClaim] = {}
        self._giving_back = asyncio.Lock()

    def start(self) -> None:
        """Begin listening, comparing and claiming on the running loop."""
        for loop in (self._listen, self._compare, self._claim_wanted):
            self.spawn(for_ever(loop, self._counters, self._domain.is_temporary))

    async def stop(self) -> None:
        """End every task; leave the group, as far as the layer answers: what agents said is stored behind this."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._channel:
            try:
                async with asyncio.timeout(_LAYER_S):
                    await self._layer.group_discard(GATEWAYS, self._channel)
            except Exception:
                logger.debug("Leaving the group failed.", exc_info=True)

    def want_offer(self, agent: HeldAgent) -> None:
        """Claim an offer for this agent soon, together with others."""
        self._wanted[agent.uid] = agent
        self._claiming.set()

    def look_at_credential(self, connection: Connection) -> None:
        """Close a connection soon if its token is revoked, which was told before it was held (S8). Where nobody can say
        now, the next look at all connections does.
        """
        self.spawn(self._look_at_credential(connection))

    async def _look_at_credential(self, connection: Connection) -> None:
        with suppress(Exception):
            token = connection.credential.id
            if token and await self._on_thread(self._domain.revoked_among, {token}):
                await connection.close(POLICY_VIOLATION, _REVOKED)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside everything else until stop()."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ── hints ──

    async def _listen(self) -> None:
        if not self._channel:
            # By the prefix that pages have: beside a channel with another one, who waits for theirs hears nothing.
            self._channel = await self._layer.new_channel()
        await self._join_again()
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except Exception as error:  # noqa: BLE001 - no fault of ours: Redis is away
                self._hints.failed(error)
                break
            self._hear(message)
        await pause()

    def _hear(self, message: Mapping[str, Any]) -> None:
        self._counters.poked(message)
        reason = str(message.get("reason", ""))
        uids = (UUID(hex=text) for text in message.get("uids", ()))
        agents = self._registry.held(uids)
        if message.get("type") == "close_tokens":
            self._close_tokens({UUID(hex=text) for text in message.get("tokens", ())}, reason)
        elif message.get("type") == "close_agents":
            self._forget_tokens()
            self._close({agent.connection for agent in agents}, reason)
        elif agents:
            for agent in agents:
                agent.declined_hash = ""
                self._poked.add(agent.uid)
            self._looking.set()

    def _close_tokens(self, tokens: Collection[UUID], reason: str) -> None:
        """S8: whoever uses these tokens is refused from now on, and cut off."""
        self._forget_tokens()
        self._close([c for c in self._registry.connections if c.credential.id in tokens], reason)

    def _close(self, connections: Iterable[Connection], reason: str) -> None:
        for connection in connections:
            self.spawn(connection.close(POLICY_VIOLATION, reason or _REVOKED))

    # ── comparing ──

    async def _compare(self) -> None:
        """One round: what was poked as soon as it is, everything every reconcile_s with jitter."""
        loop = asyncio.get_running_loop()
        delay_s = self._options.reconcile_s * random.uniform(0.8, 1.2)  # noqa: S311
        until_s = loop.time() + delay_s
        while loop.time() < until_s and await self._is_poked(until_s - loop.time()):
            self._looking.clear()
            poked, self._poked = self._poked, set()
            await self._look_again(poked)
            await self._commands.look(poked)
        with self._counters.reconciling():
            await self._reconcile()

    async def _is_poked(self, within_s: float) -> bool:
        """Only the waiting is cut short: what was claimed meanwhile would be lost."""
        try:
            async with asyncio.timeout(within_s):
                return await self._looking.wait()
        except TimeoutError:
            return False

    async def _reconcile(self) -> None:
        await self._join_again()
        await self._give_back()
        if agents := self._registry.agents():
            await self._take_intents(agents, await self._on_thread(self._domain.intents, None))
            await self._commands.look(self._registry.uids())
            self._compare_sessions(await self._on_thread(self._domain.sessions, None))
        held = self._registry.credential_ids()
        if not held:
            return
        revoked = set(await self._on_thread(self._domain.revoked_among, held))
        if revoked:
            self._close_tokens(revoked, _REVOKED)

    async def _join_again(self) -> None:
        """Layers forget members after a day, a new Redis all; where one is away, or hangs, this loop finds changes."""
        try:
            async with asyncio.timeout(_LAYER_S):
                await self._layer.group_add(GATEWAYS, self._channel)
        except Exception as error:  # noqa: BLE001 - logged there
            self._hints.failed(error)
        else:
            self._hints.works()

    async def _look_again(self, uids: Collection[UUID]) -> None:
        if not uids:
            return
        intents = await self._on_thread(self._domain.intents, uids)
        await self._take_intents(self._registry.held(iter(uids)), intents)

    async def _take_intents(
        self, agents: Sequence[HeldAgent], intents: Mapping[UUID, Intent]
    ) -> None:
        nothing, moment_s = Intent(), asyncio.get_running_loop().time()
        await some_at_a_time(
            agents,
            lambda agent: self._take_intent(agent, intents.get(agent.uid, nothing), moment_s),
        )

    def _take_intent(self, agent: HeldAgent, intent: Intent, moment_s: float) -> None:
        if agent.session is None:
            return
        is_new = agent.declined_hash != intent.config or agent.declined_until_s <= moment_s
        is_config_due = agent.session.set_desired(intent.config) and is_new
        if agent.session.set_settings(intent.settings) or is_config_due:
            self.want_offer(agent)

    # ── claiming and offering ──

    async def _claim_wanted(self) -> None:
        await self._claiming.wait()
        self._claiming.clear()
        while self._wanted:
            batch = dict(list(self._wanted.items())[: self._options.claim_rows])
            for uid in batch:
                del self._wanted[uid]
            try:
                await self._claim(batch)
            except Exception:
                # They keep wanting: the next reconcile finds them.
                logger.warning("Claiming offers failed; reconcile tries again.", exc_info=True)

    @traced("opamp.claim")
    async def _claim(self, batch: Mapping[UUID, HeldAgent]) -> None:
        """Write down for the whole batch what is offered, then send what was granted."""
        agents = {uid: agent for uid, agent in batch.items() if self._registry.get(uid) is agent}
        if not agents:
            return
        await self._buffer.flush_agents(agents)
        await self._give_back()
        epochs = {uid: agent.epoch for uid, agent in agents.items()}
        offers = await self._claim_offers(agents, epochs)
        moment = now()
        settings = await self._claim_settings(agents, epochs, moment)
        for uid, agent in agents.items():
            offer, connection = offers.get(uid), settings.get(uid)
            config = self._config_message(agent, offer, moment)
            if config is None:
                self._declined(agent)
                if offer is not None:
                    self._unsent[uid] = Claim(epochs[uid], offer.hash)
            ways = self._settings_message(agent, connection)
            if ways is None and connection is not None:
                self._unsent_settings[uid] = SettingsClaim(epochs[uid], moment)
            self._send(agent, config, ways)
        await self._give_back()

    async def _claim_offers(
        self, agents: Mapping[UUID, HeldAgent], epochs: Mapping[UUID, int]
    ) -> Mapping[UUID, Offer]:
        try:
            offers: Mapping[UUID, Offer] = await self._on_thread(
                self._domain.claim_offers, epochs, now=now()
            )
        except Exception:
            # They may be written down all the same, and nobody will send them.
            for uid, agent in agents.items():
                if agent.session is not None and agent.session.lacks_desired:
                    self._unsent[uid] = Claim(epochs[uid], agent.session.desired_hash)
            raise
        return offers

    async def _give_back(self) -> None:
        """What was claimed, or may have been, and was not sent. What fails is tried at the next look.

        One at a time: nobody claims while it is under way, or it could take back what was sent meanwhile.
        """
        async with self._giving_back:
            offers, self._unsent = self._unsent, {}
            settings, self._unsent_settings = self._unsent_settings, {}
            try:
                if offers:
                    await self._on_thread(self._domain.give_back_offers, offers, now=now())
                    offers = {}
                if settings:
                    await self._on_thread(self._domain.give_back_settings, settings, now=now())
            except Exception:
                self._unsent = {**offers, **self._unsent}
                self._unsent_settings = {**settings, **self._unsent_settings}
                raise

    async def _claim_settings(
        self, agents: Mapping[UUID, HeldAgent], epochs: Mapping[UUID, int], moment: datetime
    ) -> Mapping[UUID, SettingsOffer]:
        asking = {
            uid: Held(epochs[uid], agent.session.offered_settings, agent.session.number)
            for uid, agent in agents.items()
            if agent.session is not None and agent.session.wants_settings
        }
        if not asking:
            return {}
        try:
            granted: Mapping[UUID, SettingsOffer] = await self._on_thread(
                self._domain.claim_settings, asking, now=moment
            )
        except Exception:
            # Offers of configurations that were claimed beside them are sent all the same. These may be written down,
            # and nobody will send them.
            claims = {uid: SettingsClaim(epochs[uid], moment) for uid in asking}
            self._unsent_settings.update(claims)
            logger.warning("Claiming settings failed; reconcile tries again.", exc_info=True)
            return {}
        for uid in asking.keys() - granted.keys():
            if (session := agents[uid].session) is not None:
                session.decline_settings()
        return granted

    def _declined(self, agent: HeldAgent) -> None:
        """Quarantined, in flight elsewhere or not to be sent: do not ask the database at every reconcile."""
        if agent.session is not None:
            agent.declined_hash = agent.session.desired_hash
            moment_s = asyncio.get_running_loop().time()
            agent.declined_until_s = moment_s + self._options.decline_s

    def _config_message(
        self, agent: HeldAgent, offer: Offer | None, moment: datetime
    ) -> ServerToAgent | None:
        """A claimed offer as a message, unless the session says that it must not be sent now."""
        if offer is None:
            return None
        return self._message(agent, lambda session: session.make_offer(offer, moment))

    def _settings_message(
        self, agent: HeldAgent, offer: SettingsOffer | None
    ) -> ServerToAgent | None:
        """The same for connection settings."""
        if offer is None:
            return None
        return self._message(agent, lambda session: session.make_settings_offer(offer))

    def _message(
        self, agent: HeldAgent, make: Callable[[AgentSession], ServerToAgent | None]
    ) -> ServerToAgent | None:
        message = None
        if agent.session is not None and self._registry.get(agent.uid) is agent:
            try:
                message = make(agent.session)
            except ValueError:
                logger.exception("An offer to %s must not exist.", agent.uid)
        if message is None:
            self._counters.offers_not_sent += 1
            logger.info("An offer to %s was claimed and may not be sent now.", agent.uid)
        return message

    def _send(self, agent: HeldAgent, *parts: ServerToAgent | None) -> None:
        """Send the parts as one message: a client that then connects anew has both."""
        found = [part for part in parts if part is not None]
        if not found:
            return
        message = found[0]
        for part in found[1:]:
            message.MergeFrom(part)
        self.spawn(self._deliver(agent, encode_frame(message)))

    async def _deliver(self, agent: HeldAgent, frame: bytes) -> None:
        if await agent.connection.deliver(frame):
            self._counters.offers_sent += 1
        else:
            self._counters.offers_not_sent += 1
