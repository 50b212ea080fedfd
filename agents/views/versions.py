"""Which configuration versions agents should run and do run, for many agents in one query."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from agents.models import Agent, AgentStatus
from agents.snapshot import ConfigStatus
from fleets.models import Membership, RenderedConfig


@dataclass(frozen=True, slots=True)
class VersionRef:
    """A version as pages and answers name it."""

    id: UUID
    configuration: str
    configuration_id: UUID
    number: int
    hash: str

    def __str__(self) -> str:
        """For people: "edge v4"."""
        return f"{self.configuration} v{self.number}"


@dataclass(frozen=True, slots=True)
class AgentVersions:
    """What one agent should run and what it runs; None where there is nothing or nothing is known."""

    desired: VersionRef | None = None
    applied: VersionRef | None = None

    @property
    def differs(self) -> bool:
        """Whether the two are not the same version."""
        return getattr(self.desired, "id", None) != getattr(self.applied, "id", None)


def membership_of(agent: Agent) -> Membership | None:
    """The agent's membership; None when it has none (reads it unless it was selected with the agent)."""
    try:
        return agent.membership
    except Membership.DoesNotExist:
        return None


def versions_of(agents: Iterable[Agent]) -> dict[UUID, AgentVersions]:
    """Desired and applied version of each agent, by uid, in one query. Needs status and membership selected."""
    pairs = [(agent, membership_of(agent)) for agent in agents]
    ids = {
        rendered
        for _, membership in pairs
        if membership is not None
        for rendered in (membership.desired_id, membership.previous_id)
        if rendered is not None
    }
    hashes = {h for agent, _ in pairs if (h := acknowledged(agent.status))}
    by_id, by_hash = _load(ids, hashes)
    return {
        agent.pk: _versions(agent.status, membership, by_id, by_hash) for agent, membership in pairs
    }


def acknowledged(status: AgentStatus) -> str:
    """The hash that the agent says it applied; "" when its last word was another."""
    is_applied = status.remote_config_status == ConfigStatus.APPLIED
    return status.remote_config_hash if is_applied else ""


def _load(ids: set[UUID], hashes: set[str]) -> tuple[dict[UUID, VersionRef], dict[str, VersionRef]]:
    """The versions behind rendered configurations, by id and by hash, without their texts."""
    by_id: dict[UUID, VersionRef] = {}
    by_hash: dict[str, VersionRef] = {}
    rows = RenderedConfig.objects.filter(Q(id__in=ids) | Q(hash__in=hashes)).values_list(
        "id",
        "hash",
        "version_id",
        "version__number",
        "version__configuration_id",
        "version__configuration__name",
    )
    for rendered_id, digest, version_id, number, configuration_id, name in rows:
        ref = VersionRef(version_id, name, configuration_id, number, digest)
        by_id[rendered_id] = ref
        by_hash[digest] = ref
    return by_id, by_hash


def _versions(
    status: AgentStatus,
    membership: Membership | None,
    by_id: dict[UUID, VersionRef],
    by_hash: dict[str, VersionRef],
) -> AgentVersions:
    desired = previous = None
    if membership is not None:
        desired = by_id.get(membership.desired_id) if membership.desired_id else None
        previous = by_id.get(membership.previous_id) if membership.previous_id else None
    digest = acknowledged(status)
    if not digest:
        # The last word was "applying" or "failed": what it ran well before is what it runs.
        return AgentVersions(desired, previous)
    # Two versions may share bytes: then the one that is meant is the one it runs.
    applied = next((ref for ref in (desired, previous) if ref and ref.hash == digest), None)
    return AgentVersions(desired, applied or by_hash.get(digest))


def refs_by_hash(hashes: set[str]) -> dict[str, VersionRef]:
    """The versions behind these hashes, in one query."""
    return _load(set(), hashes)[1]
