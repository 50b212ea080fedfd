"""What one session believes of its agent, enough to tell what a message changes (C1, C3)."""

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from agents.snapshot import (
    UNSET,
    AgentSnapshot,
    Capability,
    ComponentHealth,
    Components,
    ConnectionReport,
    Fact,
    FactKind,
    RemoteConfigReport,
)
from agents.status import tells_shutdown
from opamp.proto.opamp_pb2 import AgentToServer, CustomMessage
from opamp.protocol.continuity import Fullness
from opamp.protocol.limits import Limits
from opamp.protocol.reports import Report, read_custom_message

_ABSENT: Final[dict[str, Any]] = {
    "health": None,
    "remote_config": None,
    "effective_config": None,
    "components": None,
    "custom_capabilities": (),
    "connection": None,
}
"""What the parts of a full report are when it leaves them out."""

_CLAIMS = (
    (int(Capability.REPORTS_HEALTH), "health"),
    (int(Capability.REPORTS_EFFECTIVE_CONFIG), "effective_config"),
    (int(Capability.REPORTS_REMOTE_CONFIG), "remote_config_status"),
    (int(Capability.REPORTS_AVAILABLE_COMPONENTS), "available_components"),
)


@dataclass(slots=True)
class Changes:
    """What a message changes: fields of an AgentPatch by name, and what happened."""

    state: dict[str, Any] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)


