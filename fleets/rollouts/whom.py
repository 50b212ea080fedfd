"""Whom of a fleet a rollout is for: all of it, or of a version that the fleet has those that lack it."""

from typing import Final

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import GreaterThan

from agents.snapshot import Capability
from configs.models import ConfigVersion
from fleets.models import ArrivalMode, Fleet, Membership
from fleets.rollouts.past import failed_before

_ACCEPTS: Final = F("agent__capabilities").bitand(Capability.ACCEPTS_REMOTE_CONFIG.value)
_CAN_GET_ONE: Final = Q(mode=ArrivalMode.MANAGED) & (
    Q(agent__capabilities=0) | Q(GreaterThan(_ACCEPTS, 0))
)


def off_version(fleet: Fleet) -> QuerySet[Membership]:
    """Members that should run another version than the fleet has: they were left out, or a rollout ended half-way."""
    version = fleet.version
    return fleet.memberships.none() if version is None else fleet.memberships.filter(_lack(version))


def members_for(fleet: Fleet, version: ConfigVersion, *, force: bool) -> Q:
    """Of a fleet's members: whom a rollout of this version is for. Once all others have it, those that should run
    another one; with force those on which it failed too.
    """
    if not fleet.has_settled_on(version):
        return Q()
    lack = _lack(version)
    return lack | failed_before(version) if force else lack


def _lack(version: ConfigVersion) -> Q:
    is_meant = Q(desired__version=version) | Q(retry__version=version)
    return _CAN_GET_ONE & ~is_meant
