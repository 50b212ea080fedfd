"""The load: the simulator's fleet, sending as a measurement wants it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opamp.simulator.behaviour import Behaviour
from opamp.simulator.fleet import Fleet
from opamp.simulator.measures import Measures
from opamp.simulator.member import Member
from opamp.simulator.plan import Plan

_TICK_S = 0.002
_QUIET_S = 60.0
"""Between the heartbeats that agents send by themselves: they count as silent after 90 s."""


def plan(url: str, token: str, agents: int) -> Plan:
    """Agents that connect as fast as they can, say 8 kB at once, and apply what they are offered without a pause."""
    behaviour = Behaviour(heartbeat_s=_QUIET_S, apply_delay_s=0.0, whole_first_report=True)
    return Plan(url=url, tokens=[token], count=agents, ramp_per_s=0.0, behaviour=behaviour)


async def until(
    holds: Callable[[], bool], what: str, *, every_s: float = 0.005, within_s: float = 180.0
) -> None:
    """Return once it holds. Raises TimeoutError, which says what does not."""
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {within_s:.0f} s: {what}")
        await asyncio.sleep(every_s)


@dataclass(slots=True)
class Arrivals:
    """Offers that were only noted. last: Unix time."""

    count: int = 0
    last: float = 0.0


class Load(Fleet):
    """A fleet that can hold back answers to offers, send at a pace, and send as fast as it is answered."""

    def __init__(self, wanted: Plan) -> None:
        super().__init__(wanted)
        self._pumping: set[Member] = set()
        self._held: list[tuple[Member, bytes]] | None = None
        self._beaten = 0
        self.arrivals = Arrivals()

    def begin(self) -> None:
        """Measure from here on."""
        self.measures = Measures()

    @property
    def sent(self) -> int:
        """Messages since begin()."""
        return sum(self.measures.messages.values())

    # ── offers ──

    def hold_answers(self) -> None:
        """Only note offers from now on, so that delivering them is all that is measured."""
        self.arrivals, self._held = Arrivals(), []

    def release_answers(self) -> None:
        """Answer what was held back."""
        held, self._held = self._held or [], None
        for member, data in held:
            super().heard(member, data)

    def heard(self, member: Member, data: bytes) -> None:
        """See Fleet."""
        if self._held is None:
            super().heard(member, data)
        else:
            self._held.append((member, data))
            self.arrivals.count += 1
            self.arrivals.last = self.now()

    # ── heartbeats ──

    async def beat(self, per_s: float, seconds: float) -> None:
        """Heartbeats of all agents in turn, at this pace altogether; the next call goes on where this one stops."""
        begun, sent, members = time.monotonic(), 0, self.members
        while (elapsed_s := time.monotonic() - begun) < seconds:
            for _ in range(int(elapsed_s * per_s) - sent):
                self._beat(members[self._beaten % len(members)])
                sent, self._beaten = sent + 1, self._beaten + 1
            await asyncio.sleep(_TICK_S)

    async def pump(self, members: Sequence[Member], seconds: float) -> None:
        """Let each of these send its next heartbeat as soon as it has the answer to the last."""
        self._pumping = set(members)
        for member in members:
            self._beat(member)
        await asyncio.sleep(seconds)
        self._pumping = set()

    def heard_bare(self, member: Member) -> None:
        """See Fleet."""
        super().heard_bare(member)
        if member in self._pumping:
            self._beat(member)

    def _beat(self, member: Member) -> None:
        now = self.now()
        member.beat_at = now
        self._say(member, member.agent.say(now))
