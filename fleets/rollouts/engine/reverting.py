"""Taking a rollout back: each target that was let go returns to what it had, offline ones when they are there again."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from agents import store
from fleets.models import (
    Attempt,
    Membership,
    RenderedConfig,
    Rollout,
    Target,
    TargetState,
)
from fleets.rendering import render_version
from fleets.rollouts.engine.desires import hand_down
from fleets.rollouts.engine.states import IN_FLIGHT, MAY_BE_OFFERED, RUNS_WANTED
from fleets.rollouts.past import WANTED_FAILED, failed_there
from fleets.rollouts.placing import HAD_IT
from fleets.rollouts.whom import MAY_TAKE_ONE

_MOVED = (
    TargetState.OFFERED,
    TargetState.APPLYING,
    TargetState.SOAKING,
    TargetState.SUCCEEDED,
    TargetState.FAILED,
    TargetState.PENDING_OFFLINE,
)
_STILL_WANTED = Q(
    state=TargetState.EXCLUDED,
    agent__membership__fleet=F("rollout__fleet"),
    agent__membership__desired__version=F("rollout__version"),
)
"""It failed on these, before or in this rollout, and they were left out: they should not run it any more either."""
_WAS_OFFERED = ~Q(state=TargetState.EXCLUDED) | ~Q(failure="")
_HAD_FAILED = failed_there("previous__hash")
_TRIED_AGAIN = Q(previous__version=F("rollout__version")) & ~Q(reason=HAD_IT)
_RAN = "agent__membership__previous"
_NEXT = Case(
    When(
        (Q(_HAD_FAILED) | _TRIED_AGAIN)
        & _WAS_OFFERED
        & Q(agent__membership__previous__isnull=False)
        & ~Q(failed_there(f"{_RAN}__hash")),
        then=F(_RAN),
    ),
    default=F("previous"),
)
"""What each is offered to go back: what it ran well, where what it should have run had failed, or is what goes."""
NOTHING_BEFORE = (
    "It had no version of ours before, and the fleet has no stable one: it keeps what it runs."
)
_STABLE_INSTEAD = (
    "It had no version of ours before: the fleet's stable one, {version}, takes its place."
)
FAILED_TOO = "What it had before failed too. It keeps what it runs."
REFUSES = "It does not accept configurations from a server any more. It keeps what it runs."


def revert(rollout: Rollout, *, now: datetime) -> bool:
    """Make what each had before what it should run again. Answers whether there was any.

    Without a version of its own before (what its supervisor had before us) it gets the fleet's stable one.
    """
    targets = Target.objects.filter(rollout=rollout).exclude(agent=None)
    was_let_go = Q(state__in=_MOVED) | MAY_BE_OFFERED | _STILL_WANTED
    rows = store.lock(list(targets.filter(was_let_go).values_list("agent_id", flat=True)))
    # Asked again: what changed before the locks were granted counts.
    moved = targets.filter(was_let_go, agent_id__in=list(rows))
    stable = _stable(rollout, now)
    else_id = stable.pk if stable else None
    own: dict[UUID, UUID | None] = dict(moved.values_list("agent_id", _NEXT))
    if not own:
        return False
    _desire(rollout, {uid: next_id or else_id for uid, next_id in own.items()})
    instead = _STABLE_INSTEAD.format(version=stable.version) if stable else NOTHING_BEFORE
    for has_own in (True, False):
        uids = [uid for uid, next_id in own.items() if (next_id is not None) is has_own]
        targets.filter(_WAS_OFFERED, agent_id__in=uids).update(
            state=TargetState.REVERTING if has_own or stable else TargetState.REVERT_FAILED,
            state_since=now,
            reason="" if has_own else instead,
            soak_until=None,
        )
    hand_down(list(own), rows, now=now)
    return True


def settle_reverting(now: datetime) -> frozenset[UUID]:
    """Those that are back where they were, and those that could not go back; also of rollouts that are over, whose
    offline ones return. Answers the rollouts to advance.
    """
    reverting = Target.objects.filter(state=TargetState.REVERTING).exclude(agent=None)
    is_under_way = Attempt.objects.filter(agent=OuterRef("agent"), state__in=IN_FLIGHT)
    failed = reverting.filter(WANTED_FAILED)
    refusing = reverting.filter(~MAY_TAKE_ONE, agent__status__connected=True)
    could_not = _settle(failed, TargetState.REVERT_FAILED, now, reason=FAILED_TOO)
    back = reverting.filter(RUNS_WANTED, ~Exists(is_under_way))
    again = _want_again(back, now)
    settled = could_not | again | _settle(back, TargetState.REVERTED, now)
    return settled | _settle(refusing, TargetState.REVERT_FAILED, now, reason=REFUSES)


def _settle(
    found: QuerySet[Target], state: TargetState, now: datetime, **words: str
) -> frozenset[UUID]:
    ids = dict(found.values_list("pk", "rollout_id"))
    if ids:
        same = Target.objects.filter(pk__in=list(ids), state=TargetState.REVERTING)
        same.update(state=state, state_since=now, **words)
    return frozenset(ids.values())


def _want_again(back: QuerySet[Target], now: datetime) -> frozenset[UUID]:
    """Those of these that should have run what had failed there should run that again: it is not offered, and they
    need attention as before. One query where there are none.
    """
    had_failed = back.filter(_HAD_FAILED)
    uids = list(had_failed.values_list("agent_id", flat=True))
    if not uids:
        return frozenset()
    with transaction.atomic():
        rows = store.lock(uids)
        # Asked again: what changed before the locks were granted counts.
        mine = dict(had_failed.filter(agent_id__in=list(rows)).values_list("pk", "agent_id"))
        intent = Target.objects.filter(pk__in=list(mine), agent=OuterRef("agent_id"))
        members = Membership.objects.filter(agent_id__in=list(mine.values()))
        members.update(desired=Subquery(intent.values("previous_id")[:1]))
        settled = _settle(Target.objects.filter(pk__in=list(mine)), TargetState.REVERTED, now)
        hand_down(list(mine.values()), rows, now=now)
    return settled


def _stable(rollout: Rollout, now: datetime) -> RenderedConfig | None:
    version = rollout.fleet.stable_version
    if version is None or version.pk == rollout.version_id:
        return None
    return render_version(version, now=now)


def _desire(rollout: Rollout, back: Mapping[UUID, UUID | None]) -> None:
    groups: dict[UUID | None, list[UUID]] = defaultdict(list)
    for uid, rendered_id in back.items():
        groups[rendered_id].append(uid)
    of_version = Q(desired__version=rollout.version_id) | Q(retry__version=rollout.version_id)
    for rendered_id, uids in groups.items():
        members = Membership.objects.filter(of_version, agent_id__in=uids)
        members.update(desired=rendered_id, retry=None)
