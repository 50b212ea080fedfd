"""Rollouts that go on after the story: fleets change between their two newest versions, again and again."""

import random
from collections import deque
from collections.abc import Iterable
from typing import Final

from django.db.models import Q

from configs.models import ConfigVersion
from fleets.models import Rollout, RolloutState
from fleets.rollouts.counts import Budget
from fleets.rollouts.services import start_rollout
from fleets.rollouts.strategy import all_at_once
from telflo.base.activity import Actor
from telflo.demo.crowd import Crowd
from telflo.demo.story import Group

MOST_AT_ONCE: Final = 2
BUDGET_PERCENT: Final = 10
_SLOWEST_S: Final = 90.0
_MOVING: Final = (RolloutState.PENDING, RolloutState.RUNNING)
_GOING_ON: Final = (*_MOVING, RolloutState.BAKING, RolloutState.ROLLING_BACK)
"""One that paused itself waits for a visitor, or for the next version."""


class Releases:
    """Starts one rollout at a call, when there is room for it. No version is made, so nothing grows but history."""

    def __init__(
        self, crowd: Crowd, groups: Iterable[Group], *, actor: Actor, rng: random.Random
    ) -> None:
        self._crowd = crowd
        self._groups = deque(groups)
        self._actor = actor
        self._rng = rng

    def start_next(self) -> Rollout | None:
        """The fleets take turns. None when all are busy, are held by a visitor, or run what one gave them."""
        if Rollout.objects.filter(state__in=_MOVING).count() >= MOST_AT_ONCE:
            return None
        held = Q(state=RolloutState.PAUSED, is_held=True)
        going_on = Rollout.objects.filter(Q(state__in=_GOING_ON) | held)
        under_way = set(going_on.values_list("fleet_id", flat=True))
        for _ in range(len(self._groups)):
            group = self._groups[0]
            self._groups.rotate(-1)
            group.fleet.refresh_from_db()
            version = _other_version(group)
            if version is not None and group.fleet.pk not in under_way:
                return self._start(group, version)
        return None

    def _start(self, group: Group, version: ConfigVersion) -> Rollout:
        for member in group.members:
            self._crowd.behave([member], apply_delay_s=self._rng.uniform(1, _SLOWEST_S))
        is_newer = version == group.versions[-1]
        return start_rollout(
            fleet=group.fleet,
            version=version,
            reason="Go on with the newer one" if is_newer else "Compare with the one before",
            actor=self._actor,
            strategy=all_at_once(Budget(percent=BUDGET_PERCENT)),
        )


def _other_version(group: Group) -> ConfigVersion | None:
    """The other one of the fleet's two newest versions; None when it runs neither, or is out of use."""
    before, newest = group.versions[-2:]
    if group.fleet.archived_at is not None or group.fleet.version_id is None:
        return None
    return {before.pk: newest, newest.pk: before}.get(group.fleet.version_id)
