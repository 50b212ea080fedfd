"""Groups of states of attempts and targets that the engine's parts share."""

from typing import Final

from django.db.models import F, Q

from fleets.models import AttemptState, TargetState
from fleets.rollouts.past import WANTED_FAILED

IN_FLIGHT: Final = (AttemptState.OFFERED, AttemptState.APPLYING)
OPEN_TARGETS: Final = (TargetState.WAITING, TargetState.PENDING_OFFLINE)
BUSY_TARGETS: Final = (TargetState.OFFERED, TargetState.APPLYING, TargetState.SOAKING)
UNDER_WAY: Final = (*OPEN_TARGETS, *BUSY_TARGETS, TargetState.REVERTING)
"""Targets of which something is expected still."""
LET_GO: Final = Q(state=TargetState.WAITING) & (
    Q(agent__membership__desired__version=F("rollout__version")) & ~Q(WANTED_FAILED)
    | Q(agent__membership__retry__version=F("rollout__version"))
)
"""Targets that wait and may be offered the version already, be it by way of their previous one."""
IN_MOTION: Final = Q(state__in=BUSY_TARGETS) | LET_GO
"""Targets between being let go and being judged: what limits count."""
