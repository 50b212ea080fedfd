"""Status rows in hand: locked, edited, derived anew, written back together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet

from agents.models import Agent, AgentStatus
from agents.snapshot import AgentPatch, Capability, ConfigStatus, Transport
from agents.status import StatusFacts, derive
from agents.store.dialects import update_rows
from agents.store.loaded import JUDGED, OF_AGENT, WHOLE, WHOLE_AGENT, AgentRow, StatusRow
from configs.collector.drift import Runs
from telflo.base.hints import touch_on_commit

CALM_AFTER_RESTART: Final = timedelta(seconds=60)
"""A collector that we had restarted stops and starts meanwhile: that is no trouble."""

FENCED_EPOCH: Final = -1
"""The epoch of a session that may not write: plain HTTP beside a live WebSocket of the same uid."""

_DRIFTED: Final = frozenset({Runs.DRIFTED.value, Runs.LACKING.value})
_SHOWN_IN_LISTS = frozenset(
    {"status", "config_status", "health", "connected", "desired_hash", "connection_status"}
)


def lock(uids: Collection[UUID]) -> dict[UUID, StatusRow]:
    """The status rows of these agents, locked until the transaction ends, always in the same order.

    Whoever changes an agent's membership, attempts or targets takes this lock first, so that writers wait for each
    other instead of deadlocking. Only those columns are loaded on which words, offers and rollouts depend: ten
    thousand whole rows take seconds. Unknown uids are absent.
    """
    return lock_found(AgentStatus.objects.filter(agent_id__in=set(uids)))


def lock_found(found: QuerySet[AgentStatus]) -> dict[UUID, StatusRow]:
    """The same lock for those rows that a filter finds."""
    rows = found.select_for_update(no_key=True).order_by("agent_id")
    return _with_agents(StatusRow.all_of(rows, JUDGED), OF_AGENT)


def lock_whole(uids: Collection[UUID], *more: str) -> dict[UUID, StatusRow]:
    """The same lock with all columns but health report and trails, for those who write what agents say of themselves.

    more: columns that are loaded too.
    """
    rows = StatusRow.all_of(_locked(uids), (*WHOLE, *more))
    return _with_agents(rows, WHOLE_AGENT)


def _with_agents(rows: Iterable[StatusRow], columns: Sequence[str]) -> dict[UUID, StatusRow]:
    """The rows by uid, each with these columns of its agent. Their own query, since a join would lock agents too."""
    by_uid = {row.agent_id: row for row in rows}
    for agent in AgentRow.all_of(Agent.objects.filter(pk__in=by_uid), columns):
        by_uid[agent.instance_uid].agent = agent
    return by_uid


def hold(uids: Collection[UUID]) -> None:
    """The same lock for those who read nothing of the rows."""
    list(_locked(uids).values_list("pk"))


def _locked(uids: Collection[UUID]) -> QuerySet[AgentStatus]:
    rows = AgentStatus.objects.select_for_update(no_key=True)
    return rows.filter(agent_id__in=set(uids)).order_by("agent_id")


def lock_open_to_offers(epochs: Mapping[UUID, int]) -> dict[UUID, str]:
    """Lock as `lock` does. Answers what those of these agents acknowledged last ("" for nothing) who are still on the
    session with the given epoch and accept remote configuration. Three columns of a row are much cheaper than the row.
    """
    locked = _locked(epochs.keys()).values_list("agent_id", "session_epoch", "remote_config_hash")
    current = {uid: known for uid, epoch, known in locked if epochs[uid] == epoch}
    accepts = Capability.ACCEPTS_REMOTE_CONFIG.value
    agents = Agent.objects.filter(pk__in=list(current)).alias(
        bits=F("capabilities").bitand(accepts)
    )
    willing = set(agents.exclude(bits=0).values_list("pk", flat=True))
    return {uid: known for uid, known in current.items() if uid in willing}


def facts_of(row: StatusRow) -> StatusFacts:
    """What the word for this row depends on."""
    return StatusFacts(
        connected=row.connected,
        last_seen_at=row.last_seen_at,
        capabilities=row.agent.capabilities,
        is_managed=row.is_managed,
        desired_hash=row.desired_hash,
        attempt_failed=row.attempt_failed,
        remote_config_status=ConfigStatus(row.remote_config_status),
        remote_config_hash=row.remote_config_hash,
        drifted=row.runs in _DRIFTED,
        stale_after=settings.STALE_AFTER,
    )


def is_void(row: StatusRow, patch: AgentPatch, at: datetime) -> bool:
    """Whether what a session said at `at` counts for nothing.

    It is another agent's word, since a client never uses two connections at once (A2): said by plain HTTP beside a live
    WebSocket, or on a WebSocket after a newer one of this uid began.
    """
    if patch.epoch == FENCED_EPOCH:
        return True
    if patch.epoch >= row.session_epoch:
        return False
    is_beside = row.transport == Transport.WEBSOCKET
    return is_beside and row.connected_at is not None and at > row.connected_at


@dataclass(slots=True)
class Edit:
    """A row and which of its columns are to be written."""

    row: StatusRow
    columns: set[str] = field(default_factory=set)

    def put(self, **values: Any) -> None:
        """Set those columns that differ."""
        for name, value in values.items():
            if getattr(self.row, name) != value:
                self.replace(name, value)

    def replace(self, name: str, value: Any) -> None:
        """Set a column without looking at what it held."""
        setattr(self.row, name, value)
        self.columns.add(name)

    def derive(self, now: datetime) -> None:
        """Bring the words up to date; status_since stays while the word does."""
        derived = derive(facts_of(self.row), now)
        if self.row.status != derived.status.value:
            self.put(status=derived.status.value, status_since=now)
        self.put(config_status=derived.config_status.value)

    @property
    def is_visible(self) -> bool:
        """Whether lists and counts show something else now."""
        return not self.columns.isdisjoint(_SHOWN_IN_LISTS)


def write(edits: Iterable[Edit], *, fenced: bool = False) -> None:
    """Write the edited columns of all rows: one statement, and one more for those with a new health report.

    fenced: only where the row's session_epoch is still the one that was loaded (I3).
    """
    dirty = [edit for edit in edits if edit.columns]
    for group in (
        [edit for edit in dirty if "health_report" in edit.columns],
        [edit for edit in dirty if "health_report" not in edit.columns],
    ):
        _write_group(group, ("agent_id", "session_epoch") if fenced else ("agent_id",))


def _write_group(edits: Sequence[Edit], match: tuple[str, ...]) -> None:
    columns = sorted(set().union(*(edit.columns for edit in edits)))
    names = (*match, *columns)
    update_rows(
        AgentStatus,
        match=match,
        columns=columns,
        rows=[[getattr(edit.row, name) for name in names] for edit in edits],
    )


def touch(edits: Iterable[Edit]) -> frozenset[UUID]:
    """Tell open pages about these rows once the transaction holds; answers those that look different in lists."""
    edits = list(edits)
    visible = frozenset(edit.row.agent_id for edit in edits if edit.is_visible)
    topics = {f"agent:{edit.row.agent_id}" for edit in edits}
    if visible:
        topics |= {"agents", "overview"}
    touch_on_commit(topics)
    return visible
