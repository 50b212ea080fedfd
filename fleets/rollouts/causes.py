"""Why targets of a rollout failed: clusters of one cause, and what those targets share. A fixed number of queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from agents.lastwords import gist_of
from agents.wording import hint_for
from configs.collector.errors import ParseError
from configs.collector.mentions import line_named
from configs.collector.parse import parse
from fleets.models import Rollout, Target, TargetState
from fleets.rollouts.clusters import Cluster, Contrast, Failure, Traits, clusters, contrasts
from fleets.rollouts.traits import counted, traits_of
from telflo.base.redaction import redact_text

MOST_FAILURES: Final = 5_000
MOST_COMPARED: Final = 2_000
"""So many of each kind tell what they share. How many more have it is counted among all."""
_MOST_CAUSES: Final = 10
_ID_LENGTH: Final = 12
_APART: Final = timedelta(minutes=1)
_JUDGED: Final = (
    TargetState.SUCCEEDED,
    TargetState.REVERTING,
    TargetState.REVERTED,
    TargetState.REVERT_FAILED,
)
"""Without words of a failure these did not fail: they succeeded, or went back with the others."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a version's text, from 1, secrets masked."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures of one cause, as people may see it: secrets masked.

    id: the same for the same cause · error: the whole words of the first · gist: what of them says why · line: of the
    version's text, where that names one · shared: what these have and those that did not fail have not.
    """

    id: str
    count: int
    error: str
    gist: str
    first_at: datetime
    last_at: datetime
    uids: Sequence[UUID]
    shared: Sequence[Contrast]
    line: Line | None = None

    @property
    def hint(self) -> str:
        """Where to look when the words do not say why, "" where they do."""
        return hint_for(self.error)

    @property
    def is_over_time(self) -> bool:
        """Whether the first and the last are a minute apart: else one moment says it all."""
        return self.last_at - self.first_at >= _APART


def causes_of(rollout: Rollout) -> list[Cause]:
    """The most frequent first, ten at most. Targets that went back keep the words of their failure."""
    found = _clusters(rollout)[:_MOST_CAUSES]
    if not found:
        return []
    targets = _targets(rollout)
    well = _some(targets.filter(failure="", state__in=_JUDGED))
    compared = {uid for one in found for uid in one.uids[:MOST_COMPARED]}
    traits = traits_of(compared.union(well))
    others = _of(well, traits)
    shared = [contrasts(_of(one.uids[:MOST_COMPARED], traits), others) for one in found]
    wanted = list(dict.fromkeys((one.key, one.value) for some in shared for one in some))
    later = counted(targets.filter(state=TargetState.WAITING), wanted)
    text = rollout.version.yaml
    return [
        _cause(one, [replace(each, later=later[each.key, each.value]) for each in some], text)
        for one, some in zip(found, shared, strict=True)
    ]


def uids_of_cause(rollout: Rollout, cause_id: str) -> list[UUID]:
    """Whose version failed for this cause, the earliest first; of as many failures as causes_of looks at."""
    return [uid for one in _clusters(rollout) if _id(one) == cause_id for uid in one.uids]


def _clusters(rollout: Rollout) -> list[Cluster]:
    failed = _targets(rollout).exclude(failure="").order_by("failed_at")
    words = failed.values_list("agent_id", "failure", "failed_at")[:MOST_FAILURES]
    return clusters(Failure(uid, text, at or rollout.created_at) for uid, text, at in words)


def _targets(rollout: Rollout) -> QuerySet[Target]:
    return Target.objects.filter(rollout=rollout).exclude(agent=None)


def _id(cluster: Cluster) -> str:
    """Keyed, since the pattern may hold a secret that could be guessed from a plain hash."""
    return salted_hmac("telflo.cause", cluster.pattern).hexdigest()[:_ID_LENGTH]


def _cause(cluster: Cluster, shared: Iterable[Contrast], text: str) -> Cause:
    gist = gist_of(cluster.example)
    return Cause(
        id=_id(cluster),
        count=cluster.count,
        error=redact_text(cluster.example),
        gist=redact_text(gist),
        first_at=cluster.first_at,
        last_at=cluster.last_at,
        uids=cluster.uids,
        shared=[replace(one, value=redact_text(one.value)) for one in shared],
        line=_line(text, gist),
    )


@lru_cache(maxsize=64)
def _line(text: str, words: str) -> Line | None:
    """Kept, since a page that is open asks again and again."""
    try:
        number = line_named(parse(text), words)
    except ParseError:
        return None
    return Line(number, redact_text(text).splitlines()[number - 1].rstrip()) if number else None


def _some(targets: QuerySet[Target]) -> list[UUID]:
    return list(targets.order_by("pk").values_list("agent_id", flat=True)[:MOST_COMPARED])


def _of(uids: Iterable[UUID], traits: Mapping[UUID, Traits]) -> list[Traits]:
    return [traits[uid] for uid in uids if uid in traits]
