"""PURE. What an agent says and what is true of it, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

DESCRIPTION: Final = "description"
HEALTH: Final = "health"
EFFECTIVE: Final = "effective"
STATUS: Final = "status"
HASH: Final = "components_hash"
MAP: Final = "components"
SETTINGS: Final = "settings"


class Message(NamedTuple):
    """One message. frame: the whole WebSocket message; the rest says what is in it, for the log.

    kind: which parts it has, joined by "+"; "heartbeat" for a bare one.
    hash and status: of the remote configuration, when it reports one; healthy None: it reports no health; settings: the
    hash of the connection settings that it reports as applied.
    """

    frame: bytes
    uid: UUID
    number: int
    kind: str
    hash: str = ""
    status: int = 0
    error: str = ""
    healthy: bool | None = None
    health: str = ""
    health_error: str = ""
    settings: str = ""


class Destination(NamedTuple):
    """Where an agent was told to connect from now on. Empty fields: as before."""

    endpoint: str
    authorization: str


class Settings(NamedTuple):
    """Connection settings that an agent holds. interval_s: 0 for none · telemetry: signal -> endpoint, "" for off.

    repeated: how often a hash came again with no other acknowledged in between; one that does not acknowledge counts
    what came again on the same connection. is_acknowledged: it reports the hash that it holds.
    """

    hash: str = ""
    interval_s: int = 0
    telemetry: Mapping[str, str] = MappingProxyType({})
    repeated: int = 0
    is_acknowledged: bool = False


NO_SETTINGS: Final = Settings()


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so on one agent, whatever the server believes.

    remote_hash, remote_status, remote_error: what it reports of its remote configuration (0 UNSET, 1 APPLIED,
    2 APPLYING, 3 FAILED).
    runs: the hash of the configuration that its collector runs; "" for none of the server's.
    health "": it says nothing of its health (a client that has just started).
    identifying, non_identifying: attributes of its description · components: the hash of those that its collector has.
    offered: every hash that arrived, in order. repeated_offers: how often one came again with no other acknowledged in
    between: a supervisor that went back by itself has acknowledged what it went back to.
    """

    uid: UUID
    name: str
    connected: bool
    number: int
    remote_hash: str
    remote_status: int
    remote_error: str
    runs: str
    effective_sha256: str
    healthy: bool
    health: str
    health_error: str
    offered: tuple[str, ...]
    repeated_offers: int = 0
    identifying: Mapping[str, str] = field(default_factory=dict)
    non_identifying: Mapping[str, str] = field(default_factory=dict)
    components: str = ""
    settings: Settings = NO_SETTINGS
