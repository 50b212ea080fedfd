"""PURE. What a run is to simulate, and the agents that follow from it and its seed."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from opamp.simulator import shapes
from opamp.simulator.agent import SimulatedAgent
from opamp.simulator.behaviour import Behaviour, Quirk
from opamp.simulator.hosts import Host, make_host, make_uid

_FLOOD_S: Final = 0.001
_FIRST_WAIT_S: Final = 0.5
_GROWTH: Final = 1.5


@dataclass(frozen=True, slots=True)
class Amount:
    """Some of the agents: a number of them, or a share of all."""

    count: int = 0
    share: float = 0.0

    def of(self, total: int) -> int:
        """How many of `total`."""
        return min(total, self.count or round(self.share * total))


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    url: ws:// or wss://, with the path of the endpoint. tokens: fleets, filled in turn.
    others: further addresses of the same installation: an agent that lost its connection goes on at any of them.
    acknowledging: how many report the status of connection settings, which real supervisors do not.
    polled: the addresses of those that poll, likewise; none: the first one alone.
    ramp_per_s: new connections a second; 0: all at once. at_once: unfinished handshakes at a time.
    quirks: how many agents misbehave in which way. http: how many poll over plain HTTP.
    storm_every_s, storm_size: so many connections are cut at once, again and again; 0: never.
    trickle_s: between two bytes of those that send one at a time.
    """

    url: str
    tokens: Sequence[str]
    count: int
    others: Sequence[str] = ()
    polled: Sequence[str] = ()
    seed: int = 1
    ramp_per_s: float = 500.0
    at_once: int = 256
    behaviour: Behaviour = field(default_factory=Behaviour)
    failing: Amount = Amount()
    ailing: Amount = Amount()
    acknowledging: Amount = Amount()
    ailment: str = "connection refused by backend.example:4317"
    http: Amount = Amount()
    quirks: Mapping[Quirk, Amount] = field(default_factory=dict)
    backoff_max_s: float = 30.0
    storm_every_s: float = 0.0
    storm_size: int = 0
    trickle_s: float = 60.0
    prefix: str = "host"
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Part:
    """One agent's part in a run. number counts from 0."""

    number: int
    agent: SimulatedAgent
    token: str
    over_http: bool


def parts(plan: Plan) -> Iterator[Part]:
    """All agents of a plan, the same for the same plan."""
    rng = random.Random(plan.seed)
    numbers = list(range(plan.count))
    failing = _drawn(rng, numbers, plan.failing)
    ailing = _drawn(rng, numbers, plan.ailing)
    acknowledging = _drawn(rng, numbers, plan.acknowledging)
    quirks = _quirks(rng, numbers, plan.quirks)
    http = _drawn(rng, [number for number in numbers if number not in quirks], plan.http)
    uid = make_uid(rng)
    is_twin = False
    for number in numbers:
        quirk = quirks.get(number, Quirk.NONE)
        behaviour = replace(
            plan.behaviour,
            fails=number in failing,
            capabilities=plan.behaviour.capabilities
            | (shapes.REPORTS_SETTINGS_STATUS if number in acknowledging else 0),
            ailment=plan.ailment if number in ailing else "",
            quirk=quirk,
            heartbeat_s=_FLOOD_S if quirk is Quirk.FLOOD else plan.behaviour.heartbeat_s,
        )
        own = make_uid(rng)
        if quirk is Quirk.CLONE:
            uid, is_twin = (uid if is_twin else own), not is_twin
            own = uid
        host = _host(plan, number, rng)
        agent = SimulatedAgent(own, host, behaviour, rng.getrandbits(64))
        yield Part(number, agent, plan.tokens[number % len(plan.tokens)], number in http)


def backoff(tries: int, rng: random.Random, *, most_s: float) -> float:
    """How long to wait before the next try, as real clients do: growing, give or take a half, capped."""
    wait = min(most_s, _FIRST_WAIT_S * _GROWTH ** min(tries, 40))
    return min(most_s, wait * rng.uniform(0.5, 1.5))


def _host(plan: Plan, number: int, rng: random.Random) -> Host:
    host = make_host(number, rng, prefix=plan.prefix)
    return replace(host, attributes={**host.attributes, **plan.attributes})


def _drawn(rng: random.Random, numbers: Sequence[int], amount: Amount) -> set[int]:
    return set(rng.sample(numbers, amount.of(len(numbers))))


def _quirks(
    rng: random.Random, numbers: Sequence[int], amounts: Mapping[Quirk, Amount]
) -> dict[int, Quirk]:
    """Each agent has at most one; shares are of all agents."""
    left = rng.sample(numbers, len(numbers))
    quirks: dict[int, Quirk] = {}
    for quirk, amount in amounts.items():
        for _ in range(min(len(left), amount.of(len(numbers)))):
            quirks[left.pop()] = quirk
    return quirks
