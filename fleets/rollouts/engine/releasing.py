"""Letting targets go: the version becomes what they should run. And taking back what was not offered yet."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from agents import store
from agents.snapshot import Capability, ConfigStatus
from agents.store import StatusRow
from fleets.models import (
    Membership,
    Quarantine,
    RenderedConfig,
    Rollout,
    Stage,
    Target,
    TargetState,
)
from fleets.rendering import render_version
from fleets.rollouts.engine.desires import (
    desire,
    desire_again,
    hand_down,
    ran_well,
    with_desired,
)
from fleets.rollouts.engine.facts import facts_of
from fleets.rollouts.engine.locks import locked
from fleets.rollouts.engine.states import OPEN_TARGETS
from fleets.rollouts.engine.zones import moving_zones, zones_out
from fleets.rollouts.placing import Place, Placement, next_to_go, place_target
from fleets.rollouts.plan import ACTIVE, State
from telflo.base.hints import touch_on_commit


def release(
    rollout: Rollout, stages: Collection[Stage], *, room: int | None, now: datetime
) -> bool:
    """Place these stages' waiting targets and make the version what they should run. Answers whether any changed.

    room: how many more may be let go, None for all. Only those are read for whom there is something to do, so that
    asking again is cheap.
    """
    rendered = render_version(rollout.version, now=now)
    uids = _to_place(rollout, stages, rendered, room, now)
    if not uids:
        return False
    rows = store.lock(uids)
    members = _members(rollout, rows)
    facts = facts_of(rollout, rendered, members, rows)
    placements = {uid: place_target(one) for uid, one in facts.items()}
    _write_places(rollout, placements, now)
    wanted = {uid for uid, placement in placements.items() if placement.is_wanted}
    going_back = {uid for uid in wanted if placements[uid].goes_back_first}
    good = [uid for uid in wanted - going_back if ran_well(members[uid], rows[uid])]
    desire(wanted - going_back, good, rendered)
    if going_back:
        desire_again(going_back, rendered)
    excluded = {uid for uid, placed in placements.items() if placed.place is Place.EXCLUDED}
    again = {uid for uid, one in facts.items() if one.again is not None}
    _lift(rendered, again - excluded)
    hand_down(wanted, rows, now=now)
    return True


def close(rollout: Rollout, state: State, *, now: datetime) -> bool:
    """What waits and was not let go will not be. Answers whether there was any."""
    waiting = Target.objects.filter(rollout=rollout, state=TargetState.WAITING)
    _give_up_retries(rollout, waiting)
    why = "The rollout was cancelled before." if state is State.CANCELLED else _WENT_BACK
    return bool(waiting.update(state=TargetState.EXCLUDED, state_since=now, reason=why))


_WENT_BACK = "The rollout was taken back before."


def _give_up_retries(rollout: Rollout, waiting: QuerySet[Target]) -> None:
    """Those that go back first to be offered the version again stay where they go."""
    going = waiting.filter(agent__membership__retry__version=rollout.version_id)
    rows = store.lock(list(going.values_list("agent_id", flat=True)))
    members = Membership.objects.filter(agent_id__in=list(rows), retry__version=rollout.version_id)
    members.update(retry=None)


def leave_out(rollout_id: UUID, uids: Collection[UUID], *, reason: str, now: datetime) -> int:
    """These collectors are no targets any more, unless they were offered the version; answers how many. Those on which
    it failed stop counting.
    """
    with transaction.atomic():
        rollout = locked(rollout_id)
        if rollout is None or rollout.state not in ACTIVE:
            return 0
        rows = store.lock(list(uids))
        targets = Target.objects.filter(
            rollout=rollout, agent_id__in=list(rows), state__in=[*OPEN_TARGETS, TargetState.FAILED]
        )
        ids = list(targets.values_list("pk", flat=True))
        back = _take_back(rollout, targets.filter(state__in=OPEN_TARGETS))
        left = Target.objects.filter(pk__in=ids)
        left.update(state=TargetState.EXCLUDED, state_since=now, reason=reason or _LEFT_OUT)
        hand_down(back, rows, now=now)
        touch_on_commit({"rollouts", f"rollout:{rollout.pk}"})
    return len(ids)


_LEFT_OUT = "A person left it out."


def withdraw(rollout: Rollout, *, now: datetime) -> None:
    """What was not offered yet is not to be: those targets should run what they had, and wait."""
    targets = Target.objects.filter(rollout=rollout, state__in=OPEN_TARGETS)
    still_open = targets.exclude(agent=None).values_list("agent_id", flat=True)
    rows = store.lock(list(still_open))
    # Asked again: what was offered before the lock was granted stays.
    back = _take_back(rollout, targets.filter(agent_id__in=list(rows)))
    targets.exclude(state=Place.WAITING.value).update(state=Place.WAITING.value, state_since=now)
    hand_down(back, rows, now=now)


def _take_back(rollout: Rollout, targets: QuerySet[Target]) -> list[UUID]:
    """Those of these that were let go should run what they had. Their status rows are locked. Answers who."""
    uids = list(targets.values_list("agent_id", flat=True))
    held = Membership.objects.filter(
        agent_id__in=uids, desired__version_id=rollout.version_id, retry=None
    )
    back = list(held.values_list("agent_id", flat=True))
    mine = Target.objects.filter(rollout=rollout, agent_id=OuterRef("agent_id"))
    held.update(desired=Subquery(mine.values("previous_id")[:1]))
    return back


def _to_place(
    rollout: Rollout,
    stages: Collection[Stage],
    rendered: RenderedConfig,
    room: int | None,
    now: datetime,
) -> list[UUID]:
    """Those that may go now, and of those that were let go: who went offline since, or whose agent turned out to have
    or to refuse it. Those in a retry wait for it.
    """
    waiting = Q(state=Place.WAITING.value)
    has_failed = Quarantine.objects.filter(agent=OuterRef("agent"), hash=rendered.hash)
    is_let_go = Q(agent__membership__desired=rendered) & ~Q(Exists(has_failed))
    is_going_back = Q(agent__membership__retry=rendered)
    went_away = waiting & Q(agent__status__connected=False)
    has_it = Q(
        agent__status__remote_config_hash=rendered.hash,
        agent__status__remote_config_status=ConfigStatus.APPLIED,
    )
    accepts = Capability.ACCEPTS_REMOTE_CONFIG.value
    refuses = Q(agent__capabilities__gt=0) & Q(bits=0)
    targets: QuerySet[Target] = Target.objects.filter(stage__in=stages, state__in=OPEN_TARGETS)
    every = targets.exclude(agent=None).alias(bits=F("agent__capabilities").bitand(accepts))
    mine = every.filter(agent__membership__retry=None)
    changed = every.filter(
        is_let_go & Q(agent__membership__retry=None) & (went_away | has_it | refuses)
        | is_going_back & went_away
    )
    return [
        *changed.values_list("agent_id", flat=True),
        *_next(rollout, mine.exclude(is_let_go), room, now),
    ]


def _next(rollout: Rollout, held: QuerySet[Target], room: int | None, now: datetime) -> list[UUID]:
    """Who of those that were not let go yet may go, stage by stage."""
    if room == 0:
        return []
    ordered = held.order_by("stage__index", "pk").values_list("agent_id", "zone")
    if not rollout.zone_limit:
        return [uid for uid, _ in (ordered if room is None else ordered[:room])]
    busy = moving_zones([rollout])[rollout.pk] + zones_out([rollout], now)[rollout.pk]
    return next_to_go(ordered, busy, room=room, per_zone=rollout.zone_limit)


def _members(rollout: Rollout, uids: "dict[UUID, StatusRow]") -> dict[UUID, Membership]:
    members = Membership.objects.filter(fleet_id=rollout.fleet_id, agent_id__in=list(uids))
    return {member.agent_id: member for member in with_desired(members)}


def _lift(rendered: RenderedConfig, uids: Collection[UUID]) -> None:
    """The version may be offered to these again."""
    if uids:
        Quarantine.objects.filter(hash=rendered.hash, agent_id__in=uids).delete()


def _write_places(rollout: Rollout, placements: dict[UUID, Placement], now: datetime) -> None:
    groups: dict[Placement, list[UUID]] = defaultdict(list)
    for uid, placement in placements.items():
        groups[placement].append(uid)
    for placement, uids in groups.items():
        targets = Target.objects.filter(rollout=rollout, agent_id__in=uids, state__in=OPEN_TARGETS)
        targets.exclude(state=placement.place.value).update(
            state=placement.place.value, state_since=now, reason=placement.reason
        )
