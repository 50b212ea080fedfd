"""What a ledger holds of attempts, targets and members, as plain values: batches have five hundred agents."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import F, Q

from fleets.models import Attempt, Membership, Target, TargetState
from fleets.rollouts.engine.states import OPEN_TARGETS
from fleets.rollouts.plan import ACTIVE


class Rendered(NamedTuple):
    """What can be offered, without its body."""

    id: UUID
    hash: str
    version_id: UUID


@dataclass(slots=True)
class AttemptEntry:
    """An offer; see fleets.models.Attempt."""

    id: UUID
    agent_id: UUID
    hash: str
    epoch: int
    rollout_id: UUID | None
    state: str
    deadline: datetime
    error: str = ""


@dataclass(slots=True)
class TargetEntry:
    """An agent in a rollout, with what is so of the rollout; see fleets.models.Target.

    is_retried: since the rollout is over.
    """

    id: UUID
    agent_id: UUID
    rollout_id: UUID
    state: str
    version_id: UUID
    rollout_state: str
    soak_s: int
    soak_until: datetime | None
    is_unverified: bool
    failure: str
    failed_at: datetime | None
    has_soaked_anew: bool
    is_retried: bool
    reason: str = ""


@dataclass(slots=True)
class MemberEntry:
    """What a member should run, and what is tried again after that; see fleets.models.Membership."""

    agent_id: UUID
    desired: Rendered | None
    retry: Rendered | None


def attempts(uids: Collection[UUID], wanted: Q) -> Iterator[AttemptEntry]:
    """Those of these agents' attempts that are wanted, oldest first."""
    found = Attempt.objects.filter(wanted, agent_id__in=uids).order_by("id")
    names = ("id", "agent_id", "hash", "epoch", "rollout_id", "state", "deadline")
    return (AttemptEntry(*row) for row in found.values_list(*names))


def targets(uids: Collection[UUID], rollouts: Collection[UUID]) -> Iterator[TargetEntry]:
    """Where these agents are in active rollouts and in those that are named, and where something is expected of them
    still: a rollout that was cancelled, or that succeeded before they returned, is over without them.
    """
    expected = Q(state__in=(*OPEN_TARGETS, TargetState.SOAKING))
    wanted = Q(rollout__state__in=ACTIVE) | Q(rollout_id__in=rollouts) | expected
    names = (
        *("id", "agent_id", "rollout_id", "state", "rollout__version_id", "rollout__state"),
        *("rollout__soak_s", "soak_until", "is_unverified", "failure", "failed_at"),
        *("has_soaked_anew", "is_retried"),
    )
    found = Target.objects.filter(wanted, agent_id__in=uids)
    found = found.annotate(is_retried=Q(retried_at__gt=F("rollout__finished_at")))
    return (TargetEntry(*row) for row in found.values_list(*names))


def members(uids: Collection[UUID]) -> Iterator[MemberEntry]:
    """The members among these agents."""
    names = ("agent_id", *_columns("desired"), *_columns("retry"))
    found = Membership.objects.filter(agent_id__in=uids).values_list(*names)
    for uid, *rest in found:
        yield MemberEntry(uid, _rendered(*rest[:3]), _rendered(*rest[3:]))


def _rendered(pk: UUID | None, digest: str, version_id: UUID) -> Rendered | None:
    return None if pk is None else Rendered(pk, digest, version_id)


def _columns(name: str) -> tuple[str, ...]:
    return f"{name}_id", f"{name}__hash", f"{name}__version_id"
