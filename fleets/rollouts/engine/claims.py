"""Claiming offers: an attempt is written before anything is sent, so an offer can be lost but not sent twice."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from agents import store
from agents.models import AgentStatus
from agents.snapshot import Capability
from fleets.models import (
    ArrivalMode,
    Attempt,
    AttemptState,
    Membership,
    Quarantine,
    RenderedConfig,
    Rollout,
    RolloutState,
    Target,
    TargetState,
)
from fleets.rollouts.engine.desires import with_desired
from fleets.rollouts.plan import ACTIVE

IN_FLIGHT: Final = (AttemptState.OFFERED, AttemptState.APPLYING)
OPEN_TARGETS: Final = (TargetState.WAITING, TargetState.PENDING_OFFLINE)


def claim(agents: Mapping[UUID, int], *, now: datetime) -> dict[UUID, RenderedConfig]:
    """Of these agents (uid to session epoch), those that may be offered something now, and what (with its body).

    Left out: older sessions, observed members, agents that have it or do not take it, what is in flight, what is
    quarantined. A fixed number of statements.
    """
    with transaction.atomic():
        rows = store.lock(agents)
        due = [
            member
            for member in _managed(rows)
            if _is_due(member, rows[member.agent_id], agents[member.agent_id])
        ]
        blocked = _blocked(due) if due else set()
        members = [member for member in due if (member.agent_id, _hash(member)) not in blocked]
        if not members:
            return {}
        _write_attempts(members, rows, now)
        bodies = RenderedConfig.objects.in_bulk({member.desired_id for member in members})
        return {member.agent_id: bodies[member.desired_id] for member in members}


def _managed(uids: Iterable[UUID]) -> Iterable[Membership]:
    members = Membership.objects.filter(agent_id__in=list(uids), mode=ArrivalMode.MANAGED)
    return with_desired(members.exclude(desired=None))


def _is_due(member: Membership, row: AgentStatus, epoch: int) -> bool:
    return bool(
        row.session_epoch == epoch
        and row.agent.capabilities & Capability.ACCEPTS_REMOTE_CONFIG
        and row.remote_config_hash != _hash(member)
    )


def _hash(member: Membership) -> str:
    assert member.desired is not None
    return member.desired.hash


def _blocked(due: Iterable[Membership]) -> set[tuple[UUID, str]]:
    uids = [member.agent_id for member in due]
    in_flight = Attempt.objects.filter(agent_id__in=uids, state__in=IN_FLIGHT)
    quarantined = Quarantine.objects.filter(agent_id__in=uids)
    return {
        *in_flight.values_list("agent_id", "hash"),
        *quarantined.values_list("agent_id", "hash"),
    }


def _write_attempts(
    members: Iterable[Membership], rows: Mapping[UUID, AgentStatus], now: datetime
) -> None:
    open_targets = _open_targets([member.agent_id for member in members])
    attempts, offered = [], []
    for member in members:
        assert member.desired is not None
        target = open_targets.get((member.agent_id, member.desired.version_id))
        if target is not None:
            offered.append(target.pk)
        attempts.append(
            Attempt(
                agent_id=member.agent_id,
                rendered=member.desired,
                hash=member.desired.hash,
                epoch=rows[member.agent_id].session_epoch,
                rollout=target.rollout if target else None,
                offered_at=now,
                deadline=now + _apply_timeout(target.rollout if target else None),
            )
        )
    Attempt.objects.bulk_create(attempts)
    Target.objects.filter(pk__in=offered).update(
        state=TargetState.OFFERED, state_since=now, reason=""
    )


def _open_targets(uids: Iterable[UUID]) -> dict[tuple[UUID, UUID], Target]:
    """The targets that an offer belongs to, by agent and version; a succeeded rollout leaves offline ones open."""
    targets = Target.objects.filter(
        agent_id__in=list(uids),
        state__in=OPEN_TARGETS,
        rollout__state__in=[*ACTIVE, RolloutState.SUCCEEDED],
    ).prefetch_related("rollout")
    return {
        (target.agent_id, target.rollout.version_id): target
        for target in targets
        if target.agent_id is not None
    }


def _apply_timeout(rollout: Rollout | None) -> timedelta:
    if rollout is None:
        timeout: timedelta = settings.APPLY_TIMEOUT
        return timeout
    return timedelta(seconds=rollout.apply_timeout_s)
