"""A fleet's collectors on its page: the most urgent ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import OuterRef, Q, Subquery

from agents.models import Agent, Status
from agents.snapshot import ConfigStatus
from agents.views.paging import BY_URGENCY
from agents.views.rows import build_name
from fleets.models import Fleet, Quarantine, RenderedConfig
from fleets.rollouts.past import WHY_FAILED
from telflo.base.redaction import redact_text

FIRST_ROWS: Final = 25
_QUARANTINED: Final = Quarantine.objects.filter(
    agent=OuterRef("pk"), hash=OuterRef("status__desired_hash")
)
"""What holds the version that an agent should run back from it."""
_COLUMNS: Final = (
    "display_name",
    "collector_name",
    "collector_version",
    "host_name",
    "os_type",
    "status__status",
    "status__status_since",
    "status__health",
    "status__last_seen_at",
    "status__remote_config_status",
    "status__config_status",
    "status__remote_config_hash",
    "status__remote_config_error",
    "membership__desired_id",
    "membership__previous_id",
)


@dataclass(frozen=True, slots=True)
class CollectorRow:
    """One collector; `runs` and `wanted` are versions in words, "" when there is none.

    failure: why the version that it should run failed there, redacted; has_failed: whether it failed it.
    """

    agent: Agent
    runs: str
    wanted: str
    failure: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether the version that it should run failed here, also when it is away now."""
        return self.agent.status.config_status in (Status.FAILED, Status.ROLLED_BACK)

    @property
    def wanted_short(self) -> str:
        """The version it should run, without the name when it is that of what it runs: "v4"."""
        name, _, number = self.wanted.rpartition(" ")
        return number if self.runs.rpartition(" ")[0] == name else self.wanted

    @property
    def build(self) -> str:
        """Its build as people call it: `contrib 0.158.0`."""
        return build_name(self.agent.collector_name, self.agent.collector_version)


def first_collectors(fleet: Fleet) -> list[CollectorRow]:
    """Those that need attention first, then by name; two queries."""
    found = Agent.objects.filter(membership__fleet=fleet).select_related("status", "membership")
    found = found.annotate(quarantine_error=Subquery(_QUARANTINED.values(why=WHY_FAILED)[:1]))
    agents: list[Any] = list(
        found.only(*_COLUMNS).order_by(BY_URGENCY, "display_name")[:FIRST_ROWS]
    )
    by_id, by_hash = _versions(agents)
    rows = []
    for agent in agents:
        is_applied = agent.status.remote_config_status == ConfigStatus.APPLIED
        runs = (
            by_hash.get(agent.status.remote_config_hash, "")
            if is_applied
            else by_id.get(str(agent.membership.previous_id), "")
        )
        wanted = by_id.get(str(agent.membership.desired_id), "")
        error = agent.quarantine_error or agent.status.remote_config_error
        rows.append(CollectorRow(agent, runs, wanted, redact_text(error)))
    return rows


def _versions(agents: Sequence[Agent]) -> tuple[dict[str, str], dict[str, str]]:
    """The names of the versions that these run or should run, by id and by hash of what was rendered."""
    ids = {
        key for a in agents for key in (a.membership.desired_id, a.membership.previous_id) if key
    }
    hashes = {agent.status.remote_config_hash for agent in agents} - {""}
    rows = list(
        RenderedConfig.objects.filter(Q(id__in=ids) | Q(hash__in=hashes)).values_list(
            "id", "hash", "version__configuration__name", "version__number"
        )
    )
    by_id = {str(key): f"{name} v{number}" for key, _, name, number in rows}
    by_hash = {digest: f"{name} v{number}" for _, digest, name, number in rows}
    # Two versions may share bytes: then the one that is meant is the one that runs.
    by_hash |= {digest: by_id[str(key)] for key, digest, _, _ in rows if key in ids}
    return by_id, by_hash
