"""Starting rollouts, for people and programs. Access is checked by the caller."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction

from configs.models import ConfigVersion, VersionState
from fleets.errors import AlreadyAssigned, NobodyLeftOut, VersionNotPublished
from fleets.models import Fleet, Rollout, RolloutState
from fleets.rollouts import engine
from fleets.rollouts.checking import check_rollout
from fleets.rollouts.plan import ACTIVE, Action, NotPossible
from fleets.rollouts.preflight import Finding as Found
from fleets.rollouts.preflight import Preflight, Severity
from fleets.rollouts.shares import BadShares
from fleets.rollouts.strategy import Strategy, all_at_once
from fleets.rollouts.whom import members_for, off_version
from fleets.tasks import advance_on_commit
from telflo.base import activity, clock
from telflo.base.activity import Actor
from telflo.base.errors import Conflict, DomainError, Finding


def start_rollout(
    *,
    fleet: Fleet,
    version: ConfigVersion,
    actor: Actor,
    reason: str = "",
    strategy: Strategy | None = None,
    force: bool = False,
) -> Rollout:
    """Move a fleet to a published version, all at once unless a strategy says otherwise. Raises DomainError.

    A rollout that is under way is superseded. Who failed on the version before is skipped; with force it is tried again
    there, by way of the previous version: if the fleet has it already, there alone. `fleet` is brought up to date.
    """
    check_published(version)
    strategy = _checked(strategy)
    with transaction.atomic():
        fleet.refresh_from_db()
        check_assignable(fleet, version, force=force)
        before = fleet.version
        rollout = engine.start(
            fleet_id=fleet.pk,
            version=version,
            strategy=strategy,
            reason=reason,
            created_by=actor.user,
            force=force,
            now=clock.now(),
        )
        activity.record(
            actor=actor,
            action="fleet.assign",
            obj=fleet,
            label=f"{version} to {fleet}",
            reason=reason,
            before={"version": str(before) if before else None},
            after={"version": str(version), "rollout": rollout.number}
            | ({"force": True} if force else {}),
        )
        advance_on_commit([rollout.pk])
        fleet.refresh_from_db()
    return rollout


def preflight_of(
    *,
    fleet: Fleet,
    version: ConfigVersion,
    strategy: Strategy | None = None,
    force: bool = False,
) -> Preflight:
    """What start_checked_rollout would do, and what speaks against it. Raises DomainError for an input that is none."""
    check_published(version)
    strategy = _checked(strategy)
    check_assignable(fleet, version, force=force)
    return check_rollout(fleet, version, strategy, force=force, now=clock.now())


def start_checked_rollout(
    *,
    fleet: Fleet,
    version: ConfigVersion,
    actor: Actor,
    reason: str = "",
    strategy: Strategy | None = None,
    force: bool = False,
    accepted: Collection[str] | None = (),
) -> Rollout:
    """As start_rollout, unless the pre-flight finds errors, or warnings that are not accepted. Raises DomainError.

    accepted: codes of warnings; None accepts all.
    """
    found = preflight_of(fleet=fleet, version=version, strategy=strategy, force=force)
    _refuse(found.of(Severity.ERROR), "preflight_errors", "The pre-flight check stops it")
    if accepted is not None:
        _refuse(
            found.open_warnings(accepted),
            "preflight_warnings",
            "Accept what the pre-flight check warns of first",
        )
    return start_rollout(
        fleet=fleet, version=version, actor=actor, reason=reason, strategy=strategy, force=force
    )


def _refuse(found: Sequence[Found], code: str, consequence: str) -> None:
    if found:
        words = "; ".join(one.title for one in found)
        faults = [Finding(f"{one.title}. {one.words}".strip(), one.code) for one in found]
        raise Conflict(f"{consequence}: {words}.", code=code, findings=faults)


def _checked(strategy: Strategy | None) -> Strategy:
    """The strategy, all at once for none. Raises DomainError."""
    strategy = strategy or all_at_once()
    try:
        strategy.check()
    except BadShares as problem:
        raise DomainError(str(problem), field="plan", code="bad_plan") from None
    return strategy


def act_on_rollout(*, rollout: Rollout, action: Action, actor: Actor, reason: str = "") -> None:
    """Pause, resume, cancel, roll back, or skip the bake. Raises DomainError. `rollout` is brought up to date."""
    with transaction.atomic():
        before = rollout.state
        try:
            why = _said(action, actor, reason)
            engine.act(rollout.pk, action, why=why, now=clock.now())
        except NotPossible as problem:
            raise Conflict(str(problem), code="not_possible") from None
        rollout.refresh_from_db()
        _RECORD[action](
            actor=actor,
            obj=rollout,
            fleet_id=rollout.fleet_id,
            label=f"{rollout.version} to {rollout.fleet}",
            reason=reason,
            before={"state": before},
            after={"state": rollout.state},
        )
        advance_on_commit([rollout.pk])


_DONE: Final = {
    Action.PAUSE: "paused it",
    Action.RESUME: "resumed it",
    Action.CANCEL: "cancelled it",
    Action.ROLL_BACK: "took it back",
    Action.SKIP_BAKE: "skipped the bake",
}


def _said(action: Action, actor: Actor, reason: str) -> str:
    """A person's words as the reason of the state that follows."""
    told = f"{actor.label} {_DONE[action]}{f': {reason}' if reason else ''}"
    return told if told.endswith((".", "!", "?")) else f"{told}."


