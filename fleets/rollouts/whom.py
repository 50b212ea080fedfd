"""Whom of a fleet a rollout is for: all of it, or of a version that the fleet has those that lack it."""

from typing import Final
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import GreaterThan

from agents.snapshot import Capability
from configs.models import ConfigVersion
from fleets.models import ArrivalMode, Fleet, Membership
from fleets.rollouts.past import failed_before

_ACCEPTS: Final = F("agent__capabilities").bitand(Capability.ACCEPTS_REMOTE_CONFIG.value)
MAY_TAKE_ONE: Final = Q(agent__capabilities=0) | Q(GreaterThan(_ACCEPTS, 0))
"""Members, or targets, whose agents accept configurations, as agents.snapshot.may_take_config says."""
_CAN_GET_ONE: Final = Q(mode=ArrivalMode.MANAGED) & MAY_TAKE_ONE


def off_version(fleet: Fleet) -> QuerySet[Membership]:
    """Members that should run another version than the fleet has: they were left out, or a rollout ended half-way."""
    if fleet.version_id is None:
        return fleet.memberships.none()
    return fleet.memberships.filter(_CAN_GET_ONE, _should_run_another(fleet.version_id))


def members_for(fleet: Fleet, version: ConfigVersion) -> Q:
    """Of a fleet's members: whom a rollout of this version is for. Once the others have it, those that should run
    another one, and those on which it failed, who are skipped unless that is forced.
    """
    if not fleet.has_settled_on(version):
        return Q()
    return _CAN_GET_ONE & (_should_run_another(version.pk) | failed_before(version))


def _should_run_another(version_id: UUID) -> Q:
    return ~(Q(desired__version=version_id) | Q(retry__version=version_id))
