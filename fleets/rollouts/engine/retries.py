"""Trying a failed configuration once more: by way of the previous one, since a supervisor that is offered the same
configuration twice in a row says APPLIED while its collector crashes (decision 2).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from agents import store
from agents.models import AgentStatus
from agents.store import StatusRow
from fleets.errors import CannotRetry
from fleets.models import (
    Membership,
    Quarantine,
    RenderedConfig,
    Rollout,
    Target,
    TargetState,
)
from fleets.rollouts.engine.desires import applied_hash, hand_down
from fleets.rollouts.engine.states import STILL_GIVES
from fleets.rollouts.placing import WHY_NOT, Again, way_again


@dataclass(frozen=True, slots=True)
class RetryWay:
    """What a retry offers: `via` first, when there is one, then what failed."""

    failed: RenderedConfig
    via: RenderedConfig | None


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of retrying several. rollouts: to advance · refused: why others were not, in words."""

    rollouts: frozenset[UUID]
    refused: Mapping[UUID, str]


def way_of_retry(uid: UUID) -> RetryWay:
    """How a retry would go now. Raises CannotRetry."""
    row = AgentStatus.objects.defer("health_report").get(agent_id=uid)
    return _way(_members([uid])[0], row, _quarantined([uid]))


def retry(uid: UUID, *, now: datetime, of: Rollout | None = None) -> frozenset[UUID]:
    """Offer the previous configuration, wait for APPLIED, then the failed one again. Raises CannotRetry.

    of: only if this rollout brought what failed. Answers the rollouts to advance.
    """
    done = retry_many([uid], now=now, of=of)
    if uid in done.refused:
        raise CannotRetry(done.refused[uid])
    return done.rollouts


def retry_many(uids: Collection[UUID], *, now: datetime, of: Rollout | None = None) -> Retried:
    """The same for these members, each by its own way: a fixed number of statements."""
    with transaction.atomic():
        rows = store.lock(list(uids))
        quarantined = _quarantined(uids)
        ways: dict[UUID, RetryWay] = {}
        refused: dict[UUID, str] = {}
        for member in _members(rows):
            uid = member.agent_id
            try:
                ways[uid] = _way_in(of, member, rows[uid], quarantined)
            except CannotRetry as error:
                refused[uid] = error.message
        rollouts = _go(ways, rows, quarantined, now) if ways else frozenset()
        hand_down(ways, rows, now=now)
        return Retried(rollouts, refused)


def _go(
    ways: Mapping[UUID, RetryWay],
    rows: Mapping[UUID, StatusRow],
    quarantined: Mapping[tuple[UUID, str], UUID],
    now: datetime,
) -> frozenset[UUID]:
    by_way = [uid for uid, way in ways.items() if way.via is not None]
    going_back = Membership.objects.filter(agent_id__in=by_way)
    going_back.update(desired=F("previous"), retry=F("desired"))
    lifted = [quarantined[uid, way.failed.hash] for uid, way in ways.items()]
    Quarantine.objects.filter(pk__in=lifted).delete()
    return _wait_again({uid: way.failed.version_id for uid, way in ways.items()}, rows, now)


def _way_in(
    of: Rollout | None,
    member: Membership,
    row: StatusRow,
    quarantined: Mapping[tuple[UUID, str], UUID],
) -> RetryWay:
    way = _way(member, row, quarantined)
    if of is not None and way.failed.version_id != of.version_id:
        raise CannotRetry(f"Another version is wanted there than the one of {of}.")
    return way


def _way(
    member: Membership,
    row: AgentStatus | StatusRow,
    quarantined: Collection[tuple[UUID, str]],
) -> RetryWay:
    """An agent that went back by itself has acknowledged another configuration: it needs none in between."""
    failed, previous, uid = member.desired, member.previous, member.agent_id
    if failed is None or (uid, failed.hash) not in quarantined:
        raise CannotRetry("Nothing failed on this collector, so there is nothing to retry.")
    again = way_again(
        failed=failed.hash,
        applied=applied_hash(row),
        previous=previous.hash if previous else "",
        has_previous_failed=previous is not None and (uid, previous.hash) in quarantined,
    )
    if again in WHY_NOT:
        raise CannotRetry(WHY_NOT[again])
    return RetryWay(failed, previous if again is Again.VIA_PREVIOUS else None)


def _wait_again(
    versions: Mapping[UUID, UUID], rows: Mapping[UUID, StatusRow], now: datetime
) -> frozenset[UUID]:
    """Where these are in the newest rollout of their fleet that brought what failed, they wait for it again: how that
    goes is told there, be it over or not. versions: which failed, by agent. Answers those rollouts.
    """
    targets = Target.objects.filter(
        agent_id__in=list(versions),
        rollout__version__in=set(versions.values()),
        rollout__state__in=STILL_GIVES,
        rollout__fleet=F("agent__membership__fleet"),
    ).order_by("rollout__number")
    found = targets.values_list("pk", "agent_id", "rollout_id", "rollout__version_id")
    newest = {uid: (pk, one) for pk, uid, one, version in found if versions[uid] == version}
    for state, is_here in ((TargetState.WAITING, True), (TargetState.PENDING_OFFLINE, False)):
        theirs = [pk for uid, (pk, _) in newest.items() if rows[uid].connected is is_here]
        Target.objects.filter(pk__in=theirs).update(
            state=state,
            state_since=now,
            reason="",
            failure="",
            failed_at=None,
            retried_at=now,
            has_soaked_anew=False,
        )
    return frozenset(rollout for _, rollout in newest.values())


def _quarantined(uids: Collection[UUID]) -> dict[tuple[UUID, str], UUID]:
    """Which hashes failed on which of these, with the rows that say so."""
    found = Quarantine.objects.filter(agent_id__in=list(uids))
    return {(uid, one): pk for pk, uid, one in found.values_list("pk", "agent_id", "hash")}


def _members(uids: Collection[UUID]) -> list[Membership]:
    members = Membership.objects.select_related(
        "desired__version__configuration", "previous__version__configuration"
    )
    heavy = [
        f"{name}__{text}" for name in ("desired", "previous") for text in ("body", "version__yaml")
    ]
    return list(members.defer(*heavy).filter(agent_id__in=list(uids)))