_RECORD: Final = {
    Action.PAUSE: partial(activity.record, action="rollout.pause"),
    Action.RESUME: partial(activity.record, action="rollout.resume"),
    Action.CANCEL: partial(activity.record, action="rollout.cancel"),
    Action.ROLL_BACK: partial(activity.record, action="rollout.roll_back"),
    Action.SKIP_BAKE: partial(activity.record, action="rollout.skip_bake"),
}


def leave_out(
    *, rollout: Rollout, uids: Collection[UUID], actor: Actor, reason: str = "", label: str = ""
) -> int:
    """Take collectors out of a rollout that is under way, unless they were offered the version. Answers how many. Of
    one that succeeded: who would get it on their return, and on whom it failed where others of the zone wait for them.

    label: what was chosen, for the activity log. Raises NobodyLeftOut for none.
    """
    with transaction.atomic():
        count = engine.leave_out(rollout.pk, uids, reason=reason, now=clock.now())
        if not count:
            rollout.refresh_from_db(fields=["state"])
            why = _OFFERED if rollout.state in ACTIVE else _WHY_OVER.get(rollout.state, _OVER)
            raise NobodyLeftOut(f"Nobody was left out: {why}", code="nobody_left_out")
        activity.record(
            actor=actor,
            action="rollout.exclude",
            obj=rollout,
            fleet_id=rollout.fleet_id,
            label=label or f"{rollout.version} to {rollout.fleet}",
            reason=reason,
            after={"count": count},
        )
        advance_on_commit([rollout.pk])
    return count


_OVER: Final = "the rollout is over."
_WHY_OVER: Final = {
    RolloutState.SUCCEEDED.value: "the rollout is over: only those can be that get the version on their return, or for"
    " which others of their zone wait."
}
_OFFERED: Final = (
    "only those can be that wait in this rollout, or on which the version failed."
    " Who was offered it goes back only with a rollback."
)


def check_published(version: ConfigVersion) -> None:
    """Raise VersionNotPublished unless fleets may be given it."""
    if version.state != VersionState.PUBLISHED:
        raise VersionNotPublished(
            f"{version} is {version.get_state_display().lower()}. Publish it before assigning it.",
            field="version",
            code="not_published",
        )


def check_assignable(fleet: Fleet, version: ConfigVersion, *, force: bool) -> None:
    """Raise Conflict for a fleet that is archived, AlreadyAssigned where a rollout has nobody to move."""
    if fleet.archived_at is not None:
        raise Conflict(f"The fleet {fleet} is archived.", field="fleet", code="archived")
    if fleet.version_id != version.pk:
        return
    moving = Rollout.objects.filter(fleet=fleet, state__in=ACTIVE).first()
    if moving is not None:
        why = f"Rollout {moving} gives it. Collectors on which it failed can be retried in it."
    elif not fleet.has_settled_on(version) or _moves_some(fleet, version, force=force):
        return
    elif force:
        why = "All should run it, and it failed on none of its collectors."
    else:
        why = "All should run it. Those on which it failed can be retried, all of them with force."
    raise AlreadyAssigned(
        f"{fleet} has {version} already. {why}", field="version", code="already_assigned"
    )


def _moves_some(fleet: Fleet, version: ConfigVersion, *, force: bool) -> bool:
    """Of a version that the fleet has: whether there is anybody to bring to it, or to try it on again."""
    those = fleet.memberships.filter(members_for(fleet, version)) if force else off_version(fleet)
    return those.exists()
