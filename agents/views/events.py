"""The timeline as the page draws it: one line per event, in words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.models import AgentEvent
from agents.views.versions import VersionRef
from agents.wording import TRANSPORTS


@dataclass(frozen=True, slots=True)
class Line:
    """One entry: a tone, an icon, what happened, on what, and why."""

    tone: str
    icon: str
    what: str
    on: str
    why: str
    at: datetime


Words = tuple[str, str, str, str, str]
Data = Mapping[str, Any]


def lines_of(events: Iterable[AgentEvent], names: Mapping[str, VersionRef]) -> list[Line]:
    """The events as lines. names: the versions behind the hashes that the events hold."""
    return [Line(*_words(event, names), at=event.at) for event in events]


def hashes_in(events: Iterable[AgentEvent]) -> set[str]:
    """The configuration hashes that these events name."""
    return {str(event.data["hash"]) for event in events if event.data.get("hash")}


def _words(event: AgentEvent, names: Mapping[str, VersionRef]) -> Words:
    draw = _DRAWN.get(event.kind)
    if draw is not None:
        return draw(event.data, names)
    told = event.data.get("reason") or event.data.get("error") or event.data.get("message")
    what = event.kind.replace("_", " ").capitalize()
    return "idle", "circle-dot", what, _version(event.data, names), str(told or "")


def _version(data: Data, names: Mapping[str, VersionRef]) -> str:
    digest = str(data.get("hash", ""))
    known = names.get(digest)
    return str(known) if known else digest[:12]


def _connected(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    transport = TRANSPORTS.get(str(data.get("transport")), "")
    address = str(data.get("address", ""))
    why = ", ".join(part for part in (transport, address and f"from {address}") if part)
    return "idle", "plug", "Connected", "", why


def _disconnected(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    return "idle", "unplug", "Disconnected", "", str(data.get("reason", ""))


def _remote_config(data: Data, names: Mapping[str, VersionRef]) -> Words:
    version = _version(data, names)
    looks = {
        "APPLIED": ("ok", "circle-check", "Applied"),
        "APPLYING": ("move", "loader-circle", "Applying"),
        "FAILED": ("fail", "circle-x", "Failed"),
    }
    tone, icon, what = looks.get(
        str(data.get("status")), ("idle", "circle-dot", "Configuration reported")
    )
    return tone, icon, what, version, str(data.get("error", ""))


def _health(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    if data.get("healthy"):
        return "ok", "activity", "Healthy", "", ""
    status = str(data.get("status", "")).removeprefix("Status")
    return "fail", "triangle-alert", "Unhealthy", "", str(data.get("last_error") or status)


def _description(_data: Data, _names: Mapping[str, VersionRef]) -> Words:
    return "idle", "info", "Described itself", "", "attributes changed"


def _components(_data: Data, _names: Mapping[str, VersionRef]) -> Words:
    return "idle", "package", "Reported its components", "", ""


def _enrolled(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    fleet, token = str(data.get("fleet", "")), str(data.get("token", ""))
    return "ok", "log-in", "Enrolled", fleet, f"by the token {token}" if token else ""


def _moved(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    origin = str(data.get("from", ""))
    return (
        "move",
        "folder-input",
        "Moved",
        str(data.get("to", "")),
        f"from {origin}" if origin else "",
    )


def _retried(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    return "move", "rotate-cw", "Retried", "", f"by {data.get('by', 'a person')}"


def _mode(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    if data.get("mode") == "managed":
        return "move", "play", "Managed", "", "it is offered the version of its fleet from now on"
    return "idle", "eye", "Only observed", "", "nothing is offered to it from now on"


def _connection_settings(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    looks = {
        "APPLIED": ("ok", "circle-check", "Connection settings applied"),
        "APPLYING": ("move", "loader-circle", "Applying connection settings"),
        "FAILED": ("fail", "circle-x", "Connection settings failed"),
    }
    tone, icon, what = looks.get(
        str(data.get("status")), ("idle", "circle-dot", "Connection settings reported")
    )
    return tone, icon, what, "", str(data.get("error", ""))


def _credential(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    return "ok", "key-round", "Came by its own credential", "", f"{data.get('token', '')}…"


_DRAWN: Mapping[str, Callable[[Data, Mapping[str, VersionRef]], Words]] = {
    "connected": _connected,
    "disconnected": _disconnected,
    "remote_config": _remote_config,
    "health": _health,
    "description": _description,
    "components": _components,
    "enrolled": _enrolled,
    "moved": _moved,
    "retried": _retried,
    "mode": _mode,
    "connection_settings": _connection_settings,
    "credential": _credential,
}
