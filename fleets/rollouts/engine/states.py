"""Groups of states of attempts and targets that the engine's parts share."""

from typing import Final

from django.db.models import Exists, F, OuterRef, Q

from agents.models import Health
from agents.snapshot import ConfigStatus
from fleets.models import Attempt, AttemptState, RolloutState, StageState, TargetState
from fleets.rollouts.past import WANTED_FAILED
from fleets.rollouts.plan import ACTIVE

IN_FLIGHT: Final = (AttemptState.OFFERED, AttemptState.APPLYING)
OPEN_TARGETS: Final = (TargetState.WAITING, TargetState.PENDING_OFFLINE)
BUSY_TARGETS: Final = (TargetState.OFFERED, TargetState.APPLYING, TargetState.SOAKING)
UNDER_WAY: Final = (*OPEN_TARGETS, *BUSY_TARGETS, TargetState.REVERTING)
"""Targets of which something is expected still."""
STILL_GIVES: Final = (*ACTIVE, RolloutState.SUCCEEDED, RolloutState.CANCELLED)
"""Rollouts whose version may still be offered: to who was offline, and where it is tried again."""
RUNS_WANTED: Final = Q(
    agent__status__remote_config_hash=F("agent__membership__desired__hash"),
    agent__status__remote_config_status=ConfigStatus.APPLIED,
)
"""Targets whose agents say that they run what they should."""
_NOT_BEGUN: Final = Q(stage__state=StageState.WAITING)
_ANYWAY: Final = _NOT_BEGUN & Q(previous__version=F("rollout__version"))
DUE: Final = (
    Q(agent__membership__desired__version=F("rollout__version"))
    & ~_ANYWAY
    & ~Q(WANTED_FAILED)
    & ~RUNS_WANTED
)
"""Targets that are to be offered the version because of the rollout, or just were. Before its stage an agent may be to
get it anyway, on its return.
"""
MAY_BE_OFFERED: Final = Q(state=TargetState.WAITING) & (
    DUE | Q(agent__membership__retry__version=F("rollout__version"))
)
"""Targets that wait and may be offered the version already, be it by way of their previous one."""
LET_GO: Final = MAY_BE_OFFERED & ~_NOT_BEGUN
"""The same, by this rollout: an earlier one of the version may have been cancelled with offers out."""
IN_MOTION: Final = Q(state__in=BUSY_TARGETS) | LET_GO
"""Targets between being let go and being judged: what limits count."""
_IS_OFFERED: Final = Q(Exists(Attempt.objects.filter(agent=OuterRef("agent"), state__in=IN_FLIGHT)))
TRIED_AGAIN: Final = Q(state__in=OPEN_TARGETS, retried_at__isnull=False)
"""Targets that a person had tried again: let go in any number, so each offer to them is held to the limits."""
TAKES_PLACE: Final = (
    Q(state__in=BUSY_TARGETS) | LET_GO & Q(retried_at=None) | TRIED_AGAIN & _IS_OFFERED
)
"""Targets that those wait for who are held to the limits when they are to be offered something."""
STILL_ILL: Final = TRIED_AGAIN & ~_IS_OFFERED & Q(agent__status__health=Health.UNHEALTHY)
"""Targets tried again that are down meanwhile, so that others of their zone are not touched."""
CAN_BE_HELD: Final = ~LET_GO | TRIED_AGAIN & ~_IS_OFFERED & ~STILL_ILL
"""Targets that wait, and that a broken one of their zone holds."""
