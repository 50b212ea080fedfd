"""Simulated agents on real sockets: connects them, wakes them, takes what arrives, and measures."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import Any, Final

from google.protobuf.message import DecodeError

from opamp.proto.opamp_pb2 import ServerErrorResponseType, ServerToAgent
from opamp.simulator import applying, strangers, websocket
from opamp.simulator.agent import FULL_STATE, SimulatedAgent
from opamp.simulator.behaviour import Quirk
from opamp.simulator.journal import Journal
from opamp.simulator.links import Link
from opamp.simulator.measures import Measures
from opamp.simulator.member import Member, http_url
from opamp.simulator.plan import Part, Plan, backoff, parts
from opamp.simulator.polling import PollingLink
from opamp.simulator.report import Message, Truth
from opamp.simulator.schedule import Schedule

_TICK_S: Final = 0.005
_WAIT_S: Final = 0.01
_CPU_EVERY_S: Final = 1.0
_AT_ONCE_AGAIN_S: Final = 0.01
_PUSHED: Final = ("remote_config", "connection_settings", "command")
"""What the server sends by itself over a WebSocket; everything else is an answer."""
_BACK_TO_BACK_S: Final = 1.0
"""A connection that lived shorter than this counts as a failed try."""


class Fleet:
    """Holds the agents of a plan. Everything happens on the loop that start() is called on.

    journal: where everything that agents say is written down, for comparison with what a server believes.
    """

    def __init__(self, plan: Plan, *, journal: Journal | None = None) -> None:
        self.plan = plan
        self.measures = Measures()
        self.members: list[Member] = []
        self._journal = journal
        self._schedule = Schedule()
        self._rng = random.Random(f"network {plan.seed}")
        self._offset = time.time() - time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._handshakes = asyncio.Semaphore(plan.at_once)
        self._is_ending = False
        self._ticker: asyncio.TimerHandle | None = None
        self._started_at = 0.0
        self._cpu_s = 0.0
        self._ended_cpu_s: float | None = None
        self._cpu_seen = (0.0, 0.0)

    # ---- what callers do

    async def start(self) -> None:
        """Make the agents and begin to connect them; answers at once."""
        self._started_at = self.now()
        self._cpu_s = time.thread_time()
        self._cpu_seen = (self._started_at, self._cpu_s)
        self._schedule.at(self._started_at + _CPU_EVERY_S, self._look_at_cpu)
        if self.plan.storm_every_s:
            self._schedule.at(self._started_at + self.plan.storm_every_s, self._storm)
        self._tick(asyncio.get_running_loop().time())
        pace = 1 / self.plan.ramp_per_s if self.plan.ramp_per_s else 0.0
        for part in parts(self.plan):
            self._add(part, self._started_at + part.number * pace)
            if part.number % 500 == 499:
                await asyncio.sleep(0)

    def add(self, agent: SimulatedAgent, token: str, *, over_http: bool = False) -> Member:
        """One more agent, connected at once. Call it on the fleet's loop."""
        part = Part(len(self.members), agent, token, over_http)
        return self._add(part, self.now())

    async def stop(self, *, gracefully: bool = True, within_s: float = 10.0) -> None:
        """End all connections, with goodbyes or by cutting them, and wait until they are gone."""
        self._is_ending = True
        for member in self.members:
            self.disconnect(member, gracefully=gracefully)
        await wait_until(lambda: not any(one.link for one in self.members), within_s=within_s)
        self._ended_cpu_s = time.thread_time()
        if self._ticker is not None:
            self._ticker.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def disconnect(self, member: Member, *, gracefully: bool = True) -> None:
        """Take one agent off the network until reconnect()."""
        member.stays_away = True
        link = member.link
        if link is None:
            return
        if not gracefully:
            link.cut()
            return
        self._say(member, member.agent.farewell(self.now(), goes_silently=member.over_http))
        link.close()

    def reconnect(self, member: Member) -> None:
        """Let an agent connect again, at once."""
        member.stays_away = False
        self._dial(member, self.now())

    def cut(self, count: int) -> int:
        """Cut so many connections at once, as a failing network does; answers how many there were to cut."""
        open_ones = [member for member in self.members if member.link is not None]
        chosen = self._rng.sample(open_ones, min(count, len(open_ones)))
        for member in chosen:
            if member.link is not None:
                member.link.cut()
        return len(chosen)

    def fall_ill(self, member: Member, error: str) -> None:
        """The agent's exporters fail with `error`, or work again with ""."""
        self._say(member, member.agent.fall_ill(error, self.now()))

    def describe(self, member: Member, attributes: Mapping[str, str]) -> None:
        """The agent's host has other attributes from now on."""
        self._say(member, member.agent.describe(attributes, self.now()))

    def upgrade(self, member: Member, version: str) -> None:
        """The agent's collector is another build from now on."""
        self._say(member, member.agent.upgrade(version, self.now()))

    def mark(self) -> None:
        """Count the latency of offers from now on."""
        self.measures.mark = self.now()

    @property
    def connected(self) -> int:
        """How many agents have a connection, or over plain HTTP had their last message taken."""
        return sum(one.link is not None and one.link.is_accepted for one in self.members)

    def truths(self) -> Iterator[Truth]:
        """What is so on each agent, whatever the server believes."""
        return (member.agent.truth() for member in self.members)

    def now(self) -> float:
        """Unix time that never jumps."""
        return time.monotonic() + self._offset

    def result(self) -> dict[str, Any]:
        """What was measured, as JSON can hold it."""
        measures = self.measures
        reason = measures.limit()
        cpu_s = (self._ended_cpu_s or time.thread_time()) - self._cpu_s
        return {
            "agents": len(self.members),
            "connected": self.connected,
            "seconds": round(self.now() - self._started_at, 3),
            "connect": measures.connects.summary(),
            "heartbeat": measures.heartbeats.summary(),
            "messages_sent": sum(measures.messages.values()),
            "messages_received": measures.received,
            "offers": {name: count.summary() for name, count in measures.offers.items()},
            "repeated_offers": sum(truth.repeated_offers for truth in self.truths()),
            "errors": dict(measures.errors.most_common()),
            "cpu_s": round(cpu_s, 3),
            "busiest_core_share": round(measures.busiest, 3),
            "loop_lag": measures.lags.summary(),
            "limited_by_simulator": bool(reason),
            **({"limited_because": reason} if reason else {}),
        }

    # ---- what links report (links.Listener)

    def opened(self, member: Member, link: Link) -> None:
        """The server took the connection: the agent says who it is."""
        now = self.now()
        self.measures.connects.add(now - member.asked_at)
        member.link = link
        member.asked_at = now
        member.answered = member.agent.number
        member.is_unheard = True
        self._note("connected", member, now, url=member.url, after=member.answered)
        self._say(member, member.agent.connected(now))

    def heard(self, member: Member, data: bytes) -> None:
        """A message with something in it."""
        now = self.now()
        self._count_answer(member, now)
        try:
            reply = ServerToAgent.FromString(data)
        except DecodeError:
            self.trouble("undecodable answer")
            return
        if member.over_http or not any(map(reply.HasField, _PUSHED)):
            self._take_answer(member)
        if reply.HasField("error_response"):
            word = ServerErrorResponseType.Name(reply.error_response.type).split("_")[-1]
            self.trouble(word)
            self._note("refused", member, now, seq=member.answered, why=word)
        if reply.HasField("remote_config"):
            offered = reply.remote_config.config_hash.hex()
            self.measures.offered(offered, now)
            self._note("offered", member, now, hash=offered)
        if member.over_http and reply.flags & FULL_STATE:
            member.owes_full_state, reply.flags = True, reply.flags & ~FULL_STATE
        self._say(member, member.agent.receive(reply, now))
        self._pay(member, now)

    def heard_bare(self, member: Member) -> None:
        """An answer to a message, and nothing else."""
        self._take_answer(member)
        self._count_answer(member, self.now())
        self._pay(member, self.now())

    def closed(self, member: Member, why: str) -> None:
        """The connection is over: clients come back at once, and slower when that goes on."""
        now = self.now()
        member.link = None
        member.beat_at = 0.0
        member.agent.lost()
        self._note("disconnected", member, now, answered=member.answered)
        if why:
            self.trouble(why)
        self._roam(member)
        lived_s = now - member.asked_at
        member.tries = 0 if lived_s > _BACK_TO_BACK_S else member.tries + 1
        again_s = _AT_ONCE_AGAIN_S * self._rng.random()
        if member.tries > 1:
            again_s = backoff(member.tries, self._rng, most_s=self.plan.backoff_max_s)
        self._dial(member, now + again_s)

    def failed(self, member: Member, why: str, retry_after_s: float) -> None:
        """A try to connect failed: again after the backoff, or when the server wishes, if that is later."""
        self.trouble(why)
        self._roam(member)
        member.tries += 1
        wait = backoff(member.tries, self._rng, most_s=self.plan.backoff_max_s)
        self._dial(member, self.now() + max(wait, retry_after_s))

    def broke(self, member: Member, why: str) -> None:
        """Those that poll go on where the load balancer sends them, with the message that was not answered."""
        self.trouble(why)
        self._roam(member)

    def trouble(self, why: str) -> None:
        """Count a kind of error."""
        self.measures.errors[why] += 1

    # ---- inside

    def _add(self, part: Part, when: float) -> Member:
        member = Member(part, self.plan.url)
        self.members.append(member)
        self._roam(member)
        self._dial(member, when)
        return member

    def _roam(self, member: Member) -> None:
        """A load balancer gives the next connection to any process."""
        plan = self.plan
        if member.over_http and plan.polled:
            member.url = http_url(self._rng.choice(plan.polled))
        elif plan.others and not member.over_http:
            member.url = self._rng.choice((plan.url, *plan.others))

    def _dial(self, member: Member, when: float) -> None:
        if not self._is_ending:
            self._schedule.at(when, partial(self._connect, member))

    def _connect(self, member: Member, _now: float) -> None:
        if member.link is None and not member.stays_away and not self._is_ending:
            self._run(self._connecting(member))

    async def _connecting(self, member: Member) -> None:
        quirk = member.agent.behaviour.quirk
        if quirk.needs_no_agent:
            pause = self.plan.trickle_s if quirk is Quirk.TRICKLE else 0.0
            await strangers.linger(self, member, between_bytes_s=pause)
        elif member.over_http:
            member.asked_at = self.now()
            await PollingLink(self, member, backoff_max_s=self.plan.backoff_max_s).run()
        else:
            async with self._handshakes:
                member.asked_at = self.now()
                await websocket.connect(self, member)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _pay(self, member: Member, now: float) -> None:
        """Over plain HTTP a client makes a message when the one before was answered: however often the full state was
        asked for meanwhile, it is told once, as it is then.
        """
        if member.owes_full_state and member.link is not None and not member.link.is_behind:
            member.owes_full_state = False
            self._say(member, member.agent.receive(ServerToAgent(flags=FULL_STATE), now))

    def _say(self, member: Member, messages: list[Message]) -> None:
        link = member.link
        if link is not None:
            for message in messages:
                link.send(message.frame)
                self._count(member, message)
            if member.agent.destination is not None:
                member.go_to(member.agent.destination)
                link.close()
        due = member.agent.due
        if due < member.armed:
            member.armed = due
            self._schedule.at(due, partial(self._wake, member, due))

    def _wake(self, member: Member, armed: float, now: float) -> None:
        """A plan that was overtaken by an earlier one is void."""
        if member.armed != armed:
            return
        member.armed = float("inf")
        if member.link is not None and member.link.is_behind:
            member.agent.skip_heartbeat(now)
        messages = member.agent.wake(now)
        if len(messages) == 1 and messages[0].kind == "heartbeat":
            member.beat_at = now
        self._say(member, messages)

    def _count(self, member: Member, message: Message) -> None:
        self.measures.messages[message.kind] += 1
        told = (message.hash, message.status)
        if message.status in (applying.APPLIED, applying.FAILED) and told != member.told:
            member.told = told
            is_applied = message.status == applying.APPLIED
            self.measures.answered(message.hash, is_applied=is_applied, now=self.now())
        if self._journal is not None:
            self._journal.said(message, self.now())

    def _take_answer(self, member: Member) -> None:
        member.answered += 1
        if member.is_unheard:
            member.is_unheard = False
            self._note("heard", member, self.now(), upto=member.agent.number)

    def _count_answer(self, member: Member, now: float) -> None:
        self.measures.received += 1
        if member.beat_at:
            self.measures.heartbeats.add(now - member.beat_at)
            member.beat_at = 0.0

    def _note(self, kind: str, member: Member, now: float, **more: object) -> None:
        if self._journal is not None:
            self._journal.happened(kind, member.agent.uid, now, **more)

    def _tick(self, planned: float) -> None:
        loop = asyncio.get_running_loop()
        self.measures.lags.add(max(0.0, loop.time() - planned))
        for task in self._schedule.due(self.now()):
            task(self.now())
        following = loop.time() + _TICK_S
        self._ticker = loop.call_at(following, self._tick, following)

    def _look_at_cpu(self, now: float) -> None:
        before, used = self._cpu_seen
        self._cpu_seen = (now, time.thread_time())
        share = (self._cpu_seen[1] - used) / max(now - before, 1e-9)
        self.measures.busiest = max(self.measures.busiest, share)
        self._schedule.at(now + _CPU_EVERY_S, self._look_at_cpu)

    def _storm(self, now: float) -> None:
        self.cut(self.plan.storm_size)
        self._schedule.at(now + self.plan.storm_every_s, self._storm)


async def wait_until(holds: Callable[[], bool], *, within_s: float) -> bool:
    """Look again and again until something holds; answers whether it did in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_WAIT_S)
    return True
