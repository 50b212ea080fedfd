"""What stands in the server's database, read from outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg

from tests.chaos.belief import Belief
from tests.chaos.stages import StagedRollout, StageRow, TargetRow

_BELIEFS: Final = """
    SELECT status.agent_id, status.connected, status.sequence_num, status.remote_config_hash,
        status.remote_config_status, status.effective_config_id, status.health,
        status.reported_status, status.last_error, member.fleet_id, rendered.hash,
        EXISTS (SELECT 1 FROM fleets_quarantine
            WHERE agent_id = status.agent_id AND hash = rendered.hash),
        agent.identifying, agent.non_identifying, agent.components_id,
        held.offered_hash, held.heartbeat_s, status.connection_hash
    FROM agents_agentstatus AS status
    JOIN agents_agent AS agent ON agent.instance_uid = status.agent_id
    LEFT JOIN fleets_agentconnection AS held ON held.agent_id = status.agent_id
    JOIN fleets_membership AS member ON member.agent_id = status.agent_id
    LEFT JOIN fleets_renderedconfig AS rendered ON rendered.id = member.desired_id
"""
_EVENTS: Final = """
    SELECT id, agent_id, extract(epoch FROM at)::float8, kind, data FROM agents_agentevent
    WHERE at >= %s AND kind IN
        ('remote_config', 'health', 'connection_settings', 'settings_sent', 'connected')
    ORDER BY at, id
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
_SESSION: Final = """
    SELECT status.session_epoch, status.transport, status.sequence_num, status.doubtful_num, status.health,
        status.last_seen_at, status.full_state_at, status.trails,
        held.offered_epoch, held.offered_at, held.counted_from
    FROM agents_agentstatus AS status
    LEFT JOIN fleets_agentconnection AS held ON held.agent_id = status.agent_id
    WHERE status.agent_id = %s
"""
_UNSETTLED: Final = """
    SELECT 'rollout #' || number || ' is ' || state FROM fleets_rollout
    WHERE NOT automatic_rollback AND state NOT IN ('succeeded', 'paused', 'superseded')
        OR automatic_rollback AND created_at < %s
            AND state NOT IN ('succeeded', 'rolled_back', 'superseded')
"""
_SUCCEEDED: Final = "SELECT id FROM fleets_rollout WHERE state = 'succeeded'"
_STAGES: Final = """
    SELECT rollout.id, rendered.hash, rollout.state, stage.index, stage.state,
        extract(epoch FROM stage.started_at)::float8, extract(epoch FROM stage.finished_at)::float8,
        extract(epoch FROM stage.bake_until)::float8
    FROM fleets_rollout AS rollout
    JOIN fleets_renderedconfig AS rendered ON rendered.version_id = rollout.version_id
    JOIN fleets_stage AS stage ON stage.rollout_id = rollout.id
    WHERE rollout.automatic_rollback AND rollout.created_at >= %s ORDER BY rollout.id, stage.index
"""
_TARGETS: Final = """
    SELECT target.rollout_id, target.agent_id, stage.index, target.state
    FROM fleets_target AS target
    JOIN fleets_stage AS stage ON stage.id = target.stage_id
    JOIN fleets_rollout AS rollout ON rollout.id = target.rollout_id
    WHERE rollout.automatic_rollback AND rollout.created_at >= %s
"""
_OFFERS: Final = """
    SELECT rollout_id, agent_id, hash, extract(epoch FROM offered_at)::float8,
        CASE WHEN state IN ('failed', 'timed_out') THEN extract(epoch FROM answered_at)::float8 END
    FROM fleets_attempt WHERE rollout_id = ANY(%s)
"""


class Event(NamedTuple):
    """An entry of a timeline. at: Unix time."""

    id: UUID
    uid: UUID
    at: float
    kind: str
    data: Mapping[str, Any]


class Offer(NamedTuple):
    """One offer of a rollout: what was sent, when, and when it failed. Unix times."""

    hash: str
    at: float
    failed_at: float | None


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

    def unsettled(self, staged_since: float) -> list[str]:
        """Rollouts that still expect something; those in stages only if they began before a time (Unix)."""
        return [
            text for (text,) in self.rows(_UNSETTLED, datetime.fromtimestamp(staged_since, UTC))
        ]

    def succeeded(self) -> set[str]:
        """The ids of rollouts that ended well."""
        return {str(row[0]) for row in self.rows(_SUCCEEDED)}

    def staged(self, since: float) -> list[StagedRollout]:
        """The rollouts in stages that began at a time (Unix) or later."""
        moment = datetime.fromtimestamp(since, UTC)
        found: dict[UUID, StagedRollout] = {}
        for rollout, version, state, *stage in self.rows(_STAGES, moment):
            found.setdefault(rollout, StagedRollout(str(rollout), version, state)).stages.append(
                StageRow(*stage)
            )
        offers = self._offers(found)
        for rollout, uid, index, at_last in self.rows(_TARGETS, moment):
            if rollout in found:
                mine = offers[rollout, uid]
                failed = [ended for _, _, ended in mine if ended is not None]
                offered = [at for sent, at, _ in mine if sent == found[rollout].hash]
                target = TargetRow(index, at_last, min(failed, default=None), offered)
                found[rollout].targets[uid] = target
        return list(found.values())

    def _offers(self, rollouts: Iterable[UUID]) -> Mapping[tuple[UUID, UUID], list[Offer]]:
        """By rollout and agent."""
        found: defaultdict[tuple[UUID, UUID], list[Offer]] = defaultdict(list)
        for rollout, uid, *offer in self.rows(_OFFERS, list(rollouts)):
            found[rollout, uid].append(Offer(*offer))
        return found

    def attempts(self, uid: UUID) -> str:
        """All offers to an agent, for a failure's text."""
        return "\n".join(" ".join(map(str, row)) for row in self.rows(_ATTEMPTS, uid))

    def session(self, uid: UUID) -> str:
        """The numbers and times of an agent's last session and of what it was offered, for a failure's text."""
        return "\n".join(" ".join(map(str, row)) for row in self.rows(_SESSION, uid))

    def reports_of(self, pid: int) -> int:
        """How often a part with this process id wrote that it runs: its row, or none."""
        return len(self.rows("SELECT 1 FROM system_serverprocess WHERE pid = %s", pid))

    def rows(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        """What a SELECT answers."""
        with psycopg.connect(self.url, connect_timeout=10) as connection:
            return connection.execute(statement.encode(), values or None).fetchall()