class Belief:
    """The agent as it is known: the snapshot, and all that this session has taken in since.

    Large parts are remembered by hash only; ten thousand sessions share a process.
    """

    __slots__ = (
        "_description",
        "_effective_sha256",
        "_health",
        "_is_health_doubtful",
        "_stored_tree",
        "_tree_asked",
        "components_hash",
        "connection",
        "custom_capabilities",
        "is_repeat",
        "remote_config",
        "stored_components",
    )

    def __init__(self, known: AgentSnapshot, stored_components: Container[str]) -> None:
        self._description: int | None = None
        self._health = None if known.health is None else _face(known.health)
        self._is_health_doubtful = known.is_health_past
        self.is_repeat = False
        """The message is posted anew: what it says is stored, and told."""
        self._effective_sha256 = known.effective_sha256
        self.stored_components = stored_components
        self._stored_tree = "" if known.lacks_components else known.components_hash
        self._tree_asked = ""
        self.remote_config: RemoteConfigReport | None = known.remote_config
        self.components_hash = known.components_hash
        self.custom_capabilities = known.custom_capabilities
        self.connection: ConnectionReport | None = known.connection

    def fullness(self, message: AgentToServer, capabilities: int) -> Fullness:
        """Whether this message can be a full state, by the parts that it holds."""
        if self._lacks_known_part(message):
            return Fullness.PARTIAL
        claimed = [name for bit, name in _CLAIMS if capabilities & bit]
        if not claimed:
            return Fullness.UNCLAIMED
        is_complete = all(message.HasField(name) for name in claimed)
        return Fullness.COMPLETE if is_complete else Fullness.PLAUSIBLE

    def take(self, report: Report, message: AgentToServer, now: datetime, changes: Changes) -> None:
        """Believe what a message says; what it leaves out is unchanged (C1)."""
        self._take_description(report, message, now, changes)
        self._take_health(report, now, changes)
        if report.remote_config is not UNSET:
            self.take_remote_config(report.remote_config, now, changes)
        self._take_effective_config(report, changes)
        self._take_components(report, now, changes)
        self._take_connection(report, now, changes)
        if report.custom_capabilities is not UNSET:
            changes.state["custom_capabilities"] = report.custom_capabilities
            self.custom_capabilities = report.custom_capabilities

    def take_full(
        self,
        report: Report,
        message: AgentToServer,
        now: datetime,
        changes: Changes,
        *,
        proves_loss: bool,
    ) -> None:
        """Believe a full state: what it leaves out is known to be absent (C3)."""
        self.take(report, message, now, changes)
        for name, nothing in _ABSENT.items():
            if getattr(report, name) is UNSET:
                changes.state[name] = nothing
        self._forget_absent(report)
        remote_config = None if report.remote_config is UNSET else report.remote_config
        fact = Fact(FactKind.FULL_STATE, now, remote_config=remote_config, proves_loss=proves_loss)
        changes.facts.append(fact)

    def doubt_health(self) -> None:
        """An earlier session may have heard of its health what is not stored yet, since its process is slow.

        Then the next report is news, though it says what is stored: what is written late stands before it.
        """
        self._is_health_doubtful = True

    def should_ask_for_tree(self) -> bool:
        """Whether to ask for the tree of the named components, which this agent's row lacks (C4); once each."""
        named = self.components_hash
        if not named or named in (self._tree_asked, self._stored_tree):
            return False
        self._tree_asked = named
        return True

    def note_no_tree(self, named: Components) -> None:
        """The known hash came without its tree, which may be the answer to our question: to ask again could go on."""
        if named.tree is None and named.hash == self.components_hash:
            self._tree_asked = named.hash

    def take_custom_message(
        self, message: CustomMessage, limits: Limits, now: datetime, changes: Changes
    ) -> None:
        """K2: kept for an announced capability, else ignored."""
        if message.capability not in self.custom_capabilities:
            return
        said = read_custom_message(message, limits, now)
        if said is not None:
            changes.state["messages"] = (said,)

    def _lacks_known_part(self, message: AgentToServer) -> bool:
        return bool(
            (self._health is not None and not message.HasField("health"))
            or (self._effective_sha256 and not message.HasField("effective_config"))
            or (self.remote_config is not None and not message.HasField("remote_config_status"))
            or (self.components_hash and not message.HasField("available_components"))
        )

    def _take_description(
        self, report: Report, message: AgentToServer, now: datetime, changes: Changes
    ) -> None:
        """A supervisor repeats its description at every restart of its collector."""
        if report.description is UNSET:
            return
        digest = hash(message.agent_description.SerializeToString(deterministic=True))
        if digest == self._description:
            return
        if self._description is not None:
            changes.facts.append(Fact(FactKind.DESCRIPTION, now))
        self._description = digest
        changes.state["description"] = report.description

    def _take_health(self, report: Report, now: datetime, changes: Changes) -> None:
        """An empty health means unknown: the last known one stays, and the fact says since when."""
        if report.health is UNSET:
            return
        health = report.health
        face = None if health.says_nothing else _face(health)
        if self._is_news_of_health(health, face):
            changes.facts.append(Fact(FactKind.HEALTH, now, health=health))
        if face is not None:
            changes.state["health"] = health
            self._is_health_doubtful = False
        self._health = face

    def _is_news_of_health(
        self, health: ComponentHealth, face: tuple[bool, str, str] | None
    ) -> bool:
        differs, is_doubtful = face != self._health, self._is_health_doubtful
        if self.is_repeat:
            # Of what does not last the health before stays stored, and is doubtful from then on.
            return differs and (_lasts(health) or not is_doubtful)
        return differs or (face is not None and is_doubtful)

    def take_remote_config(
        self, said: RemoteConfigReport | None, at: datetime, changes: Changes
    ) -> None:
        """Believe what it says of the configuration that it got last."""
        if said == self.remote_config:
            return
        self.remote_config = changes.state["remote_config"] = said
        if said is not None:
            changes.facts.append(Fact(FactKind.REMOTE_CONFIG, at, remote_config=said))

    def _take_connection(self, report: Report, now: datetime, changes: Changes) -> None:
        if report.connection is UNSET or report.connection == self.connection:
            return
        self.connection = changes.state["connection"] = report.connection
        if self.connection is not None:
            fact = Fact(FactKind.CONNECTION_SETTINGS, now, connection=self.connection)
            changes.facts.append(fact)

    def _take_effective_config(self, report: Report, changes: Changes) -> None:
        effective = report.effective_config
        if effective is UNSET or effective.sha256 == self._effective_sha256:
            return
        self._effective_sha256 = effective.sha256
        changes.state["effective_config"] = effective

    def _take_components(self, report: Report, now: datetime, changes: Changes) -> None:
        """C4: the tree is passed on only where it is not stored yet, and its hash until this agent's row has it."""
        components = report.components
        if components is UNSET or components is None:
            return
        digest = components.hash
        is_known = digest == self.components_hash
        is_stored = digest in self.stored_components
        has_tree = is_stored or components.tree is not None
        if not is_known or (has_tree and digest != self._stored_tree):
            changes.state["components"] = Components(digest, None if is_stored else components.tree)
        if has_tree:
            self._stored_tree = digest
        if not is_known:
            changes.facts.append(Fact(FactKind.COMPONENTS, now))
        self.components_hash = digest

    def _forget_absent(self, report: Report) -> None:
        if report.health is UNSET:
            self._health = None
        if report.remote_config is UNSET:
            self.remote_config = None
        if report.custom_capabilities is UNSET:
            self.custom_capabilities = ()
        if report.connection is UNSET:
            self.connection = None
        if report.effective_config is UNSET:
            self._effective_sha256 = ""
        if report.components is UNSET or report.components is None:
            self.components_hash = ""


def _lasts(health: ComponentHealth) -> bool:
    """Whether it says how its collector is, so that it is what is stored: an empty one, a shutdown and a step of a
    restart that we caused do not.
    """
    return not (health.says_nothing or health.is_step or tells_shutdown(health))


def _face(health: ComponentHealth) -> tuple[bool, str, str]:
    """What makes two healths differ as events: the root, not the times and components below it."""
    return (health.healthy, health.status, health.last_error)
