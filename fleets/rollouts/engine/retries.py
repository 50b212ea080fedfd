"""Trying a failed configuration once more: by way of the previous one, since a supervisor that is offered the same
configuration twice in a row says APPLIED while its collector crashes (decision 2).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from agents import store
from agents.models import AgentStatus
from agents.store import StatusRow
from fleets.errors import CannotRetry
from fleets.models import Membership, Quarantine, RenderedConfig, Rollout, Target, TargetState
from fleets.rollouts.engine.desires import applied_hash, hand_down
from fleets.rollouts.placing import WHY_NOT, Again, way_again
from fleets.rollouts.plan import ACTIVE


@dataclass(frozen=True, slots=True)
class RetryWay:
    """What a retry offers: `via` first, when there is one, then what failed."""

    failed: RenderedConfig
    via: RenderedConfig | None


def way_of_retry(uid: UUID) -> RetryWay:
    """How a retry would go now. Raises CannotRetry."""
    return _way(_member(uid), AgentStatus.objects.defer("health_report").get(agent_id=uid))


def retry(uid: UUID, *, now: datetime, of: Rollout | None = None) -> frozenset[UUID]:
    """Offer the previous configuration, wait for APPLIED, then the failed one again. Raises CannotRetry.

    of: only if this rollout brought what failed. Answers the rollouts to advance.
    """
    with transaction.atomic():
        row = store.lock([uid])[uid]
        member = _member(uid)
        way = _way(member, row)
        if of is not None and way.failed.version_id != of.version_id:
            raise CannotRetry(f"Another version is wanted there than the one of {of}.")
        if way.via is not None:
            member.desired, member.retry = way.via, way.failed
            member.save(update_fields=["desired", "retry"])
        Quarantine.objects.filter(agent_id=uid, hash=way.failed.hash).delete()
        rollouts = _wait_again(uid, way.failed, now)
        hand_down([uid], {uid: row}, now=now)
        return rollouts


def _way(member: Membership, row: AgentStatus | StatusRow) -> RetryWay:
    """An agent that went back by itself has acknowledged another configuration: it needs none in between."""
    failed, previous = member.desired, member.previous
    if failed is None or not _is_quarantined(row.agent_id, failed):
        raise CannotRetry("Nothing failed on this collector, so there is nothing to retry.")
    again = way_again(
        failed=failed.hash,
        applied=applied_hash(row),
        previous=previous.hash if previous else "",
        has_previous_failed=previous is not None and _is_quarantined(row.agent_id, previous),
    )
    if again in WHY_NOT:
        raise CannotRetry(WHY_NOT[again])
    return RetryWay(failed, previous if again is Again.VIA_PREVIOUS else None)


def _wait_again(uid: UUID, failed: RenderedConfig, now: datetime) -> frozenset[UUID]:
    targets = Target.objects.filter(
        agent_id=uid, rollout__state__in=ACTIVE, rollout__version_id=failed.version_id
    )
    rollouts = frozenset(targets.values_list("rollout_id", flat=True))
    Target.objects.filter(pk__in=list(targets.values_list("pk", flat=True))).update(
        state=TargetState.WAITING,
        state_since=now,
        reason="",
        failure="",
        failed_at=None,
        has_soaked_anew=False,
    )
    return rollouts


def _is_quarantined(uid: UUID, rendered: RenderedConfig) -> bool:
    return Quarantine.objects.filter(agent_id=uid, hash=rendered.hash).exists()


def _member(uid: UUID) -> Membership:
    members = Membership.objects.select_related(
        "desired__version__configuration", "previous__version__configuration"
    )
    heavy = [
        f"{name}__{text}" for name in ("desired", "previous") for text in ("body", "version__yaml")
    ]
    return members.defer(*heavy).get(agent_id=uid)
