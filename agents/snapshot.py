"""What an agent said, as values: the seam between the protocol core and the store.

Pure: no Django, no I/O, no clock. Times are aware datetimes in UTC; hashes are lower-case hex ("" means none).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum, IntFlag, StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID


class Unset(Enum):
    """The type of UNSET: not mentioned, so unchanged (OpAMP status compression)."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET

Value = TypeVar("Value")

KEPT_MESSAGES: Final = 20
"""So many custom messages of an agent are kept, the last ones."""


class Transport(StrEnum):
    """How an agent speaks to the server."""

    WEBSOCKET = "ws"
    HTTP = "http"


class Capability(IntFlag):
    """AgentCapabilities bits (OpAMP proto, enum AgentCapabilities)."""

    REPORTS_STATUS = 0x0001
    ACCEPTS_REMOTE_CONFIG = 0x0002
    REPORTS_EFFECTIVE_CONFIG = 0x0004
    ACCEPTS_PACKAGES = 0x0008
    REPORTS_PACKAGE_STATUSES = 0x0010
    REPORTS_OWN_TRACES = 0x0020
    REPORTS_OWN_METRICS = 0x0040
    REPORTS_OWN_LOGS = 0x0080
    ACCEPTS_OPAMP_CONNECTION_SETTINGS = 0x0100
    ACCEPTS_OTHER_CONNECTION_SETTINGS = 0x0200
    ACCEPTS_RESTART_COMMAND = 0x0400
    REPORTS_HEALTH = 0x0800
    REPORTS_REMOTE_CONFIG = 0x1000
    REPORTS_HEARTBEAT = 0x2000
    REPORTS_AVAILABLE_COMPONENTS = 0x4000
    REPORTS_CONNECTION_SETTINGS_STATUS = 0x8000


def may_take_config(capabilities: int) -> bool:
    """Whether an agent takes remote configuration; one that has not told its capabilities (0) counts as such."""
    return not capabilities or bool(capabilities & Capability.ACCEPTS_REMOTE_CONFIG)


class ConfigStatus(IntEnum):
    """RemoteConfigStatuses of the OpAMP proto, same numbers."""

    UNSET = 0
    APPLIED = 1
    APPLYING = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class Description:
    """AgentDescription with its AnyValues as JSON values (bytes as {"bytes": base64})."""

    identifying: Mapping[str, Any] = field(default_factory=dict)
    non_identifying: Mapping[str, Any] = field(default_factory=dict)


STEPS: Final = frozenset({"StatusStarting", "StatusStopping", "StatusStopped"})
"""Statuses of a collector on its way up or down: neither well nor ill."""


@dataclass(slots=True)
class ComponentHealth:
    """One node of the health tree (OpAMP ComponentHealth). Nobody changes one; to freeze it costs thrice as much.

    report: the whole tree as an agent sent it, of its root alone; opamp.protocol.health reads and writes it.
    """

    healthy: bool
    status: str = ""
    last_error: str = ""
    started_at: datetime | None = None
    status_at: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    components: Mapping[str, "ComponentHealth"] = field(default_factory=dict)
    report: bytes = field(default=b"", compare=False, repr=False)

    @property
    def says_nothing(self) -> bool:
        """True for the empty health that a supervisor sends at every client start: unknown, not unhealthy."""
        return not (self.healthy or self.status or self.last_error or self.components)

    @property
    def is_step(self) -> bool:
        """True for a collector on its way up or down that complains of nothing."""
        return not self.healthy and self.status in STEPS and not self.last_error


