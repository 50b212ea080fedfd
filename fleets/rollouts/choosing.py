"""Whom a person means who names more than one collector of a rollout: by a trait, a cause, or all that failed."""

from uuid import UUID

from django.db.models import QuerySet

from agents.models import Agent
from fleets.models import Rollout, Target, TargetState
from fleets.rollouts.causes import uids_of_cause
from fleets.rollouts.past import WANTED_FAILED
from fleets.rollouts.traits import having


def waiting_with(rollout: Rollout, key: str, value: str) -> list[UUID]:
    """The targets that wait and have this trait: an attribute, a label, or the build."""
    return _with(rollout.targets.filter(state=TargetState.WAITING), key, value)


def failed_with(rollout: Rollout, *, cause: str = "", key: str = "", value: str = "") -> list[UUID]:
    """The targets on which the version failed and that should run it still: of this cause, with this trait, or all."""
    failed = rollout.targets.filter(
        WANTED_FAILED, agent__membership__desired__version=rollout.version_id
    )
    if cause:
        failed = failed.filter(agent__in=uids_of_cause(rollout, cause))
    return _with(failed, key, value) if key else list(failed.values_list("agent_id", flat=True))


def _with(targets: QuerySet[Target], key: str, value: str) -> list[UUID]:
    agents = Agent.objects.filter(pk__in=targets.exclude(agent=None).values("agent_id"))
    return list(having(agents, key, value).values_list("pk", flat=True))
