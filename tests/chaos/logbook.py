"""What the agents' own log tells: connections and reports of each, read on as it grows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from agents.snapshot import ConfigStatus
from tests.chaos.facts import Connection, Content, Death, Said

REMOTE_CONFIG: Final = "remote_config"
HEALTH: Final = "health"
SETTINGS: Final = "connection_settings"
SETTINGS_SENT: Final = "settings_sent"
"""What the server tells of itself, of which no log is kept."""
KINDS: Final = (REMOTE_CONFIG, HEALTH, SETTINGS)
_APPLIED: Final = "APPLIED"
_LAST_LINES: Final = 40


class Report(NamedTuple):
    """What one message said, and on which connection."""

    content: Content
    at: float
    number: int
    connection: Connection


@dataclass(slots=True)
class AgentLog:
    """One agent's log since it was found to agree with the timeline last.

    number: of its last message that said something. before: by kind, what it said last before that. sent: hashes of
    connection settings that the timeline says it was sent, ever.
    """

    connections: list[Connection] = field(default_factory=list)
    reports: dict[str, list[Report]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    before: dict[str, Content] = field(default_factory=dict)
    number: int = -1
    sent: set[str] = field(default_factory=set)

    def said(self, kind: str, deaths: Iterable[Death]) -> list[Said]:
        """The reports of a kind, each with whether it may be missing."""
        said: list[Said] = []
        last: Connection | None = None
        for one in self.reports[kind]:
            loss = one.connection.loss_of(one.number, one.at, deaths)
            said.append(Said(one.content, one.at, loss, one.connection is not last))
            last = one.connection
        return said

    def unsent(self) -> Iterator[str]:
        """Connection settings that it acknowledged, and of which the timeline does not tell that they went out."""
        for one in self.reports[SETTINGS]:
            _, acknowledged = one.content
            if acknowledged not in self.sent:
                yield f"nobody was told that the settings {str(acknowledged)[:12]} were sent"

    def settle(self, kind: str, told: Content | None) -> None:
        """All up to here was compared; `told`: the timeline's last entry of this kind."""
        self.reports[kind].clear()
        if told is not None:
            self.before[kind] = told

    def settle_connections(self, opened: Iterable[float]) -> None:
        """The timeline tells of those that were `opened` at these times; what is over is forgotten, if need be later."""
        for one in self.connections:
            one.is_told = one.is_told_by(opened)
        self.connections = [
            one for one in self.connections if one.ended is None or not (one.is_told or one.is_late)
        ]
        for one in self.connections:
            one.is_late = one.ended is not None

    def sockets(self) -> Iterator[Connection]:
        """Those of its connections that are WebSockets."""
        return (one for one in self.connections if one.url.startswith("ws"))

    def missing_sessions(self, opened: Sequence[float]) -> Iterator[str]:
        """WebSockets on which a message was answered, and of which the timeline tells nothing."""
        for one in self.connections:
            if one.must_be_told and not one.is_told_by(opened):
                yield f"a session of {one.begun:.3f} to {one.ended:.3f} is missing"


class Logbook:
    """Reads the simulator's log as far as it goes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.agents: defaultdict[UUID, AgentLog] = defaultdict(AgentLog)
        self.arrivals: defaultdict[UUID, dict[str, float]] = defaultdict(dict)
        """By agent and hash: when it was offered first."""
        self.refused = 0
        """Messages that the server did not take."""
        self.reports = 0
        self.connects = 0
        self._at = 0

    def read(self) -> None:
        """Take in what was written since."""
        with self.path.open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._at += len(line)
                self._take(json.loads(line))

    def lines_of(self, uid: UUID) -> str:
        """The end of an agent's log, as it was written."""
        mine = f'"uid":"{uid}"'
        with self.path.open(encoding="utf-8") as file:
            return "".join([line for line in file if mine in line][-_LAST_LINES:])

    def _take(self, line: Mapping[str, Any]) -> None:
        log = self.agents[UUID(line["uid"])]
        kind = line["kind"]
        if kind == "connected":
            self.connects += 1
            log.connections.append(Connection(line["url"], line["t"], line["after"]))
        elif kind == "disconnected":
            log.connections[-1].ended = line["t"]
            log.connections[-1].answered = line["answered"]
        elif kind == "heard":
            log.connections[-1].waited = line["upto"]
        elif kind == "offered":
            self.arrivals[UUID(line["uid"])].setdefault(line["hash"], line["t"])
        elif kind == "refused":
            self.refused += 1
            log.connections[-1].refused.add(line["seq"])
        elif "seq" in line:
            self._take_message(log, line)

    def _take_message(self, log: AgentLog, line: Mapping[str, Any]) -> None:
        log.number = line["seq"]
        for kind, content in (
            (REMOTE_CONFIG, _status_in(line)),
            (HEALTH, _health_in(line)),
            (SETTINGS, _settings_in(line)),
        ):
            if content is not None:
                self.reports += 1
                report = Report(content, line["t"], line["seq"], log.connections[-1])
                log.reports[kind].append(report)


def _status_in(line: Mapping[str, Any]) -> Content | None:
    if "status" not in line:
        return None
    return ConfigStatus(line["status"]).name, line["hash"]


def _health_in(line: Mapping[str, Any]) -> Content | None:
    """The health; None for an empty one too, which says nothing."""
    health = (line.get("healthy"), line.get("health"), line.get("health_error", ""))
    return health if any(health) else None


def _settings_in(line: Mapping[str, Any]) -> Content | None:
    return (_APPLIED, line["settings"]) if "settings" in line else None


def told_status(data: Mapping[str, Any]) -> Content:
    """A timeline's entry about a remote configuration, or connection settings, as the log has it."""
    return data["status"], data["hash"]


def told_health(data: Mapping[str, Any]) -> Content:
    """A timeline's entry about health, as the log has it."""
    return data["healthy"], data["status"], data["last_error"]
