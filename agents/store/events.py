"""The timeline: facts become rows that are only added and pruned. What they hold is redacted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from agents.models import AgentEvent
from agents.snapshot import AgentPatch, ConfigStatus, Fact, FactKind
from agents.store.dialects import insert_rows
from telflo.base.ids import id_at, id_of
from telflo.base.redaction import redact_text

RETRIED: Final = "retried"
"""A person had what failed tried once more: what is answered then is news."""
RESTARTING: Final = "restarting"
"""In the data of a step of a restart that we asked for."""
_FAILED: Final = ConfigStatus.FAILED.name


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One thing that happened to an agent. data is JSON, redacted by the caller.

    place: of what may be written again, since no answer came, among all that is told with it; it is kept once.
    """

    instance_uid: UUID
    at: datetime
    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    place: int | None = None

    def id(self) -> UUID:
        """Of its row."""
        if self.place is None:
            return id_at(self.at)
        data = {name: value for name, value in self.data.items() if name != RESTARTING}
        return id_of(self.at, f"{self.instance_uid} {self.kind} {data}", self.place)


def add_events(events: Iterable[NewEvent]) -> None:
    """Put into the timelines, where each belongs by its time: a slow process may write late. The agents exist."""
    insert_rows(
        AgentEvent,
        columns=("id", "agent_id", "at", "kind", "data"),
        rows=[
            (event.id(), event.instance_uid, event.at, event.kind, event.data) for event in events
        ],
        ignore_conflicts=True,
    )


def from_facts(patch: AgentPatch) -> Iterator[NewEvent]:
    """The facts that people read in a timeline, in order.

    CONNECTED is left to open_sessions, which knows whether the agent was away; FULL_STATE is the protocol's business.
    """
    for place, fact in enumerate(patch.facts):
        data = _data_of(fact)
        if data is not None:
            yield NewEvent(patch.instance_uid, fact.at, fact.kind.value, data, place)


def without_repeats(events: Sequence[NewEvent]) -> list[NewEvent]:
    """The events but for failures that were told already in the same words, with no other answer or retry since.

    A supervisor that went back to its version before keeps FAILED on its disk, and tells it anew when it starts. One
    query, and only when something failed.
    """
    last = _last_told(event for event in events if _failure(event.kind, event.data))
    news = []
    for event in events:
        failure = _failure(event.kind, event.data)
        pair = event.instance_uid, str(event.data.get("hash", ""))
        if failure and failure == last.get(pair):
            continue
        if event.kind == FactKind.REMOTE_CONFIG:
            last[pair] = failure
        news.append(event)
    return news


def _last_told(failures: Iterable[NewEvent]) -> dict[tuple[UUID, str], str]:
    """How each of these hashes failed on its agent when told of last; "" where another answer or a retry came since."""
    pairs = {(event.instance_uid, str(event.data["hash"])) for event in failures}
    if not pairs:
        return {}
    of_hash = Q(kind=FactKind.REMOTE_CONFIG, data__hash__in={digest for _, digest in pairs})
    rows = AgentEvent.objects.filter(
        of_hash | Q(kind=RETRIED), agent_id__in={uid for uid, _ in pairs}
    )
    last: dict[tuple[UUID, str], str] = {}
    for uid, kind, data in rows.order_by("id").values_list("agent_id", "kind", "data"):
        if kind == RETRIED:
            last.update({pair: "" for pair in pairs if pair[0] == uid})
        else:
            last[uid, data["hash"]] = _failure(kind, data)
    return last


def _failure(kind: str, data: Mapping[str, Any]) -> str:
    """What tells one failure from another; "" for what is none."""
    is_failure = kind == FactKind.REMOTE_CONFIG and data.get("status") == _FAILED
    return f"failed: {data.get('error', '')}" if is_failure else ""


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
