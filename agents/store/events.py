"""The timeline: facts become rows that are only added and pruned. What they hold is redacted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from agents.models import AgentEvent
from agents.snapshot import AgentPatch, Fact, FactKind
from agents.store.dialects import insert_rows
from telflo.base.ids import id_at
from telflo.base.redaction import redact_text


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One thing that happened to an agent. data is JSON, redacted by the caller."""

    instance_uid: UUID
    at: datetime
    kind: str
    data: dict[str, Any] = field(default_factory=dict)


def add_events(events: Iterable[NewEvent]) -> None:
    """Put into the timelines, where each belongs by its time: a slow process may write late. The agents exist."""
    insert_rows(
        AgentEvent,
        columns=("id", "agent_id", "at", "kind", "data"),
        rows=[
            (id_at(event.at), event.instance_uid, event.at, event.kind, event.data)
            for event in events
        ],
    )


def from_facts(patch: AgentPatch) -> Iterator[NewEvent]:
    """The facts that people read in a timeline, in order.

    CONNECTED is left to open_sessions, which knows whether the agent was away; FULL_STATE is the protocol's business.
    """
    for fact in patch.facts:
        data = _data_of(fact)
        if data is not None:
            yield NewEvent(patch.instance_uid, fact.at, fact.kind.value, data)


def _data_of(fact: Fact) -> dict[str, Any] | None:
    if fact.kind in {FactKind.CONNECTED, FactKind.FULL_STATE}:
        return None
    if fact.remote_config is not None:
        report = fact.remote_config
        error = redact_text(report.error)
        return {"status": report.status.name, "hash": report.hash, "error": error}
    if fact.connection is not None:
        said = fact.connection
        return {"status": said.status.name, "hash": said.hash, "error": redact_text(said.error)}
    if fact.health is not None:
        health = fact.health
        if health.says_nothing:
            return None
        error = redact_text(health.last_error)
        return {"healthy": health.healthy, "status": health.status, "last_error": error}
    return {"reason": fact.reason} if fact.reason else {}
