"""The one word for an agent, derived from facts (decision 16), and whether it counts as connected (17).

Pure: no Django, no I/O, no clock. The words are those of agents.models.Status.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from agents.snapshot import ComponentHealth, ConfigStatus, Transport, may_take_config

SILENT_INTERVALS = 3
"""Nothing heard for so many heartbeat or poll intervals: disconnected (decision 17)."""

SHUTDOWN_ERROR = "Supervisor is shutdown"
"""last_error of a supervisor's last health. Over plain HTTP it is the only farewell there is."""


class Word(StrEnum):
    """The words, in the order in which the first that fits is taken."""

    STALE = "stale"
    DISCONNECTED = "disconnected"
    UNMANAGED = "unmanaged"
    APPLYING = "applying"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    PENDING = "pending"
    DRIFTED = "drifted"
    IN_SYNC = "in_sync"


CUT_OFF: Final = frozenset({Word.DISCONNECTED, Word.STALE})
"""The words of agents that cannot be reached. They come before every other word."""
UNKNOWN_HEALTH: Final = "unknown"


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """What the word depends on.

    capabilities: AgentCapabilities bits, 0 while unknown · attempt_failed: the desired hash failed here and is
    quarantined · drifted: the effective configuration differs from the intended one · stale_after: how long
    unseen until an agent that is not connected counts as stale.
    """

    connected: bool
    last_seen_at: datetime | None
    capabilities: int
    is_managed: bool
    desired_hash: str
    attempt_failed: bool
    remote_config_status: ConfigStatus
    remote_config_hash: str
    drifted: bool = False
    stale_after: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Derived:
    """status: the word. config_status: the same without connectivity, so that a failure stays visible offline."""

    status: Word
    config_status: Word


def derive(facts: StatusFacts, now: datetime) -> Derived:
    """The words for these facts at `now`."""
    config = _config_word(facts)
    if facts.connected:
        return Derived(config, config)
    seen = facts.last_seen_at
    is_stale = seen is not None and now - seen >= facts.stale_after
    return Derived(Word.STALE if is_stale else Word.DISCONNECTED, config)


def _config_word(facts: StatusFacts) -> Word:
    if not accepts_config(facts):
        return Word.UNMANAGED
    names_desired = facts.remote_config_hash == facts.desired_hash
    status = facts.remote_config_status
    has_failed = facts.attempt_failed or (names_desired and status is ConfigStatus.FAILED)
    if names_desired and status is ConfigStatus.APPLYING and not facts.attempt_failed:
        return Word.APPLYING
    if has_failed:
        went_back = not names_desired and status is ConfigStatus.APPLIED
        return Word.ROLLED_BACK if went_back else Word.FAILED
    if not names_desired or status is not ConfigStatus.APPLIED:
        return Word.PENDING
    return Word.DRIFTED if facts.drifted else Word.IN_SYNC


def accepts_config(facts: StatusFacts) -> bool:
    """Whether there is something to offer and the agent takes it (unknown capabilities count as yes)."""
    takes = may_take_config(facts.capabilities)
    return bool(facts.is_managed and facts.desired_hash and takes)


def health_now(health: str, status: str) -> str:
    """The health that counts (decision 16): what an agent said before it was cut off is not how it is now.

    health: a word of agents.models.Health, as stored: what it said last · status: the word derived for it.
    """
    return UNKNOWN_HEALTH if status in CUT_OFF else health


def silence_allowed(
    transport: Transport, interval: timedelta, *, flush_lag: timedelta = timedelta()
) -> timedelta:
    """How long an agent may be unheard and still count as connected.

    flush_lag: heartbeats over a WebSocket are stored late; plain HTTP writes through.
    """
    allowed = SILENT_INTERVALS * interval
    return allowed + flush_lag if transport is Transport.WEBSOCKET else allowed


def says_goodbye(health: ComponentHealth, transport: Transport) -> bool:
    """Whether this health ends a plain-HTTP agent's connection, since it sends no AgentDisconnect."""
    return transport is Transport.HTTP and tells_shutdown(health)


def tells_shutdown(health: ComponentHealth) -> bool:
    """Whether this is a supervisor's last health: it was stopped in order, which is no illness."""
    return not health.healthy and health.last_error == SHUTDOWN_ERROR
