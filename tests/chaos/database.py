"""What stands in the server's database, read from outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg

from tests.chaos.belief import Belief

_BELIEFS: Final = """
    SELECT status.agent_id, status.connected, status.sequence_num, status.remote_config_hash,
        status.remote_config_status, status.effective_config_id, status.health,
        status.reported_status, status.last_error, member.fleet_id, rendered.hash,
        EXISTS (SELECT 1 FROM fleets_quarantine
            WHERE agent_id = status.agent_id AND hash = rendered.hash)
    FROM agents_agentstatus AS status
    JOIN fleets_membership AS member ON member.agent_id = status.agent_id
    LEFT JOIN fleets_renderedconfig AS rendered ON rendered.id = member.desired_id
"""
_EVENTS: Final = """
    SELECT id, agent_id, extract(epoch FROM at)::float8, kind, data FROM agents_agentevent
    WHERE at >= %s AND kind IN ('remote_config', 'health', 'connected') ORDER BY at, id
"""
_TWICE: Final = """
    SELECT agent_id, hash FROM (
        SELECT agent_id, hash, lag(hash) OVER (PARTITION BY agent_id ORDER BY id) AS before
        FROM fleets_attempt WHERE state <> 'lost'
    ) AS sent WHERE hash = before
"""
_ATTEMPTS: Final = """
    SELECT offered_at, epoch, state, left(hash, 12), error FROM fleets_attempt
    WHERE agent_id = %s ORDER BY id
"""
_UNSETTLED: Final = """
    SELECT 'rollout #' || number || ' is ' || state FROM fleets_rollout
    WHERE state NOT IN ('succeeded', 'paused', 'superseded')
"""


class Event(NamedTuple):
    """An entry of a timeline. at: Unix time."""

    id: UUID
    uid: UUID
    at: float
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Database:
    """Reads a PostgreSQL database."""

    url: str

    def beliefs(self) -> dict[UUID, Belief]:
        """All agents."""
        return {row[0]: Belief(*row) for row in self.rows(_BELIEFS)}

    def events(self, since: float) -> dict[UUID, list[Event]]:
        """What the timelines tell of a time (Unix) and later, in order, by agent."""
        found: defaultdict[UUID, list[Event]] = defaultdict(list)
        for row in self.rows(_EVENTS, datetime.fromtimestamp(since, UTC)):
            event = Event(*row)
            found[event.uid].append(event)
        return found

    def offered_twice(self) -> list[str]:
        """Attempts that followed one of the same hash, which may have arrived, with no other in between."""
        return [f"{uid} was sent {sent[:12]} twice" for uid, sent in self.rows(_TWICE)]

    def unsettled(self) -> list[str]:
        """Rollouts that still expect something."""
        return [text for (text,) in self.rows(_UNSETTLED)]

    def attempts(self, uid: UUID) -> str:
        """All offers to an agent, for a failure's text."""
        return "\n".join(" ".join(map(str, row)) for row in self.rows(_ATTEMPTS, uid))

    def reports_of(self, pid: int) -> int:
        """How often a part with this process id wrote that it runs: its row, or none."""
        return len(self.rows("SELECT 1 FROM system_serverprocess WHERE pid = %s", pid))

    def rows(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        """What a SELECT answers."""
        with psycopg.connect(self.url, connect_timeout=10) as connection:
            return connection.execute(statement.encode(), values or None).fetchall()
