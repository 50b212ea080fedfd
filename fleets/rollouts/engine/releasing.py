"""Letting targets go: the version becomes what they should run. And taking back what was not offered yet."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from agents import store
from agents.snapshot import ConfigStatus
from agents.store import StatusRow
from fleets.models import (
    Attempt,
    AttemptState,
    Membership,
    Quarantine,
    RenderedConfig,
    Rollout,
    RolloutState,
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
    take_back,
    with_desired,
)
from fleets.rollouts.engine.facts import facts_of
from fleets.rollouts.engine.locks import locked
from fleets.rollouts.engine.states import OPEN_TARGETS
from fleets.rollouts.engine.zones import moving_zones, zones_out
from fleets.rollouts.placing import (
    CANCELLED_BEFORE,
    TAKEN_BACK_BEFORE,
    Place,
    Placement,
    next_to_go,
    place_target,
)
from fleets.rollouts.plan import ACTIVE, State
from fleets.rollouts.whom import MAY_TAKE_ONE
from telflo.base.hints import touch_on_commit


def release(
    rollout: Rollout, stages: Collection[Stage], *, room: int | None, now: datetime
) -> bool:
    """Place these stages' waiting targets and make the version what they should run. Answers whether any changed.

    room: how many more may be let go, None for all. Only those are read for whom there is something to do, so that
    asking again is cheap.
    """
    rendered = render_version(rollout.version, now=now)
    uids, away = _to_place(rollout, stages, rendered, room, now)
    if not uids:
        return False
    locked_rows = store.lock(uids)
    # Who is back by now is held to the zone limit: the next look places it.
    rows = {uid: row for uid, row in locked_rows.items() if not (uid in away and row.connected)}
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
    why = CANCELLED_BEFORE if state is State.CANCELLED else TAKEN_BACK_BEFORE
    return bool(waiting.update(state=TargetState.EXCLUDED, state_since=now, reason=why))


def has_moved(rollout: Rollout) -> bool:
    """Whether any collector of the fleet should run the version, or is on its way to it."""
    members = Membership.objects.filter(fleet=rollout.fleet_id)
    of_version = Q(desired__version=rollout.version_id) | Q(retry__version=rollout.version_id)
    return members.filter(of_version).exists()


def _give_up_retries(rollout: Rollout, targets: QuerySet[Target]) -> None:
    """Those that go back first to be offered the version again stay where they go."""
    going = targets.filter(agent__membership__retry__version=rollout.version_id)
    rows = store.lock(list(going.values_list("agent_id", flat=True)))
    members = Membership.objects.filter(agent_id__in=list(rows), retry__version=rollout.version_id)
    members.update(retry=None)


def leave_out(rollout_id: UUID, uids: Collection[UUID], *, reason: str, now: datetime) -> int:
    """These collectors are no targets any more, unless they were offered the version; answers how many. Those on which
    it failed stop counting. Of a rollout that succeeded: who gets it on their return, and who holds a zone.
    """
    with transaction.atomic():
        rollout = locked(rollout_id)
        if rollout is None or rollout.state not in (*ACTIVE, RolloutState.SUCCEEDED):
            return 0
        rows = store.lock(list(uids))
        counts = rollout.state in ACTIVE or bool(rollout.zone_limit)
        failed = Q(state=TargetState.FAILED) if counts else Q()
        targets = Target.objects.filter(
            Q(state__in=OPEN_TARGETS) | failed, rollout=rollout, agent_id__in=list(rows)
        )
        ids = list(targets.values_list("pk", flat=True))
        is_open = targets.filter(state__in=OPEN_TARGETS)
        back = take_back(is_open)
        _give_up_retries(rollout, is_open)
        left = Target.objects.filter(pk__in=ids)
        left.update(state=TargetState.EXCLUDED, state_since=now, reason=reason or _LEFT_OUT)
        hand_down(back, rows, now=now)
        touch_on_commit({"rollouts", f"rollout:{rollout.pk}"})
    return len(ids)


_LEFT_OUT = "A person left it out."


def withdraw(rollout: Rollout, *, now: datetime) -> None:
    """What was not offered yet is not to be: those targets should run what they had, and wait."""
    every = Target.objects.filter(rollout=rollout)
    targets = every.filter(state__in=OPEN_TARGETS)
    # Also who was offered it: that may turn out to be lost right now, and looks at the rollout's state under the lock.
    offered = Attempt.objects.filter(
        agent=OuterRef("agent"), rollout=rollout, state=AttemptState.OFFERED
    )
    concerned = every.filter(Q(state__in=OPEN_TARGETS) | Exists(offered)).exclude(agent=None)
    rows = store.lock(list(concerned.values_list("agent_id", flat=True)))
    # Asked again: what was offered before the lock was granted stays.
    back = take_back(targets.filter(agent_id__in=list(rows)))
    _give_up_retries(rollout, targets)
    targets.exclude(state=Place.WAITING.value).update(state=Place.WAITING.value, state_since=now)
    hand_down(back, rows, now=now)


def _to_place(
    rollout: Rollout,
    stages: Collection[Stage],
    rendered: RenderedConfig,
    room: int | None,
    now: datetime,
) -> tuple[list[UUID], frozenset[UUID]]:
    """Those that may go now, and of those that were let go: who went offline since, or whose agent turned out to have
    or to refuse it. Those in a retry wait for it. And who of them may go only while it is offline.
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
    targets: QuerySet[Target] = Target.objects.filter(stage__in=stages, state__in=OPEN_TARGETS)
    every = targets.exclude(agent=None)
    mine = every.filter(agent__membership__retry=None)
    changed = every.filter(
        is_let_go & Q(agent__membership__retry=None) & (went_away | has_it | ~MAY_TAKE_ONE)
        | is_going_back & went_away
    )
    going, away = _next(rollout, mine.exclude(is_let_go), room, now)
    return [*changed.values_list("agent_id", flat=True), *going], away


