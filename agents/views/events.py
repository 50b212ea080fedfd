"""The timeline as the page draws it: one line per event, in words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.models import AgentEvent
from agents.store import DRIFT_ENDED, DRIFTED, RESTARTING, RETRIED
from agents.timeline import Condition, Happening, fold
from agents.views.versions import VersionRef
from agents.wording import DISCONNECTS, TRANSPORTS
from fleets.connection_claims import SETTINGS_LOST, SETTINGS_SENT
from fleets.models import TokenKind
from fleets.tokens import PREFIXES


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
    """The events, newest first, as lines. names: the versions behind the hashes that the events hold."""
    happenings = (Happening(event.kind, event.at, event.data) for event in events)
    return [Line(*_words(event, names), at=event.at) for event in fold(happenings)]


def hashes_in(events: Iterable[AgentEvent]) -> set[str]:
    """The configuration hashes that these events name."""
    return {str(event.data["hash"]) for event in events if event.data.get("hash")}


def _words(event: Happening, names: Mapping[str, VersionRef]) -> Words:
    if event.condition is not None:
        return _health(event, event.condition)
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
    reason = str(data.get("reason", ""))
    return "idle", "unplug", "Disconnected", "", DISCONNECTS.get(reason, reason)


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


def _health(event: Happening, condition: Condition) -> Words:
    status = str(event.data.get("status", "")).removeprefix("Status")
    told = str(event.data.get("last_error", ""))
    if condition is Condition.WELL:
        return "ok", "activity", "Healthy", "", _way_up(event.steps)
    if event.data.get(RESTARTING):
        return "idle", "rotate-cw", "Restarting", "", status.lower()
    if condition is Condition.SHUT_DOWN:
        return "idle", "power", "Stopped", "", "its supervisor was shut down"
    if condition is Condition.STEP:
        return "idle", "power", status, "", told
    number = f"{event.times} times" if event.times > 1 else ""
    return "fail", "triangle-alert", "Unhealthy", number, told or status


def _way_up(steps: Iterable[str]) -> str:
    """What it did before it was healthy."""
    if not steps:
        return ""
    return "started" if set(steps) == {"StatusStarting"} else "stopped and started again"


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


def _drifted(data: Data, names: Mapping[str, VersionRef]) -> Words:
    return (
        "warn",
        "git-compare-arrows",
        "Drifted",
        _version(data, names),
        "what it runs differs from it",
    )


def _drift_ended(data: Data, names: Mapping[str, VersionRef]) -> Words:
    return (
        "ok",
        "circle-check",
        "Drift ended",
        _version(data, names),
        "it runs what it should again",
    )


def _retried(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    return "move", "rotate-cw", "Retried", "", f"by {data.get('by', 'a person')}"


def _mode(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    if data.get("mode") == "managed":
        return "move", "play", "Managed", "", "it is offered the version of its fleet from now on"
    return "idle", "eye", "Only observed", "", "nothing is offered to it from now on"


def _cloned_from(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    return (
        "warn",
        "copy",
        "Found to be a copy",
        str(data.get("name") or _short(data.get("was"))),
        "both used one instance uid; this one was given its own",
    )


def _cloned(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    who = f"the one at {data['address']}" if data.get("address") else "another live agent"
    why = f"{who} used its instance uid too and was given its own"
    return "warn", "copy", "Copied", _short(data.get("uid")), why


def _formerly(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    name = str(data.get("name") or _short(data.get("was")))
    return "idle", "copy", "New instance uid", "", f"formerly {name}, {data.get('was', '')}"


def _shares_uid(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    return (
        "fail",
        "copy",
        "Its instance uid is used by others",
        "",
        f"the one at {data.get('address', '')} is given new ones and takes none",
    )


def _short(uid: Any) -> str:
    return str(uid or "")[-8:]


def _told(tone: str, icon: str, what: str) -> Callable[[Data, Mapping[str, VersionRef]], Words]:
    """How an event of a command is drawn."""

    def draw(data: Data, _names: Mapping[str, VersionRef]) -> Words:
        about = " ".join(str(data[key]) for key in ("type", "capability") if data.get(key))
        by = f"by {data['by']}" if data.get("by") else ""
        return tone, icon, what, about, by

    return draw


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


def _settings_sent(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    told = [f"own {kind}" for kind in data.get("telemetry", ())]
    told += [f"no own {kind}" for kind in data.get("switched_off", ())]
    if data.get("heartbeat_s"):
        told.insert(0, f"heartbeat every {data['heartbeat_s']} s")
    if data.get("credential"):
        told.append(f"the credential {data['credential']}…")
    return "move", "send", "Connection settings sent", "", ", ".join(told)


def _settings_lost(_data: Data, _names: Mapping[str, VersionRef]) -> Words:
    return "idle", "send", "Connection settings did not arrive", "", "they are offered again"


def _credential(data: Data, _names: Mapping[str, VersionRef]) -> Words:
    prefix = str(data.get("token", ""))
    is_own = prefix.startswith(PREFIXES[TokenKind.AGENT])
    what = "Came by its own credential" if is_own else "Moved to the token's successor"
    return "ok", "key-round", what, "", f"{prefix}…"


_DRAWN: Mapping[str, Callable[[Data, Mapping[str, VersionRef]], Words]] = {
    "connected": _connected,
    "disconnected": _disconnected,
    "remote_config": _remote_config,
    "description": _description,
    "components": _components,
    "enrolled": _enrolled,
    "moved": _moved,
    RETRIED: _retried,
    DRIFTED: _drifted,
    DRIFT_ENDED: _drift_ended,
    "mode": _mode,
    "cloned": _cloned,
    "cloned_from": _cloned_from,
    "formerly": _formerly,
    "shares_uid": _shares_uid,
    "restart_asked": _told("idle", "rotate-cw", "Restart asked for"),
    "restart_sent": _told("move", "rotate-cw", "Told to restart"),
    "restart_expired": _told("warn", "clock", "Restart not delivered in time"),
    "message_asked": _told("idle", "mail", "Custom message asked for"),
    "message_sent": _told("move", "mail", "Custom message sent"),
    "message_expired": _told("warn", "clock", "Custom message not delivered in time"),
    "connection_settings": _connection_settings,
    SETTINGS_SENT: _settings_sent,
    SETTINGS_LOST: _settings_lost,
    "credential": _credential,
}
