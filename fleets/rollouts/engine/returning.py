"""Who returns, or is tried again, during or after a rollout is held to its limits: they may come all at once."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, Q, Value, When

from fleets.models import Rollout, Target, TargetState
from fleets.rollouts.engine.states import STILL_GIVES, STILL_ILL, TAKES_PLACE, TRIED_AGAIN
from fleets.rollouts.engine.viewing import window_of
from fleets.rollouts.engine.zones import moving_zones, zones_out
from fleets.rollouts.placing import next_to_go

_HAS_LIMITS = Q(max_in_flight__gt=0) | Q(zone_limit__gt=0) | ~Q(window_days="")
_IS_AWAY = Q(state=TargetState.PENDING_OFFLINE)
_IS_HELD = _IS_AWAY | TRIED_AGAIN
_TURN = Case(When(STILL_ILL, then=Value(0)), When(TRIED_AGAIN, then=Value(1)), default=Value(2))
"""Who is down anyway goes first."""
Pair = tuple[UUID, UUID]
"""An agent and a version."""


def hold_limited(uids: Collection[UUID]) -> list[Rollout]:
    """Rollouts with limits that left some of these for their return, or try it there again, locked: one statement."""
    held = Target.objects.filter(_IS_HELD, agent_id__in=list(uids))
    rollouts = Rollout.objects.select_for_update(no_key=True).filter(
        _HAS_LIMITS, pk__in=held.values("rollout_id"), state__in=STILL_GIVES
    )
    return list(rollouts.order_by("pk"))


class _Next(NamedTuple):
    """Who would be offered the version, in turn. zone: "" for one that is down: it holds up nobody any more."""

    uid: UUID
    zone: str
    is_away: bool


def over_limits(rollouts: Collection[Rollout], uids: Collection[UUID], now: datetime) -> set[Pair]:
    """Those of these agents that are not offered the version of such a rollout yet: four statements."""
    waiting: dict[UUID, list[_Next]] = defaultdict(list)
    held = Target.objects.filter(_IS_HELD, agent_id__in=list(uids), rollout__in=rollouts)
    in_turn = held.annotate(turn=_TURN).order_by("turn", "pk")
    for rollout_id, uid, zone, state, turn in in_turn.values_list(
        "rollout_id", "agent_id", "zone", "state", "turn"
    ):
        is_away = state == TargetState.PENDING_OFFLINE
        waiting[rollout_id].append(_Next(uid, zone if turn else "", is_away))
    moving, down = moving_zones(rollouts, TAKES_PLACE), moving_zones(rollouts, STILL_ILL)
    out = zones_out(rollouts, now)
    return {
        (uid, one.version_id)
        for one in rollouts
        for uid in _held_back(one, waiting[one.pk], moving[one.pk], down[one.pk] + out[one.pk], now)
    }


def _held_back(
    rollout: Rollout,
    waiting: Sequence[_Next],
    moving: "Counter[str]",
    down: "Counter[str]",
    now: datetime,
) -> set[UUID]:
    window = window_of(rollout)
    is_closed = window is not None and not window.is_open(now)
    able = [(one.uid, one.zone) for one in waiting if not (is_closed and one.is_away)]
    most = rollout.max_in_flight
    room = max(0, most - moving.total()) if most else None
    going = next_to_go(able, moving + down, room=room, per_zone=rollout.zone_limit)
    return {one.uid for one in waiting}.difference(going)
