"""Offers and their answers as rows of a table, and what is not offered any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from agents.lastwords import gist_of
from agents.models import Agent, AgentStatus
from agents.views.versions import VersionRef, refs_by_hash
from agents.wording import hint_for
from fleets.models import Attempt, AttemptState, Quarantine
from fleets.rollouts.past import WHY_FAILED
from telflo.base.redaction import redact_text

_LOOKS: Final[Mapping[str, str]] = {
    AttemptState.OFFERED: "offered",
    AttemptState.APPLYING: "applying",
    AttemptState.APPLIED: "succeeded",
    AttemptState.FAILED: "failed",
    AttemptState.LOST: "excluded",
    AttemptState.TIMED_OUT: "failed",
}
"""The state of a target that looks like each state of an attempt."""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One offer. look: a state of the vocabulary "target"; took: from offer to answer."""

    id: UUID
    version: VersionRef | None
    hash: str
    look: str
    word: str
    offered_at: datetime
    took: str
    rollout: int | None
    error: str


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A version that failed here and is not offered again until a person retries it."""

    version: VersionRef | None
    hash: str
    since: datetime
    error: str


def attempt_rows(attempts: Sequence[Attempt]) -> list[AttemptRow]:
    """The rows of these attempts, in one query."""
    names = refs_by_hash({attempt.hash for attempt in attempts})
    return [
        AttemptRow(
            id=attempt.pk,
            version=names.get(attempt.hash),
            hash=attempt.hash,
            look=_LOOKS[attempt.state],
            word=AttemptState(attempt.state).label,
            offered_at=attempt.offered_at,
            took=_took(attempt),
            rollout=attempt.rollout.number if attempt.rollout else None,
            error=redact_text(gist_of(attempt.error)),
        )
        for attempt in attempts
    ]


def quarantined_rows(agent: Agent) -> list[QuarantinedRow]:
    """What is not offered to this agent any more, newest first, in two queries."""
    rows = list(Quarantine.objects.filter(agent=agent).annotate(why=WHY_FAILED).order_by("-since"))
    names = refs_by_hash({row.hash for row in rows})
    return [
        QuarantinedRow(
            version=names.get(row.hash),
            hash=row.hash,
            since=row.since,
            error=redact_text(row.why),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the version that the collector should run failed there, and what to add to that.

    error: what of its answer says why; the whole is among the attempts.
    """

    error: str
    at: datetime | None
    hint: str


def failure_of(status: AgentStatus, quarantined: Sequence[QuarantinedRow]) -> Failure | None:
    """Why it does not run what it should; kept when it acknowledges its version before (rolled back)."""
    if status.config_status not in {"failed", "rolled_back"}:
        return None
    found = next((row for row in quarantined if row.hash == status.desired_hash), None)
    if found is not None and found.error:
        return Failure(gist_of(found.error), found.since, hint_for(found.error))
    error = redact_text(gist_of(status.remote_config_error))
    return Failure(error, status.remote_config_at, hint_for(error)) if error else None


def _took(attempt: Attempt) -> str:
    if attempt.answered_at is None:
        return ""
    seconds = (attempt.answered_at - attempt.offered_at).total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min"