def _next(
    rollout: Rollout, held: QuerySet[Target], room: int | None, now: datetime
) -> tuple[list[UUID], frozenset[UUID]]:
    """Who of those that were not let go yet may go, stage by stage; and who of them alone because it is offline: then
    no zone holds it, since it gets the version on its return, within the limits of that time.
    """
    if room == 0:
        return [], frozenset()
    ordered = held.order_by("stage__index", "pk")
    if not rollout.zone_limit:
        uids = ordered.values_list("agent_id", flat=True)
        return list(uids if room is None else uids[:room]), frozenset()
    busy = moving_zones([rollout])[rollout.pk] + zones_out([rollout], now)[rollout.pk]
    known = list(_first_of_zones(ordered, rollout.zone_limit, busy, room))
    zones = [(uid, zone if is_connected else "") for uid, zone, is_connected in known]
    going = next_to_go(zones, busy, room=room, per_zone=rollout.zone_limit)
    return going, frozenset(uid for uid, _, is_connected in known if not is_connected)


def _first_of_zones(
    ordered: QuerySet[Target], limit: int, busy: "Counter[str]", room: int | None
) -> Iterable[tuple[UUID, str, bool]]:
    """Of each zone no more than may go if nobody of it were busy, and all that no zone holds: uid, zone, connected.

    Each that is busy holds up one of them at most, so among room + busy of these are all that may go. What is read
    grows with what moves, not with what waits.
    """
    nth = Window(RowNumber(), [F("zone"), F("agent__status__connected")], ["stage__index", "pk"])
    is_held = Q(agent__status__connected=True) & ~Q(zone="") & Q(nth__gt=limit)
    first = ordered.annotate(nth=nth).exclude(is_held)
    known = first.values_list("agent_id", "zone", "agent__status__connected")
    return known if room is None else known[: room + busy.total()]


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
