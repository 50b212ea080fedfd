"""Giving a fleet another version: the plan, what would happen and what speaks against it, then the rollout."""

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from configs.change_words import shown_changes
from configs.models import ConfigVersion
from configs.services import diff_versions
from configs.views.compare import rows_of as lines_of
from fleets.forms import AssignForm, published_versions
from fleets.models import Fleet
from fleets.plan_form import FIRST_PRESET, PRESET_MEANS, PRESET_WORDS, PlanEditor, PlanForms
from fleets.rollouts.checking import check_rollout
from fleets.rollouts.preflight import OF_QUARANTINE, Fate, Preflight, Severity
from fleets.rollouts.services import start_checked_rollout
from fleets.rollouts.strategy import PRESETS
from fleets.rollouts.whom import off_version
from fleets.views.plan_rows import least_time, stage_rows, track_of
from fleets.views.subject import fleet_or_404
from telflo.base import clock
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires
from telflo.ui.numbers import counted, lasting

_SHOWN_LINES: Final = 400
_SHOWN_NAMES: Final = 20
_SHOWN_CHANGES: Final = 12
_START: Final = "start"


@requires(Action.OPERATE, methods=("GET", "POST"))
def assign(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """`?version=` chooses. A POST edits the plan (`do=add`, `remove:2`, `preset:canary`), shows what it would do
    (`do=preview`), or starts it (`do=start`).
    """
    fleet = fleet_or_404(fleet_name)
    chosen = _chosen(request, fleet)
    wanted = request.POST.get("do", "")
    is_start = request.method == "POST" and wanted == _START
    form = AssignForm(request.POST, fleet=fleet) if is_start else _unbound(request, fleet, chosen)
    plan = _editor(request, wanted).forms()
    if is_start and form.is_valid() and plan.strategy:
        try:
            rollout = start_checked_rollout(
                fleet=fleet,
                version=form.cleaned_data["version"],
                strategy=plan.strategy,
                reason=form.cleaned_data["reason"],
                actor=actor_of(request),
                accepted=request.POST.getlist("accept"),
                force=_is_forced(request),
            )
        except DomainError as error:
            add_domain_error(form, error)
        else:
            messages.success(request, f"{rollout.version} goes to {fleet.name}")
            return redirect("rollouts:detail", rollout.number)
    context = {
        "fleet": fleet,
        "form": form,
        "chosen": chosen,
        "has_versions": chosen is not None or published_versions().exists(),
        "heading": f"Assign a version to {fleet}",
    }
    if chosen is not None:
        context |= _plan_context(request, fleet, chosen, plan) | _difference(fleet, chosen)
    return render(request, "fleets/assign.html", context, status=422 if is_start else 200)


def _unbound(request: HttpRequest, fleet: Fleet, chosen: ConfigVersion | None) -> AssignForm:
    """What was typed so far is kept."""
    typed = {
        "version": chosen.pk if chosen else None,
        "reason": request.POST.get("reason", ""),
    }
    return AssignForm(initial=typed, fleet=fleet)


def _editor(request: HttpRequest, wanted: str) -> PlanEditor:
    if request.method == "POST":
        return PlanEditor.posted(request.POST).do(wanted)
    return PlanEditor.of(PRESETS[FIRST_PRESET]())


def _is_forced(request: HttpRequest) -> bool:
    """Whether the version is tried again where it failed before."""
    return request.POST.get("force") == "on"


def _plan_context(
    request: HttpRequest, fleet: Fleet, chosen: ConfigVersion, plan: PlanForms
) -> dict[str, Any]:
    """The plan, and its check as far as it holds."""
    # Then there is nothing to start, but for those that lack it, and for trying it again where it failed.
    is_there = fleet.has_settled_on(chosen)
    lacking = off_version(fleet).count() if is_there else 0
    context: dict[str, Any] = {
        "plan": plan,
        "presets": PRESET_WORDS.items(),
        "preset_means": PRESET_MEANS.get(plan.preset, ""),
        "rows": stage_rows(plan, ()),
        "default_timeout": lasting(int(settings.APPLY_TIMEOUT.total_seconds())),
        "is_current": chosen.pk == fleet.version_id,
        "is_stable": is_there and not lacking,
        "lacking": lacking,
    }
    if plan.strategy is None:
        return context
    force = _is_forced(request)
    found = check_rollout(fleet, chosen, plan.strategy, force=force, now=clock.now())
    is_again = is_there and bool(lacking or (force and found.reached))
    return context | {
        "is_forced": force,
        "is_again": is_again,
        "is_stable": is_there and not is_again,
        "preflight": found,
        "rows": stage_rows(plan, found.stages),
        "track": track_of(plan.strategy, found.stages),
        "least_time": least_time(plan.strategy, found.stages),
        **_check_context(found, request.POST.getlist("accept")),
    }


def _check_context(found: Preflight, accepted: list[str]) -> dict[str, Any]:
    first = next((stage.reached for stage in found.stages if stage.reached), 0)
    errors, waiting = found.of(Severity.ERROR), found.open_warnings(accepted)
    return {
        "fates": {fate.value: found.fates.get(fate, 0) for fate in Fate},
        "without": found.fates.get(Fate.UNABLE, 0) + found.fates.get(Fate.OBSERVED, 0),
        "accepted": accepted,
        "errors": errors,
        "force_at": next((one.code for one in found.findings if one.code in OF_QUARANTINE), ""),
        "changes": shown_changes(found.changes)[:_SHOWN_CHANGES],
        "more_changes": max(0, len(found.changes) - _SHOWN_CHANGES),
        "waits": counted(len(waiting), "warning needs", "warnings need") if waiting else "",
        "shown_names": f":{_SHOWN_NAMES}",
        "most_names": _SHOWN_NAMES,
        "first": first,
    }


def _difference(fleet: Fleet, chosen: ConfigVersion) -> dict[str, Any]:
    """The lines that change, against the version that the fleet has."""
    if fleet.version is None or fleet.version_id == chosen.pk:
        return {}
    diff = diff_versions(fleet.version, chosen)
    lines = list(lines_of(diff))
    return {"diff": diff, "lines": lines[:_SHOWN_LINES], "is_cut": len(lines) > _SHOWN_LINES}


def _chosen(request: HttpRequest, fleet: Fleet) -> ConfigVersion | None:
    """The version asked for, else the newest that would be news to the fleet: never one that it has, or an older one.

    Of its configuration; for a fleet without a version, of all.
    """
    found = published_versions()
    wanted = request.POST.get("version") or request.GET.get("version", "")
    try:
        named: ConfigVersion | None = found.filter(pk=UUID(wanted)).first()
    except ValueError:
        named = None
    if named is not None:
        return named
    if fleet.version is not None:
        newer = found.filter(
            configuration=fleet.version.configuration_id, number__gt=fleet.version.number
        )
    else:
        newer = found.order_by("-created_at")
    newest: ConfigVersion | None = newer.first()
    return newest
