"""The parts of an AgentToServer as values of agents.snapshot, within the limits.

A part that the message leaves out is UNSET: unchanged (C1).
"""

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.configmap import configmap_sha256
from agents.snapshot import (
    UNSET,
    ComponentHealth,
    Components,
    ConfigFile,
    ConfigStatus,
    ConnectionReport,
    CustomMessage,
    Description,
    EffectiveConfig,
    RemoteConfigReport,
    Unset,
)
from opamp.proto import opamp_pb2 as pb
from opamp.protocol.anyvalue import AttributeReader, clean, cut
from opamp.protocol.errors import MalformedMessage
from opamp.protocol.health import read_health
from opamp.protocol.limits import Limits, check_size

_STATUSES = {status.value: status for status in ConfigStatus}


@dataclass(slots=True)
class Report:
    """What one message says. remote_config, connection None: the agent has had none (UNSET with an empty hash)."""

    description: Description | Unset = UNSET
    health: ComponentHealth | Unset = UNSET
    remote_config: RemoteConfigReport | None | Unset = UNSET
    effective_config: EffectiveConfig | Unset = UNSET
    components: Components | None | Unset = UNSET
    custom_capabilities: tuple[str, ...] | Unset = UNSET
    connection: ConnectionReport | None | Unset = UNSET


_NAME_LENGTH = 200


def read_report(
    message: pb.AgentToServer, limits: Limits, *, stored_components: Container[str] = frozenset()
) -> Report:
    """Everything that the message reports. Raises MalformedMessage when it is over a limit.

    A tree whose hash is among stored_components is not read: it is large, and nobody needs it again.
    """
    report = Report()
    _check_packages(message.package_statuses, limits)
    if message.HasField("agent_description"):
        report.description = read_description(message.agent_description, limits)
    if message.HasField("health"):
        report.health = read_health(message.health, limits)
    if message.HasField("remote_config_status"):
        report.remote_config = read_remote_config(message.remote_config_status, limits)
    if message.HasField("effective_config"):
        report.effective_config = read_effective_config(message.effective_config, limits)
    if message.HasField("available_components"):
        report.components = read_components(
            message.available_components, limits, stored=stored_components
        )
    if message.HasField("custom_capabilities"):
        report.custom_capabilities = read_custom_capabilities(message.custom_capabilities, limits)
    if message.HasField("connection_settings_status"):
        report.connection = read_connection(message.connection_settings_status, limits)
    return report


def read_description(description: pb.AgentDescription, limits: Limits) -> Description:
    """Both attribute lists; their values may be of every AnyValue type (H2)."""
    reader = AttributeReader(limits)
    return Description(
        identifying=reader.read(description.identifying_attributes),
        non_identifying=reader.read(description.non_identifying_attributes),
    )


def read_remote_config(status: pb.RemoteConfigStatus, limits: Limits) -> RemoteConfigReport | None:
    """The acknowledged hash and how it went (R5); None when the agent never had a configuration."""
    known = _STATUSES.get(status.status, ConfigStatus.UNSET)  # M8: unknown numbers are no error
    if not status.last_remote_config_hash and known is ConfigStatus.UNSET:
        return None
    return RemoteConfigReport(
        status=known,
        hash=_read_hash("remote_config_status", status.last_remote_config_hash, limits),
        error=cut(status.error_message, limits.text_length),
    )


def read_connection(status: pb.ConnectionSettingsStatus, limits: Limits) -> ConnectionReport | None:
    """The acknowledged hash of connection settings (S2); None when the agent never had an offer."""
    known = _STATUSES.get(status.status, ConfigStatus.UNSET)
    if not status.last_connection_settings_hash and known is ConfigStatus.UNSET:
        return None
    return ConnectionReport(
        status=known,
        hash=_read_hash("connection_settings_status", status.last_connection_settings_hash, limits),
        error=cut(status.error_message, limits.text_length),
    )


