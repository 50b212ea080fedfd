"""Starting rollouts, for people and programs. Access is checked by the caller."""

from django.db import transaction

from configs.models import ConfigVersion, VersionState
from fleets.errors import AlreadyAssigned, VersionNotPublished
from fleets.models import Fleet, Rollout
from fleets.rollouts import engine
from fleets.rollouts.plan import ACTIVE
from fleets.tasks import advance_on_commit
from telflo.base import activity, clock
from telflo.base.activity import Actor
from telflo.base.errors import Conflict, DomainError


def start_rollout(
    *,
    fleet: Fleet,
    version: ConfigVersion,
    actor: Actor,
    reason: str = "",
    failure_budget_percent: int = 0,
) -> Rollout:
    """Move a fleet to a published version, all at once. Raises DomainError.

    A rollout that is under way is superseded. `fleet` is brought up to date.
    """
    check_published(version)
    if not 0 <= failure_budget_percent <= 100:
        raise DomainError("A failure budget is 0 to 100 %.", field="failure_budget_percent")
    with transaction.atomic():
        fleet.refresh_from_db()
        _check_assignable(fleet, version)
        before = fleet.version
        rollout = engine.start(
            fleet_id=fleet.pk,
            version=version,
            failure_budget_percent=failure_budget_percent,
            reason=reason,
            created_by=actor.user,
            now=clock.now(),
        )
        activity.record(
            actor=actor,
            action="fleet.assign",
            obj=fleet,
            label=f"{version} to {fleet}",
            reason=reason,
            before={"version": str(before) if before else None},
            after={"version": str(version), "rollout": rollout.number},
        )
        advance_on_commit([rollout.pk])
        fleet.refresh_from_db()
    return rollout


def check_published(version: ConfigVersion) -> None:
    """Raise VersionNotPublished unless fleets may be given it."""
    if version.state != VersionState.PUBLISHED:
        raise VersionNotPublished(
            f"{version} is {version.get_state_display().lower()}. Publish it before assigning it.",
            field="version",
            code="not_published",
        )


def _check_assignable(fleet: Fleet, version: ConfigVersion) -> None:
    if fleet.archived_at is not None:
        raise Conflict(f"The fleet {fleet} is archived.", field="fleet", code="archived")
    if fleet.version_id != version.pk:
        return
    is_moving = Rollout.objects.filter(fleet=fleet, state__in=ACTIVE).exists()
    if is_moving or fleet.stable_version_id == version.pk:
        raise AlreadyAssigned(
            f"{fleet} has {version} already. Collectors on which it failed can be retried.",
            field="version",
            code="already_assigned",
        )
