"""Claiming offers: an attempt is written before anything is sent, so an offer can be lost but not sent twice."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce

from agents import store
from agents.store.dialects import insert_rows
from fleets.models import (
    ArrivalMode,
    Attempt,
    AttemptState,
    Membership,
    Quarantine,
    RenderedConfig,
    Target,
    TargetState,
)
from fleets.rollouts.engine.returning import hold_limited, over_limits
from fleets.rollouts.engine.states import IN_FLIGHT, OPEN_TARGETS, STILL_GIVES
from telflo.base.ids import new_id


def claim(agents: Mapping[UUID, int], *, now: datetime) -> dict[UUID, RenderedConfig]:
    """Of these agents (uid to session epoch), those that may be offered something now, and what (with its body).

    Left out: older sessions, observed members, agents that have it or do not take it, what is in flight, what is
    quarantined, and who returns or is tried again while the limits of its rollout are reached. A fixed number of
    statements.
    """
    with transaction.atomic():
        limited = hold_limited(agents)
        acknowledged = store.lock_open_to_offers(agents)
        due = [want for want in _wanted(acknowledged) if want.hash != acknowledged[want.uid]]
        blocked = _blocked(due) if due else set()
        granted = [want for want in due if (want.uid, want.hash) not in blocked]
        if limited:
            held_back = over_limits(limited, [want.uid for want in granted], now)
            granted = [want for want in granted if (want.uid, want.brings_id) not in held_back]
        if not granted:
            return {}
        _write_attempts(granted, agents, now)
        bodies = RenderedConfig.objects.in_bulk({want.rendered_id for want in granted})
        return {want.uid: bodies[want.rendered_id] for want in granted}


class Want(NamedTuple):
    """What a managed member should run. brings_id: the version that it leads to, where it only goes back first."""

    uid: UUID
    rendered_id: UUID
    hash: str
    version_id: UUID
    brings_id: UUID


def _wanted(uids: Iterable[UUID]) -> list[Want]:
    members = Membership.objects.filter(agent_id__in=list(uids), mode=ArrivalMode.MANAGED)
    brings = Coalesce("retry__version_id", "desired__version_id")
    wanted = members.exclude(desired=None).values_list(
        "agent_id", "desired_id", "desired__hash", "desired__version_id", brings
    )
    return [Want(*row) for row in wanted]


def _blocked(due: Iterable[Want]) -> set[tuple[UUID, str]]:
    uids = [want.uid for want in due]
    in_flight = Attempt.objects.filter(agent_id__in=uids, state__in=IN_FLIGHT)
    quarantined = Quarantine.objects.filter(agent_id__in=uids)
    return {
        *in_flight.values_list("agent_id", "hash"),
        *quarantined.values_list("agent_id", "hash"),
    }


_COLUMNS: Final = (
    "id",
    "agent_id",
    "rendered_id",
    "hash",
    "epoch",
    "rollout_id",
    "deadline",
)


def _write_attempts(granted: Sequence[Want], epochs: Mapping[UUID, int], now: datetime) -> None:
    targets = _open_targets([want.uid for want in granted])
    homeless = _OpenTarget(None, None, settings.APPLY_TIMEOUT)
    rows, offered = [], []
    for want in granted:
        target = targets.get((want.uid, want.version_id), homeless)
        offered.append(target.id)
        rows.append(
            (
                new_id(),
                want.uid,
                want.rendered_id,
                want.hash,
                epochs[want.uid],
                target.rollout_id,
                now + target.timeout,
            )
        )
    same = Attempt(state=AttemptState.OFFERED.value, offered_at=now)
    insert_rows(Attempt, columns=_COLUMNS, rows=rows, others=same)
    Target.objects.filter(pk__in=[pk for pk in offered if pk is not None]).update(
        state=TargetState.OFFERED, state_since=now, reason=""
    )


class _OpenTarget(NamedTuple):
    """The target that an offer belongs to; without one it is a newcomer's."""

    id: UUID | None
    rollout_id: UUID | None
    timeout: timedelta


def _open_targets(uids: Iterable[UUID]) -> dict[tuple[UUID, UUID], _OpenTarget]:
    """By agent and version; a rollout that is over leaves those open that are offline, or retried."""
    targets = Target.objects.filter(
        agent_id__in=list(uids),
        state__in=OPEN_TARGETS,
        rollout__state__in=STILL_GIVES,
    ).values_list("agent_id", "rollout__version_id", "id", "rollout_id", "rollout__apply_timeout_s")
    return {
        (uid, version_id): _OpenTarget(pk, rollout_id, timedelta(seconds=timeout_s))
        for uid, version_id, pk, rollout_id, timeout_s in targets
    }
