"""Rows as plain values: a model instance takes ten times as long to make, and batches have five hundred of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from django.db.models import QuerySet

from agents.models import AgentStatus


class Loaded:
    """The columns that were asked for, as attributes. The others are not there."""

    def __init__(self, names: Sequence[str], values: Iterable[Any]) -> None:
        self.__dict__.update(zip(names, values, strict=True))

    @classmethod
    def all_of(cls, rows: QuerySet[Any], names: Sequence[str]) -> list[Self]:
        """One for each row."""
        return [cls(names, values) for values in rows.values_list(*names)]


class AgentRow(Loaded):
    """An agent beside its status row. Those who lock whole rows have all of these, others the first three."""

    instance_uid: UUID
    display_name: str
    capabilities: int
    name: str
    custom_capabilities: list[str]
    components_id: str | None

    def __str__(self) -> str:
        """For people and logs."""
        return self.display_name or str(self.instance_uid)


class StatusRow(Loaded):
    """A status row in hand: columns of agents.models.AgentStatus."""

    agent: AgentRow
    agent_id: UUID
    session_epoch: int
    sequence_num: int | None
    doubtful_num: int | None
    connected: bool
    transport: str
    remote_address: str
    interval_s: int
    connected_at: datetime | None
    last_seen_at: datetime | None
    full_state_at: datetime | None
    restarted_at: datetime | None
    trails: dict[str, Any] | None
    health: str
    reported_healthy: bool | None
    reported_status: str
    last_error: str
    remote_config_status: int
    remote_config_hash: str
    remote_config_error: str
    connection_status: int
    connection_hash: str
    connection_error: str
    effective_config_id: str | None
    components_hash: str
    runs: str
    compare_due: bool
    is_managed: bool
    desired_hash: str
    attempt_failed: bool
    status: str
    config_status: str


JUDGED: Final = (
    "agent_id",
    "session_epoch",
    "sequence_num",
    "connected",
    "connected_at",
    "last_seen_at",
    "transport",
    "interval_s",
    "remote_config_status",
    "remote_config_hash",
    "is_managed",
    "desired_hash",
    "attempt_failed",
    "effective_config_id",
    "runs",
    "compare_due",
    "status",
    "status_since",
    "config_status",
    "disconnected_at",
)
"""What words, offers and rollouts depend on."""

WHOLE: Final = tuple(
    field.attname
    for field in AgentStatus._meta.concrete_fields
    if field.attname not in {"health_report", "trails"}
)
"""All but what is large or seldom asked for."""

OF_AGENT: Final = ("instance_uid", "display_name", "capabilities")
WHOLE_AGENT: Final = (*OF_AGENT, "name", "custom_capabilities", "components_id")
