"""What failed on collectors before, why, and how it can be offered there again, from the database."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Coalesce, NullIf

from configs.models import ConfigVersion
from fleets.models import Membership, Quarantine, RenderedConfig, Target
from fleets.rollouts.placing import Again, way_again


def failed_there(path: str) -> Exists:
    """Whether the hash that this path leads to failed on the agent; of rows that have an `agent`."""
    return Exists(Quarantine.objects.filter(agent=OuterRef("agent"), hash=OuterRef(path)))


_JUDGED_BY: Final = (
    Target.objects.filter(
        agent=OuterRef("agent"), rollout__version__rendered__hash=OuterRef("hash")
    )
    .exclude(failure="")
    .order_by("-failed_at")
)
WHY_FAILED: Final = Coalesce(
    NullIf("attempt__error", Value("")),
    Subquery(_JUDGED_BY.values("failure")[:1]),
    Value(""),
    output_field=TextField(),
)
"""Of quarantine: what the agent answered; of what failed after it was applied, what that was judged by."""
PREVIOUS_FAILED: Final = failed_there("previous__hash")
"""Whether what a member ran before failed on it too."""
WANTED_FAILED: Final = failed_there("agent__membership__desired__hash")
"""Of targets: whether what the collector should run failed on it."""


def failed_before(version: ConfigVersion) -> Q:
    """Of members: on whom the version, or another of the same text, has failed."""
    rendered = RenderedConfig.objects.filter(version__sha256=version.sha256)
    found = Quarantine.objects.filter(agent=OuterRef("agent"), hash__in=rendered.values("hash"))
    return Q(Exists(found))


def ways_again(failed: Mapping[UUID, str], applied: Mapping[UUID, str]) -> dict[UUID, Again]:
    """Of each of these, in one query. failed: the hash that failed there · applied: what it acknowledged last as
    applied.
    """
    if not failed:
        return {}
    members = Membership.objects.filter(agent_id__in=list(failed))
    rows = members.values_list("agent_id", "previous__hash", PREVIOUS_FAILED)
    return {
        uid: way_again(
            failed=failed[uid],
            applied=applied[uid],
            previous=previous or "",
            has_previous_failed=has_failed,
        )
        for uid, previous, has_failed in rows
    }
