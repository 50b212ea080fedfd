"""Which configuration versions agents should run and do run, for many agents in one query."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db.models import Q

from agents.models import Agent
from agents.snapshot import ConfigStatus
from fleets.models import Membership, RenderedConfig

K = TypeVar("K", bound=Hashable)


class Pointers(NamedTuple):
    """What decides which versions an agent is shown with: the ids of its membership, the hash it acknowledged."""

    desired_id: UUID | None
    previous_id: UUID | None
    applied_hash: str


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

    @property
    def coming(self) -> str:
        """What it should run, when that is another version: the number alone within one configuration."""
        desired, applied = self.desired, self.applied
        if desired is None or not self.differs:
            return ""
        is_same = applied is not None and applied.configuration_id == desired.configuration_id
        return f"v{desired.number}" if is_same else str(desired)


def membership_of(agent: Agent) -> Membership | None:
    """The agent's membership; None when it has none (reads it unless it was selected with the agent)."""
    try:
        return agent.membership
    except Membership.DoesNotExist:
        return None


def versions_of(agents: Iterable[Agent]) -> dict[UUID, AgentVersions]:
    """Desired and applied version of each agent, by uid, in one query. Needs status and membership selected."""
    return versions_by({agent.pk: _pointers(agent) for agent in agents})


def versions_by(pointers: Mapping[K, Pointers]) -> dict[K, AgentVersions]:
    """The versions behind these, in one query."""
    ids = {
        rendered
        for one in pointers.values()
        for rendered in (one.desired_id, one.previous_id)
        if rendered is not None
    }
    by_id, by_hash = _load(ids, {one.applied_hash for one in pointers.values()} - {""})
    known = {one: _versions(one, by_id, by_hash) for one in set(pointers.values())}
    return {key: known[one] for key, one in pointers.items()}


def acknowledged(status: int, digest: str) -> str:
    """The hash that an agent says it applied; "" when its last word was another."""
    return digest if status == ConfigStatus.APPLIED else ""


def _pointers(agent: Agent) -> Pointers:
    membership = membership_of(agent)
    status = agent.status
    return Pointers(
        membership.desired_id if membership else None,
        membership.previous_id if membership else None,
        acknowledged(status.remote_config_status, status.remote_config_hash),
    )


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
    of: Pointers, by_id: dict[UUID, VersionRef], by_hash: dict[str, VersionRef]
) -> AgentVersions:
    desired = by_id.get(of.desired_id) if of.desired_id else None
    previous = by_id.get(of.previous_id) if of.previous_id else None
    if not of.applied_hash:
        # The last word was "applying" or "failed": what it ran well before is what it runs.
        return AgentVersions(desired, previous)
    # Two versions may share bytes: then the one that is meant is the one it runs.
    applied = next(
        (ref for ref in (desired, previous) if ref and ref.hash == of.applied_hash), None
    )
    return AgentVersions(desired, applied or by_hash.get(of.applied_hash))


def refs_by_hash(hashes: set[str]) -> dict[str, VersionRef]:
    """The versions behind these hashes, in one query."""
    return _load(set(), hashes)[1]
