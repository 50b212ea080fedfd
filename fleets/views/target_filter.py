"""Which targets a rollout's page lists: by state, stage, cause of failure and name, all of it in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.http import HttpRequest

from agents.views.listing import FilterMenu
from fleets.models import Stage, Target, TargetState
from fleets.rollouts.causes import Cause
from telflo.ui.filters import Option
from telflo.ui.vocabulary import TARGET


@dataclass(frozen=True, slots=True)
class TargetFilter:
    """What is wanted. A state or stage that does not exist wants nothing; a cause that nobody has (any more) finds
    nobody.

    stages: their indexes, none for all · cause_id: "" for any · cause: the one of this id, if there is one.
    """

    state: str
    stages: frozenset[int]
    cause_id: str
    cause: Cause | None
    words: str

    @classmethod
    def of(
        cls, request: HttpRequest, stages: Sequence[Stage], causes: Sequence[Cause]
    ) -> "TargetFilter":
        """As the address says."""
        state, named = request.GET.get("state", ""), request.GET.getlist("stage")
        cause_id = request.GET.get("cause", "")
        return cls(
            state=state if state in TargetState.values else "",
            stages=frozenset(one.index for one in stages if str(one.index) in named),
            cause_id=cause_id,
            cause=next((one for one in causes if one.id == cause_id), None),
            words=request.GET.get("q", "").strip(),
        )

    @property
    def narrows(self) -> bool:
        """Whether anything but the state is wanted."""
        return bool(self.stages or self.cause_id or self.words)

    def among(self, targets: QuerySet[Target]) -> QuerySet[Target]:
        """Those that are wanted, in whatever state."""
        if self.stages:
            targets = targets.filter(stage__index__in=self.stages)
        if self.cause_id:
            targets = targets.filter(agent__in=list(self.cause.uids) if self.cause else [])
        return targets.filter(agent__display_name__icontains=self.words) if self.words else targets

    def counts(
        self, among: QuerySet[Target], everybody: Mapping[str, int]
    ) -> list[tuple[str, str, int]]:
        """Each state that occurs in the rollout: its word, and how many of those that are wanted are in it.

        everybody: all targets by state; they are counted anew only where that is not what is wanted.
        """
        found: Mapping[str, int] = everybody
        if self.narrows:
            found = dict(among.order_by().values_list("state").annotate(n=Count("*")))
        return [
            (state, lamp.word, found.get(state, 0))
            for state, lamp in TARGET.items()
            if everybody.get(state)
        ]

    def menu(self, stages: Sequence[Stage]) -> FilterMenu | None:
        """The choice of stages, where there are several."""
        if len(stages) < 2:
            return None
        options = [Option(str(one.index), one.name, one.index in self.stages) for one in stages]
        return FilterMenu("stage", "Stage", "milestone", options)
