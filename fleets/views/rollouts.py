"""Rollouts: the list of all, and one with its targets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from fleets.models import (
    Fleet,
    Rollout,
    RolloutState,
    Stage,
    StageState,
    Target,
    TargetState,
)
from fleets.rollouts.causes import Cause, causes_of
from fleets.rollouts.engine import zone_holds
from fleets.rollouts.plan import ACTIVE
from fleets.views.history_rows import history_of
from fleets.views.rollout_rows import RolloutRow, rollout_rows, stage_words, target_segments
from fleets.views.rollout_steps import possible_steps
from fleets.views.subject import rollout_or_404
from fleets.views.target_filter import TargetFilter
from fleets.views.target_rows import target_rows, unreached
from telflo.base import clock
from telflo.base.access import Action, may
from telflo.base.guard import requires
from telflo.ui.numbers import grouped, lasting
from telflo.ui.pages import rows_of
from telflo.ui.track import TrackStage
from telflo.ui.vocabulary import lamp_for

_FIRST = (
    TargetState.FAILED,
    TargetState.REVERT_FAILED,
    TargetState.APPLYING,
    TargetState.OFFERED,
    TargetState.SOAKING,
    TargetState.WAITING,
    TargetState.PENDING_OFFLINE,
)
_RANK = Case(
    *(When(state=state, then=Value(rank)) for rank, state in enumerate(_FIRST)),
    When(state=TargetState.EXCLUDED, then=Value(len(_FIRST) + 1)),
    default=Value(len(_FIRST)),
    output_field=IntegerField(),
)


_LISTED: Final = {
    "active": ("Under way", ACTIVE),
    "paused": ("Paused", frozenset({RolloutState.PAUSED})),
    "back": ("Taken back", frozenset({RolloutState.ROLLING_BACK, RolloutState.ROLLED_BACK})),
}
"""What the list can be narrowed to: `?state=`, its name, the states."""


@requires(Action.VIEW)
def listing(request: HttpRequest) -> HttpResponse:
    """All rollouts, newest first; `?state=` shows those under way, paused, or taken back."""
    chosen = request.GET.get("state", "")
    slug = request.GET.get("fleet", "")
    found = Rollout.objects.select_related(
        "fleet", "version__configuration", "from_version__configuration", "created_by"
    ).defer("version__yaml", "from_version__yaml")
    if chosen in _LISTED:
        found = found.filter(state__in=_LISTED[chosen][1])
    if slug:
        found = found.filter(fleet__slug=slug)
    page = rows_of(request, found)
    by_state = dict(Rollout.objects.order_by().values_list("state").annotate(Count("pk")))
    context = {
        "rows": rollout_rows(page.items),
        "page": page,
        "chosen": chosen if chosen in _LISTED else "",
        "choices": [
            (value, word, sum(by_state.get(state, 0) for state in states))
            for value, (word, states) in _LISTED.items()
        ],
        "all_count": sum(by_state.values()),
        "slug": slug,
        "may_operate": may(request.user, Action.OPERATE),
        "has_fleets": Fleet.objects.active().exists(),
    }
    return render(request, "rollouts/list.html", context)


@requires(Action.VIEW)
def detail(request: HttpRequest, number: int) -> HttpResponse:
    """Stages, targets by state, and every target with its reason."""
    rollout = rollout_or_404(number)
    row, stages = rollout_rows([rollout])[0], list(rollout.stages.all())
    may_operate = may(request.user, Action.OPERATE)
    here = reverse("rollouts:detail", args=[rollout.number])
    causes = _causes(rollout, row)
    wanted = TargetFilter.of(request, stages, causes)
    among = wanted.among(rollout.targets.all())
    states = wanted.counts(among, row.by_state)
    total = sum(n for state, _, n in states if wanted.state in ("", state))
    found = among.filter(state=wanted.state) if wanted.state else among
    page = rows_of(request, _in_order(found), total=total)
    holds = zone_holds(rollout, clock.now())
    held = frozenset[UUID]().union(*(hold.waiting for hold in holds))
    rows = target_rows(rollout, page.items, held)
    steps = possible_steps(rollout) if may_operate else ()
    has_left = rollout.state == RolloutState.SUCCEEDED and any(one.can_leave_out for one in rows)
    context = {
        "rollout": rollout,
        "row": row,
        "stages": _track(rollout, stages, row, here),
        "bakes_until": _bakes_until(rollout, stages),
        "history": history_of(rollout, stages),
        "is_active": rollout.state in ACTIVE,
        "rows": rows,
        "holds": holds[:_MOST_HOLDS],
        "more_holds": max(0, len(holds) - _MOST_HOLDS),
        "acts": may_operate and (bool(steps) or has_left),
        "unreached": unreached(rollout),
        "page": page,
        "wanted": wanted,
        "states": states,
        "stage_menu": wanted.menu(stages),
        "q": request.GET.get("q", ""),
        "here": here,
        "heading": f"{rollout.version} to {rollout.fleet}",
        "lamp": lamp_for("rollout", row.look),
        "segments": target_segments(row.by_state, here),
        "may_operate": may_operate,
        "may_assign": may_operate and rollout.fleet.archived_at is None,
        "causes": causes,
        "may_retry": may_operate and row.failed and rollout.state not in _GONE_ON,
        "steps": steps,
    }
    return render(request, "rollouts/detail.html", context)


_MOST_HOLDS: Final = 5
_GONE_ON: Final = (
    RolloutState.ROLLING_BACK,
    RolloutState.ROLLED_BACK,
    RolloutState.SUPERSEDED,
)
"""Nobody should run the version any more."""


def _bakes_until(rollout: Rollout, stages: Sequence[Stage]) -> datetime | None:
    """When the next stage begins, or it succeeds, if nothing fails; None unless it bakes."""
    if rollout.state != RolloutState.BAKING:
        return None
    return next((one.bake_until for one in stages if one.state == StageState.BAKING), None)


def _causes(rollout: Rollout, row: RolloutRow) -> list[Cause]:
    """Why it failed; nothing is read where nothing did."""
    has_failed = row.failed or rollout.state in (
        RolloutState.ROLLING_BACK,
        RolloutState.ROLLED_BACK,
    )
    return causes_of(rollout) if has_failed else []


def _in_order(found: QuerySet[Target]) -> QuerySet[Target, UUID]:
    """Failures first, then those under way, those left out last.

    Only keys: sorting ten thousand whole rows takes twice as long.
    """
    return found.order_by(_RANK, "agent__display_name", "pk").values_list("pk", flat=True)


def _track(
    rollout: Rollout, stages: Sequence[Stage], row: RolloutRow, here: str
) -> list[TrackStage]:
    """The stages; with more than one, each with the number of its targets, which leads to them."""
    by_stage: dict[UUID, dict[str, int]] = {stage.pk: {} for stage in stages}
    if len(stages) == 1:
        by_stage[stages[0].pk] = dict(row.by_state)
    else:
        found = rollout.targets.order_by().values_list("stage_id", "state")
        for stage_id, state, n in found.annotate(n=Count("*")):
            by_stage[stage_id][state] = n
    return [
        _stage(stage, n, RolloutRow(rollout, by_stage[stage.pk]), here if len(stages) > 1 else "")
        for n, stage in enumerate(stages, start=1)
    ]


def _stage(stage: Stage, number: int, row: RolloutRow, here: str) -> TrackStage:
    """row: the stage's own targets; here: where they are listed."""
    is_over = stage.state in (StageState.PASSED, StageState.FAILED, StageState.SKIPPED)
    is_flawed = stage.state == StageState.PASSED and row.failed
    return TrackStage(
        number=number,
        name=stage.name,
        state="flawed" if is_flawed else stage.state_now,
        line1=stage_words(stage, row),
        line2=_rules_of(stage),
        percent=100 if is_over else 100 * row.succeeded // max(row.targets, 1),
        url=f"{here}?stage={stage.index}#targets" if here and row.by_state else "",
    )


def _rules_of(stage: Stage) -> str:
    """What has to hold for it to pass."""
    budget = stage.failure_budget_count
    share = f"{stage.failure_budget_percent} %" if budget is None else grouped(budget)
    bake = f", bakes {lasting(stage.bake_s)}" if stage.bake_s else ""
    return f"failure budget {share}{bake}"