@dataclass(frozen=True, slots=True)
class RemoteConfigReport:
    """RemoteConfigStatus: what the agent acknowledges, and how it went."""

    status: ConfigStatus
    hash: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """ConnectionSettingsStatus: the hash of the last settings that the agent was offered, and how it went.

    status: the numbers of ConnectionSettingsStatuses are those of ConfigStatus.
    """

    status: ConfigStatus
    hash: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class SettingsState:
    """Connection settings as they stand when a session begins.

    wanted: hash of what the agent should be offered, "" for nothing · offered: the hash that it was offered last and
    may still have · in_use: it came by the credential that this offer held, so it has it · arrived: it was heard on
    the same connection well after the offer · varies: the fleet wants something, so `wanted` hangs on capabilities ·
    number: of the message that the offer answered; None: not known · claimed: by which session (its epoch) it was
    claimed, and when.
    """

    wanted: str = ""
    offered: str = ""
    in_use: bool = False
    arrived: bool = False
    varies: bool = False
    number: int | None = None
    claimed: tuple[int, datetime] | None = None


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One entry of an AgentConfigMap; the supervisor uses a single one with the empty name."""

    name: str
    body: bytes
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class EffectiveConfig:
    """What the agent says it runs. sha256 covers names, types and bodies (configmap_sha256)."""

    sha256: str
    files: tuple[ConfigFile, ...]


@dataclass(frozen=True, slots=True)
class Components:
    """AvailableComponents: always the hash, the tree only when the agent sent it."""

    hash: str
    tree: Mapping[str, Any] | None = None


class FactKind(StrEnum):
    """What happened to an agent, as an ordered list that is never merged or dropped."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    REMOTE_CONFIG = "remote_config"
    CONNECTION_SETTINGS = "connection_settings"
    HEALTH = "health"
    FULL_STATE = "full_state"
    DESCRIPTION = "description"
    COMPONENTS = "components"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. Only the fields of its kind are set.

    CONNECTED / DISCONNECTED: reason · REMOTE_CONFIG: remote_config · CONNECTION_SETTINGS: connection · HEALTH: health ·
    FULL_STATE: remote_config as the full state has it (None: it names no hash); proves_loss: an earlier
    session's offer that it does not name never arrived.
    """

    kind: FactKind
    at: datetime
    reason: str = ""
    remote_config: RemoteConfigReport | None = None
    connection: ConnectionReport | None = None
    health: ComponentHealth | None = None
    proves_loss: bool = True


@dataclass(frozen=True, slots=True)
class CustomMessage:
    """OpAMP CustomMessage (K2). data: its first bytes if it was long; size: all of its bytes."""

    at: datetime
    capability: str
    type: str
    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class AgentSnapshot:
    """What the server knows of an agent when a session begins."""

    instance_uid: UUID
    epoch: int
    sequence_num: int | None = None
    """The last number whose state is stored (I1); None while a full state is outstanding (I2)."""
    doubtful_num: int | None = None
    """Over plain HTTP, while a full state is outstanding: the number of the last message, which is stored."""
    capabilities: int = 0
    is_new: bool = True
    remote_config: RemoteConfigReport | None = None
    effective_sha256: str = ""
    components_hash: str = ""
    """The hash that the agent named last; its tree is stored unless lacks_components says otherwise."""
    health: ComponentHealth | None = None
    """The root alone: what is below it tells nothing of whether the next one is news."""
    is_health_past: bool = False
    """True when health is of before a shutdown or a restart: what it says next is news, even if it is the same."""
    desired_hash: str = ""
    in_flight_hash: str = ""
    """The hash of an offer that was sent and not answered yet; "" when there is none."""
    transport: Transport = Transport.WEBSOCKET
    full_state_at: datetime | None = None
    """When the last FULL_STATE fact was; None when unknown (then a gap asks at once)."""
    seen_at: datetime | None = None
    """When its message before this session came; None when that is unknown."""
    connection: ConnectionReport | None = None
    settings: SettingsState = SettingsState()
    lacks_components: bool = False
    """True when the tree of components_hash is stored for no agent: this one is asked for it."""
    custom_capabilities: tuple[str, ...] = ()
    is_clone: bool = False
    """True when the sender's messages prove that another live agent has this uid too (A2)."""


@dataclass(slots=True)
class AgentPatch:
    """A change of what is known of one agent: latest state (merged) and facts (kept in order, decision 4).

    Nobody changes one; it is not frozen because there is one for each heartbeat, and that would double its cost.
    sequence_num is stored with the state it covers (I1); None while a full state is outstanding (I2).
    disconnected_at ends the connection; a patch of an older epoch matches no row (I3). messages: the last
    KEPT_MESSAGES.
    """

    instance_uid: UUID
    epoch: int
    seen_at: datetime
    sequence_num: int | None
    capabilities: int | Unset = UNSET
    description: Description | Unset = UNSET
    health: ComponentHealth | None | Unset = UNSET
    remote_config: RemoteConfigReport | None | Unset = UNSET
    effective_config: EffectiveConfig | None | Unset = UNSET
    components: Components | None | Unset = UNSET
    custom_capabilities: tuple[str, ...] | Unset = UNSET
    connection: ConnectionReport | None | Unset = UNSET
    disconnected_at: datetime | None = None
    facts: tuple[Fact, ...] = ()
    messages: tuple[CustomMessage, ...] = ()
    is_polled: bool = False
    """It was posted, and is sent again unless it was answered, which it is once it is stored."""
    doubtful_num: int | None = None
    """Its number over plain HTTP while a full state is outstanding, by which it is known when it is posted anew."""

    @property
    def is_heartbeat(self) -> bool:
        """True when it carries nothing but "still here": such patches may be flushed late."""
        # Spelled out: every message comes by here.
        return (
            not self.facts
            and self.doubtful_num is None
            and not self.messages
            and self.disconnected_at is None
            and self.health is UNSET
            and self.remote_config is UNSET
            and self.effective_config is UNSET
            and self.capabilities is UNSET
            and self.description is UNSET
            and self.components is UNSET
            and self.custom_capabilities is UNSET
            and self.connection is UNSET
        )

    def merge(self, later: "AgentPatch") -> "AgentPatch":
        """This patch and then `later`, as one. Both belong to the same agent; the later epoch wins."""
        # Spelled out: an agent that applies a configuration sends eight messages in a row.
        return AgentPatch(
            self.instance_uid,
            later.epoch,
            later.seen_at,
            later.sequence_num,
            _later(self.capabilities, later.capabilities),
            _later(self.description, later.description),
            _later(self.health, later.health),
            _later(self.remote_config, later.remote_config),
            _later(self.effective_config, later.effective_config),
            _later(self.components, later.components),
            _later(self.custom_capabilities, later.custom_capabilities),
            _later(self.connection, later.connection),
            later.disconnected_at,
            self.facts + later.facts,
            (self.messages + later.messages)[-KEPT_MESSAGES:],
            later.is_polled,
            later.doubtful_num,
        )


def _later(known: Value, said: Value) -> Value:
    return known if said is UNSET else said
