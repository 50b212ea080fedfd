"""The attempts in the server's database, read from outside: the truth about what was offered, and how often."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg

_ATTEMPTS: Final = """
    SELECT version.number, attempt.hash, attempt.state, attempt.error, attempt.offered_at, attempt.answered_at,
        attempt.agent_id
    FROM fleets_attempt AS attempt
    JOIN fleets_renderedconfig AS rendered ON rendered.id = attempt.rendered_id
    JOIN configs_configversion AS version ON version.id = rendered.version_id
    ORDER BY attempt.id
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One offer of a version to an agent."""

    version: int
    hash: str
    state: str
    error: str
    offered_at: datetime
    answered_at: datetime | None
    agent: UUID


class Ledger(ABC):
    """Reads the database of an installation, whether that runs or not."""

    @abstractmethod
    def rows(self, statement: str) -> Sequence[Sequence[Any]]:
        """What a SELECT answers."""

    def attempts(self, version: int | None = None) -> list[Attempt]:
        """All offers, or those of a version, oldest first."""
        rows = [_attempt(*row) for row in self.rows(_ATTEMPTS)]
        return [row for row in rows if version in (None, row.version)]

    def sent(self, version: int) -> list[Attempt]:
        """The offers of a version that may have reached the agent: not those that are proved lost."""
        return [attempt for attempt in self.attempts(version) if attempt.state != "lost"]


@dataclass(frozen=True, slots=True)
class SqliteLedger(Ledger):
    """Reads a SQLite file."""

    database: Path

    def rows(self, statement: str) -> Sequence[Sequence[Any]]:
        """What a SELECT answers."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return connection.execute(statement).fetchall()


@dataclass(frozen=True, slots=True)
class PostgresLedger(Ledger):
    """Reads a PostgreSQL database."""

    url: str

    def rows(self, statement: str) -> Sequence[Sequence[Any]]:
        """What a SELECT answers."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement.encode()).fetchall()


def _attempt(
    version: int,
    digest: str,
    state: str,
    error: str,
    offered_at: str | datetime,
    answered_at: str | datetime | None,
    agent: str | UUID,
) -> Attempt:
    answered = _time(answered_at) if answered_at else None
    uid = UUID(str(agent))
    return Attempt(version, digest, state, error, _time(offered_at), answered, uid)


def _time(value: str | datetime) -> datetime:
    """SQLite keeps times as texts in UTC."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)
