"""Taking a rollout back: each target that was let go returns to what it had, offline ones when they are there again."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from agents import store
from agents.snapshot import ConfigStatus
from fleets.models import (
    Attempt,
    Membership,
    Quarantine,
    RenderedConfig,
    Rollout,
    Target,
    TargetState,
)
from fleets.rendering import render_version
from fleets.rollouts.engine.desires import hand_down
from fleets.rollouts.engine.states import IN_FLIGHT, LET_GO

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
NOTHING_BEFORE = (
    "It had no version of ours before, and the fleet has no stable one: it keeps what it runs."
)
_STABLE_INSTEAD = (
    "It had no version of ours before: the fleet's stable one, {version}, takes its place."
)
FAILED_TOO = "What it had before failed too. It keeps what it runs."


def revert(rollout: Rollout, *, now: datetime) -> bool:
    """Make what each had before what it should run again. Answers whether there was any.

    Without a version of its own before (what its supervisor had before us) it gets the fleet's stable one.
    """
    targets = Target.objects.filter(rollout=rollout).exclude(agent=None)
    was_let_go = Q(state__in=_MOVED) | LET_GO | _STILL_WANTED
    rows = store.lock(list(targets.filter(was_let_go).values_list("agent_id", flat=True)))
    # Asked again: what changed before the locks were granted counts.
    moved = targets.filter(was_let_go, agent_id__in=list(rows))
    stable = _stable(rollout, now)
    else_id = stable.pk if stable else None
    own: dict[UUID, UUID | None] = dict(moved.values_list("agent_id", "previous_id"))
    if not own:
        return False
    _desire(rollout, {uid: previous_id or else_id for uid, previous_id in own.items()})
    instead = _STABLE_INSTEAD.format(version=stable.version) if stable else NOTHING_BEFORE
    for has_own in (True, False):
        uids = [uid for uid, previous_id in own.items() if (previous_id is not None) is has_own]
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
    failed = Quarantine.objects.filter(
        agent=OuterRef("agent"), hash=OuterRef("agent__membership__desired__hash")
    )
    is_back = Q(
        agent__status__remote_config_hash=F("agent__membership__desired__hash"),
        agent__status__remote_config_status=ConfigStatus.APPLIED,
    )
    rollouts: set[UUID] = set()
    for found, state, words in (
        (reverting.filter(Exists(failed)), TargetState.REVERT_FAILED, {"reason": FAILED_TOO}),
        (reverting.filter(is_back, ~Exists(is_under_way)), TargetState.REVERTED, {}),
    ):
        ids = dict(found.values_list("pk", "rollout_id"))
        if ids:
            same = Target.objects.filter(pk__in=list(ids), state=TargetState.REVERTING)
            same.update(state=state, state_since=now, **words)
            rollouts |= set(ids.values())
    return frozenset(rollouts)


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
