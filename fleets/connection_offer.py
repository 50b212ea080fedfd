"""Connection settings for one agent, as values (S1-S4). Pure: the protocol core and the fleets' services share them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from functools import lru_cache
from typing import Final
from uuid import UUID

from agents.snapshot import Capability

DEFAULT_HEARTBEAT_S: Final = 30
"""What OpAMP clients use when no server says otherwise."""
MOST_UNUSED: Final = 3
"""So often a credential is offered to an agent that never comes back with it; then it is left alone."""
MOST_SCOUTS: Final = 3
"""So many agents are sent to an address and CA by which none came yet: released supervisors follow an offer untried
and have no way back but a restart. The others follow the first that arrives.
"""

FEWEST_BEATS: Final = 5
"""From so many messages on it can be told how often an agent is heard."""
_TOLERANCE: Final = 0.25


class Signal(StrEnum):
    """The kinds of own telemetry of a collector."""

    METRICS = "metrics"
    TRACES = "traces"
    LOGS = "logs"


CAPABILITIES: Final = {
    Signal.METRICS: int(Capability.REPORTS_OWN_METRICS),
    Signal.TRACES: int(Capability.REPORTS_OWN_TRACES),
    Signal.LOGS: int(Capability.REPORTS_OWN_LOGS),
}
TAKES_INTERVAL: Final = int(
    Capability.REPORTS_HEARTBEAT | Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS
)
"""Go clients take an interval when they report heartbeats, whether or not they accept OpAMP settings (S4)."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where own telemetry goes (OTLP over HTTP). No endpoint: this kind is switched off."""

    endpoint: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_pem: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SettingsOffer:
    """All that an agent is to have, always complete: a client builds its settings from one message alone.

    hash: lower-case hex over everything, also what is left out (S2), never empty · heartbeat_s: 0 for not set ·
    endpoint: where to connect, "" to stay; then secret (a bearer token) and heartbeat_s are set too ·
    ca_pem: the private CA of that endpoint, "" for the system's.
    """

    hash: str
    heartbeat_s: int = 0
    endpoint: str = ""
    secret: str = field(default="", repr=False)
    ca_pem: str = field(default="", repr=False)
    telemetry: Mapping[Signal, Destination] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """What a gateway says of an agent: its session's epoch, and the hash that it has as far as that session knows.

    number: of its last message; None: not known.
    """

    epoch: int
    offered: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class SettingsClaim:
    """What a session of an agent claimed, or may have: its epoch, and when. Another session's is another claim.

    The time names it, since only its answer tells the hash, and that may be lost.
    """

    epoch: int
    at: datetime


class Need(StrEnum):
    """Whether an agent is to change its credential."""

    NONE = auto()
    OWN = auto()
    SUCCESSOR = auto()


@dataclass(frozen=True, slots=True)
class FleetWish:
    """What a fleet wants. marks: signal -> an id that changes with its destination, so that no secret is hashed."""

    heartbeat_s: int | None = None
    own_credentials: bool = False
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """One agent, its credential, and what it was offered before.

    is_shared: it came by a fleet's enrolment token · is_misplaced: its own credential was offered for an earlier
    address or CA of this server, or a newer one did not arrive · successor: the token that replaces this one in its
    overlap · offered_credential: of the last offer · is_current: that offer was made in this session.
    """

    capabilities: int
    token: UUID | None = None
    is_shared: bool = False
    is_misplaced: bool = False
    successor: UUID | None = None
    offered_heartbeat_s: int = 0
    offered_telemetry: bool = False
    offered_credential: UUID | None = None
    is_current: bool = False
    unused_offers: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What an agent is to be offered. mark: the credential that counts; until one is minted, a word for it.

    It stands for endpoint and CA in the hash too: these are offered with a new credential only.
    """

    heartbeat_s: int
    signals: tuple[Signal, ...]
    switched_off: tuple[Signal, ...]
    need: Need
    mark: str
    marks: tuple[str, ...]

    @property
    def hash(self) -> str:
        """What tells this plan from others (S2)."""
        return self.hash_with(self.mark)

    def hash_with(self, mark: str) -> str:
        """The same for another credential."""
        return _hash(self.heartbeat_s, self.signals, self.marks, mark)


def plan_settings(wish: FleetWish, agent: AgentFacts, *, can_connect: bool) -> Plan | None:
    """What this agent should have by now, None for nothing. can_connect: it may be sent to this server's address.

    Each kind only with its capability (S1). What was set once is set back to the default, not forgotten: an offer with
    own telemetry names every kind that the agent has, those that are not set as switched off.
    """
    need = _need(wish, agent) if can_connect else Need.NONE
    able = tuple(signal for signal, bit in CAPABILITIES.items() if agent.capabilities & bit)
    signals = tuple(signal for signal in able if signal in wish.marks)
    is_ours = signals or agent.offered_telemetry
    switched_off = tuple(signal for signal in able if is_ours and signal not in signals)
    heartbeat_s = _heartbeat(wish, agent, need)
    if not (heartbeat_s or signals or switched_off or need is not Need.NONE):
        return None
    return Plan(
        heartbeat_s=heartbeat_s,
        signals=signals,
        switched_off=switched_off,
        need=need,
        mark=_mark(agent, need),
        marks=tuple(wish.marks[signal] for signal in signals),
    )


def _need(wish: FleetWish, agent: AgentFacts) -> Need:
    accepts = agent.capabilities & Capability.ACCEPTS_OPAMP_CONNECTION_SETTINGS
    if not accepts or (agent.unused_offers >= MOST_UNUSED and not agent.is_current):
        return Need.NONE
    if wish.own_credentials and (agent.is_shared or agent.is_misplaced):
        return Need.OWN
    return Need.SUCCESSOR if agent.successor else Need.NONE


def _heartbeat(wish: FleetWish, agent: AgentFacts, need: Need) -> int:
    if not agent.capabilities & TAKES_INTERVAL:
        return 0
    must_be_set = need is not Need.NONE or agent.offered_heartbeat_s
    return wish.heartbeat_s or (DEFAULT_HEARTBEAT_S if must_be_set else 0)


def _mark(agent: AgentFacts, need: Need) -> str:
    if need is Need.SUCCESSOR:
        return str(agent.successor)
    if need is Need.OWN:
        return str(agent.offered_credential) if _is_under_way(agent) else need.value
    is_in_use = agent.token is not None and agent.token == agent.offered_credential
    return str(agent.token) if is_in_use else ""


def _is_under_way(agent: AgentFacts) -> bool:
    return agent.is_current and agent.offered_credential not in {None, agent.token}


@lru_cache(maxsize=4096)
def _hash(
    heartbeat_s: int, signals: tuple[Signal, ...], marks: tuple[str, ...], credential: str
) -> str:
    parts = [
        str(heartbeat_s),
        credential,
        *(f"{s}={m}" for s, m in zip(signals, marks, strict=True)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def keeps_interval(heartbeat_s: int, *, messages: int, seconds: float) -> bool:
    """Whether an agent that sent so many messages in these seconds does so at the interval that it was offered.

    Other messages than heartbeats count too, so an agent with much to tell seems faster than it is.
    """
    if heartbeat_s <= 0 or messages < FEWEST_BEATS:
        return False
    return abs(seconds / messages - heartbeat_s) <= heartbeat_s * _TOLERANCE