def read_effective_config(config: pb.EffectiveConfig, limits: Limits) -> EffectiveConfig:
    """All files, bodies as they are: any encoding, any type (R6)."""
    entries = config.config_map.config_map
    if len(entries) > limits.config_files:
        raise MalformedMessage(
            f"effective_config has {len(entries)} files; at most {limits.config_files} are taken.",
            limit="effective_config",
        )
    size = sum(len(entry.body) for entry in entries.values())
    if size > limits.config_bytes:
        raise MalformedMessage(
            f"effective_config has {size} bytes; at most {limits.config_bytes} are taken.",
            limit="effective_config",
        )
    files = tuple(
        ConfigFile(
            name=cut(name, limits.attribute_length),
            body=entry.body,
            content_type=cut(entry.content_type, limits.attribute_length),
        )
        for name, entry in sorted(entries.items())
    )
    return EffectiveConfig(sha256=configmap_sha256(files), files=files)


def read_components(
    components: pb.AvailableComponents, limits: Limits, *, stored: Container[str] = frozenset()
) -> Components | None:
    """Hash and, when it was sent and is not stored, the tree (C4). None when the agent names neither.

    A node of the tree is {"metadata": {...}, "components": {name: node}}, each only if not empty.
    """
    digest = _read_hash("available_components", components.hash, limits)
    if digest in stored:
        return Components(hash=digest)
    check_size("available_components", components.ByteSize(), limits, counted_as="components")
    tree = _ComponentReader(limits).read(components.components, 1)
    if tree and not digest:
        digest = hashlib.sha256(components.SerializeToString(deterministic=True)).hexdigest()
    return Components(hash=digest, tree=tree or None) if digest else None


def read_custom_capabilities(custom: pb.CustomCapabilities, limits: Limits) -> tuple[str, ...]:
    """The announced custom capabilities (K2)."""
    names = custom.capabilities
    if len(names) > limits.custom_capabilities:
        raise MalformedMessage(
            f"custom_capabilities has {len(names)} entries;"
            f" at most {limits.custom_capabilities} are taken.",
            limit="custom_capabilities",
        )
    return tuple(cut(name, _NAME_LENGTH) for name in names)


def _check_packages(statuses: pb.PackageStatuses, limits: Limits) -> None:
    """They are not read, but even to compare a message with the one before costs time for each."""
    if len(statuses.packages) > limits.packages:
        raise MalformedMessage(
            f"package_statuses has {len(statuses.packages)} entries;"
            f" at most {limits.packages} are taken.",
            limit="packages",
        )


def _read_hash(part: str, raw: bytes, limits: Limits) -> str:
    if len(raw) > limits.hash_bytes:
        raise MalformedMessage(
            f"The hash of {part} has {len(raw)} bytes; at most {limits.hash_bytes} are taken.",
            limit="hash",
        )
    return raw.hex()


def read_custom_message(
    message: pb.CustomMessage, limits: Limits, now: datetime
) -> CustomMessage | None:
    """A custom message (K2); None for one whose capability or type has no sensible name."""
    if max(len(message.capability), len(message.type)) > _NAME_LENGTH:
        return None
    return CustomMessage(
        at=now,
        capability=clean(message.capability),
        type=clean(message.type),
        data=message.data[: limits.custom_message_bytes],
        size=len(message.data),
    )


class _ComponentReader:
    """Reads one tree of available components; counts entries before it looks at them."""

    __slots__ = ("_left", "_limits", "_metadata")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.component_details
        self._metadata = AttributeReader(limits, most=limits.component_details)

    def read(self, nodes: Mapping[str, pb.ComponentDetails], depth: int) -> dict[str, Any]:
        self._check(len(nodes), depth)
        return {
            cut(name, self._limits.attribute_length): self._node(nodes[name], depth)
            for name in sorted(nodes)
        }

    def _node(self, node: pb.ComponentDetails, depth: int) -> dict[str, Any]:
        read: dict[str, Any] = {}
        if metadata := node.metadata:
            read["metadata"] = self._metadata.read(metadata)
        if nested := node.sub_component_map:
            read["components"] = self.read(nested, depth + 1)
        return read

    def _check(self, nodes: int, depth: int) -> None:
        self._left -= nodes
        if self._left < 0:
            raise MalformedMessage(
                f"available_components has more than {self._limits.component_details} entries.",
                limit="components",
            )
        if nodes and depth > self._limits.component_depth:
            raise MalformedMessage(
                f"available_components is nested more than {self._limits.component_depth} levels"
                " deep.",
                limit="components",
            )
