"""PURE. What a collector makes of a configuration: its effective text and its health tree, as prepared bytes.

Ten thousand agents that run one configuration share one Workload; only names, ids and times are put in for each.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import yaml

from agents.configmap import configmap_sha256
from agents.snapshot import ConfigFile
from opamp.proto.opamp_pb2 import ComponentHealth
from opamp.simulator import shapes, wire
from opamp.simulator.hosts import Host

CONTENT_TYPE: Final = "text/yaml"
_TIME_MARK: Final = 0x6B72_616D_656D_6974
_TIME_BYTES: Final = _TIME_MARK.to_bytes(8, "little")
_MARKS: Final = re.compile(
    b"(" + b"|".join(re.escape(mark.encode()) for mark in shapes.HOST_MARKS.values()) + b")"
)

OK, STARTING, STOPPING, STOPPED = "StatusOK", "StatusStarting", "StatusStopping", "StatusStopped"
AILING: Final = "StatusRecoverableError"


class Unusable(ValueError):
    """A configuration that a collector cannot start with; its text is what the collector says."""


@dataclass(frozen=True, slots=True)
class Health:
    """A health as it is reported: prepared bytes, and what they say at the root. status "": it says nothing."""

    template: bytes
    healthy: bool = False
    status: str = ""
    error: str = ""

    def at(self, now: float) -> bytes:
        """The ComponentHealth with its times."""
        return self.template.replace(_TIME_BYTES, wire.unix_nano(now))

    @property
    def says_nothing(self) -> bool:
        """True for the empty health of a client that has just started."""
        return not self.template


EMPTY_HEALTH: Final = Health(b"")


def plain_health(*, healthy: bool, error: str = "") -> Health:
    """A health without times and components: what the supervisor says when there is no collector to ask."""
    message = ComponentHealth(healthy=healthy, last_error=error)
    return Health(message.SerializeToString(), healthy, "", error)


@dataclass(frozen=True, slots=True)
class Workload:
    """A configuration that runs. text: the merged text, which decides whether a new one is a change.

    effective: the effective text, cut at the marks for what differs from host to host; each second piece is a mark.
    parts: the health tree's shape: group -> ids of the components in it.
    """

    text: str
    effective: Sequence[bytes]
    parts: Mapping[str, Sequence[str]]

    def body(self, host: Host, instance_id: str) -> bytes:
        """The effective configuration of one host."""
        values = host.marks(instance_id)
        pieces = list(self.effective)
        pieces[1::2] = [values[mark] for mark in pieces[1::2]]
        return b"".join(pieces)

    def effective_config(self, host: Host, instance_id: str) -> bytes:
        """An EffectiveConfig."""
        return wire.config_file("", self.body(host, instance_id), CONTENT_TYPE)

    def effective_sha256(self, host: Host, instance_id: str) -> str:
        """The hash by which a server knows that effective configuration."""
        return configmap_sha256([ConfigFile("", self.body(host, instance_id), CONTENT_TYPE)])

    def health(self, status: str, error: str = "") -> Health:
        """The health tree in one of its steps; an error names the exporters as its place."""
        key = tuple((group, tuple(ids)) for group, ids in self.parts.items())
        return _tree(key, status, error)


@lru_cache(maxsize=512)
def merge(local: str, files: tuple[tuple[str, str], ...], override: str = "") -> str:
    """Local and remote files merged as a supervisor does: deep, later ones win, lists replaced, "" comes last.

    override: a local file that stands behind the remote ones. The result is canonical YAML, "" when nothing is
    configured. Raises Unusable for text that is no YAML mapping.
    """
    merged: dict[str, Any] = {}
    ordered = sorted(files, key=lambda file: (not file[0], file[0]))
    for text in (local, *(text for _, text in ordered), override):
        merged = _merge(merged, _load(text))
    return yaml.dump(merged, Dumper=yaml.CSafeDumper) if merged else ""


@lru_cache(maxsize=512)
def run(text: str, version: str) -> Workload:
    """The workload of a merged text in a collector of this version.

    Raises Unusable with the collector's words for a component that it does not have.
    """
    config = _load(text)
    _check_components(config, version)
    effective = _merge(shapes.supervisor_additions(), config)
    dumped = yaml.dump(effective, Dumper=yaml.CSafeDumper, indent=4)
    return Workload(text, _MARKS.split(dumped.encode()), _parts(effective["service"]))


@lru_cache(maxsize=8)
def components(version: str) -> bytes:
    """An AvailableComponents without its hash: each component with its Go module and version."""
    groups = []
    for kind, types in sorted(shapes.known_components(version).items()):
        nodes = b"".join(
            wire.part(2, wire.part(1, name.encode()) + wire.part(2, _module(path, version)))
            for name, path in sorted(types.items())
        )
        groups.append(wire.part(1, wire.part(1, kind.encode()) + wire.part(2, nodes)))
    return b"".join(groups)


@lru_cache(maxsize=8)
def components_hash(version: str) -> bytes:
    """What a supervisor names instead of all its components."""
    return hashlib.sha256(components(version)).digest()


def _module(path: str, version: str) -> bytes:
    return wire.part(1, wire.attribute("code.namespace", f"{path} v{version}"))


def _load(text: str) -> dict[str, Any]:
    try:
        loaded = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise Unusable(f"cannot parse the configuration: {error}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise Unusable("cannot parse the configuration: it is no mapping")
    return loaded


def _merge(base: Mapping[str, Any], over: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        here, before = f"{path}/{key}", merged.get(key)
        if isinstance(value, dict):
            merged[key] = _merge(before if isinstance(before, dict) else {}, value, here)
        elif here == "/service/extensions" and isinstance(before, list):
            merged[key] = [*before, *(one for one in value or () if one not in before)]
        elif value is not None or before is None:
            merged[key] = value
    return merged


def _check_components(config: Mapping[str, Any], version: str) -> None:
    for section, types in shapes.known_components(version).items():
        for name in config.get(section) or {}:
            kind = str(name).partition("/")[0]
            if kind not in types:
                raise Unusable(shapes.unknown_component(section, kind, sorted(types)))


def _parts(service: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The health tree's groups and ids, as collectors name them."""
    parts = {"extensions": tuple(f"extension:{name}" for name in service["extensions"])}
    for name, pipeline in (service.get("pipelines") or {}).items():
        parts[f"pipeline:{name}"] = tuple(
            f"{section[:-1]}:{one}"
            for section in ("receivers", "processors", "exporters")
            for one in (pipeline or {}).get(section) or ()
        )
    return parts


@lru_cache(maxsize=2048)
def _tree(parts: tuple[tuple[str, tuple[str, ...]], ...], status: str, error: str) -> Health:
    groups = {}
    for group, ids in parts:
        nodes = {one: _node(*_outcome(one, status, error)) for one in ids}
        is_hit = bool(error) and any(node.last_error for node in nodes.values())
        groups[group] = _node(*(status, error) if is_hit else _outcome(group, status, error))
        for one, node in nodes.items():
            groups[group].component_health_map[one].CopyFrom(node)
    root = _node(status, error)
    for group, node in groups.items():
        root.component_health_map[group].CopyFrom(node)
    template = root.SerializeToString(deterministic=True)
    return Health(template, status == OK, status, error)


def _outcome(name: str, status: str, error: str) -> tuple[str, str]:
    """Status and error of one node: an ailment sits in the exporters, the rest is well."""
    if not error or name.startswith("exporter:"):
        return status, error
    return OK, ""


def _node(status: str, error: str) -> ComponentHealth:
    is_ok = status == OK
    return ComponentHealth(
        healthy=is_ok,
        status=status,
        last_error=error,
        start_time_unix_nano=_TIME_MARK if is_ok else 0,
        status_time_unix_nano=_TIME_MARK,
    )
