"""Rollouts: the list of all, and one with its targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from agents.models import Status
from fleets.models import Attempt, Fleet, Rollout, StageState, Target, TargetState
from fleets.rollouts.plan import ACTIVE
from fleets.views.rollout_rows import RolloutRow, rollout_rows, target_segments
from fleets.views.subject import rollout_or_404
from telflo.base.access import Action, may
from telflo.base.guard import requires
from telflo.base.redaction import redact_text
from telflo.ui.numbers import counted, grouped
from telflo.ui.pages import rows_of
from telflo.ui.track import TrackStage
from telflo.ui.vocabulary import TARGET, lamp_for

_TARGETS = 100
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
    default=Value(len(_FIRST)),
    output_field=IntegerField(),
)


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One collector in the rollout, with why it stands where it does. `error` is redacted."""

    name: str
    uid: str
    state: str
    since: datetime
    reason: str
    error: str
    before: str
    can_retry: bool


@requires(Action.VIEW)
def listing(request: HttpRequest) -> HttpResponse:
    """All rollouts, newest first; `?state=active` shows those under way."""
    only_active = request.GET.get("state") == "active"
    slug = request.GET.get("fleet", "")
    found = Rollout.objects.select_related(
        "fleet", "version__configuration", "from_version__configuration", "created_by"
    ).defer("version__yaml", "from_version__yaml")
    if only_active:
        found = found.filter(state__in=ACTIVE)
    if slug:
        found = found.filter(fleet__slug=slug)
    page = rows_of(request, found)
    context = {
        "rows": rollout_rows(page.items),
        "page": page,
        "only_active": only_active,
        "active_count": Rollout.objects.filter(state__in=ACTIVE).count(),
        "all_count": Rollout.objects.count(),
        "slug": slug,
        "may_operate": may(request.user, Action.OPERATE),
        "has_fleets": Fleet.objects.active().exists(),
    }
    return render(request, "rollouts/list.html", context)


@requires(Action.VIEW)
def detail(request: HttpRequest, number: int) -> HttpResponse:
    """Stages, targets by state, and every target with its reason."""
    rollout = rollout_or_404(number)
    row = rollout_rows([rollout])[0]
    here = reverse("rollouts:detail", args=[rollout.number])
    state = request.GET.get("state", "")
    page = rows_of(request, _targets(rollout, state, request.GET.get("q", "").strip()), _TARGETS)
    context = {
        "rollout": rollout,
        "row": row,
        "stages": _stages(rollout, row),
        "is_active": rollout.state in ACTIVE,
        "rows": [_row(target) for target in page.items],
        "page": page,
        "state": state,
        "states": _states(row),
        "q": request.GET.get("q", ""),
        "here": here,
        "heading": f"{rollout.version} to {rollout.fleet}",
        "tone": lamp_for("rollout", rollout.state).tone,
        "segments": target_segments(row.by_state, here),
        "may_operate": may(request.user, Action.OPERATE),
    }
    return render(request, "rollouts/detail.html", context)


def _targets(rollout: Rollout, state: str, words: str) -> QuerySet[Target, Any]:
    """Failures first, then those under way. The error is that of the target's last attempt."""
    attempts = Attempt.objects.filter(rollout=rollout, agent=OuterRef("agent")).order_by("-id")
    found = rollout.targets.annotate(error=Subquery(attempts.values("error")[:1]))
    if state in TargetState.values:
        found = found.filter(state=state)
    if words:
        found = found.filter(agent__display_name__icontains=words)
    return found.order_by(_RANK, "agent__display_name", "pk").values(
        "agent_id",
        "agent__display_name",
        "agent_label",
        "state",
        "state_since",
        "reason",
        "error",
        "previous__version__number",
        "previous__version__configuration__name",
        "agent__status__config_status",
        is_wanted=Q(agent__membership__desired__version=rollout.version_id),
    )


def _row(target: dict[str, Any]) -> TargetRow:
    number = target["previous__version__number"]
    name = target["previous__version__configuration__name"]
    has_failed = target["state"] in (TargetState.FAILED, TargetState.REVERT_FAILED)
    why = target["error"] or target["reason"] or "It gave no reason."
    return TargetRow(
        name=target["agent__display_name"] or target["agent_label"] or "forgotten",
        uid=str(target["agent_id"] or ""),
        state=target["state"],
        since=target["state_since"],
        reason=redact_text(target["reason"]),
        error=redact_text(why) if has_failed else "",
        before=f"{name} v{number}" if number else "",
        can_retry=bool(target["is_wanted"])
        and target["agent__status__config_status"] in (Status.FAILED, Status.ROLLED_BACK),
    )


def _states(row: RolloutRow) -> list[tuple[str, str, int]]:
    """The states that occur, with their words and numbers."""
    return [
        (state, lamp.word, n) for state, lamp in TARGET.items() if (n := row.by_state.get(state))
    ]


def _stages(rollout: Rollout, row: RolloutRow) -> list[TrackStage]:
    stages = list(rollout.stages.annotate(n=Count("targets")))
    return [_stage(stage, n, stages, row) for n, stage in enumerate(stages, start=1)]


def _stage(stage: Any, number: int, stages: Sequence[Any], row: RolloutRow) -> TrackStage:
    failed = f", {grouped(row.failed)} failed" if row.failed else ""
    done = f"{grouped(row.succeeded)} of {grouped(row.targets)} succeeded{failed}"
    is_over = stage.state in (StageState.PASSED, StageState.FAILED)
    share = 100 if is_over else 100 * row.succeeded // max(row.targets, 1)
    return TrackStage(
        number=number,
        name=stage.name,
        state=stage.state,
        line1=done if len(stages) == 1 else counted(stage.n, "collector"),
        line2=f"failure budget {stage.failure_budget_percent} %",
        percent=share,
    )
