"""One fleet: its bars, and a page for each tab."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from agents.attention import MEANING
from fleets.forms import ARRIVALS, SettingsForm
from fleets.models import (
    ArrivalMode,
    Fleet,
    Membership,
    Rollout,
    RolloutState,
    Token,
    TokenKind,
)
from fleets.rollouts.plan import ACTIVE
from fleets.rollouts.whom import off_version
from fleets.services import archive_fleet, update_fleet
from fleets.token_state import usable
from fleets.tokens import let_in_elsewhere
from fleets.views.collectors import FIRST_ROWS, first_collectors
from fleets.views.connection import shown_connection, shown_reach, way_here
from fleets.views.links import links_of
from fleets.views.numbers import (
    FleetNumbers,
    health_segments,
    names_of,
    numbers_of,
    status_segments,
    version_segments,
)
from fleets.views.rollout_rows import rollout_rows
from fleets.views.subject import fleet_or_404
from fleets.views.token_rows import token_rows
from telflo.base import clock
from telflo.base.access import Action, may
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires
from telflo.base.models import Activity
from telflo.ui.asking import Question, ask_first
from telflo.ui.pages import rows_of


@requires(Action.VIEW)
def collectors(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """Bars and the most urgent collectors."""
    fleet = fleet_or_404(fleet_name)
    numbers = numbers_of(Membership.objects.filter(fleet=fleet)).get(fleet.pk, FleetNumbers())
    configuration = fleet.version.configuration.name if fleet.version else ""
    context = {
        "numbers": numbers,
        "attention": MEANING,
        "statuses": status_segments(numbers, fleet.slug),
        "versions": version_segments(numbers, names_of([numbers]), fleet.slug, configuration),
        "healths": health_segments(numbers, fleet.slug),
        "on_version": numbers.by_version[fleet.version_id] if fleet.version_id else 0,
        "rows": first_collectors(fleet),
        "first_rows": FIRST_ROWS,
    }
    return _page(request, fleet, "collectors", context)


@requires(Action.VIEW)
def rollouts(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """Its rollouts, newest first."""
    fleet = fleet_or_404(fleet_name)
    found = fleet.rollouts.select_related("version__configuration", "from_version", "created_by")
    page = rows_of(request, found.defer("version__yaml", "from_version__yaml"))
    return _page(request, fleet, "rollouts", {"rows": rollout_rows(page.items), "page": page})


@requires(Action.VIEW)
def deployments(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """Its quick-deploy commands, newest first."""
    fleet = fleet_or_404(fleet_name)
    found = fleet.deployments.select_related("created_by").defer("secret_environment")
    page = rows_of(
        request, found.annotate(hosts=Count("tokens__memberships", distinct=True)).order_by("-id")
    )
    return _page(
        request, fleet, "deployments", {"rows": page.items, "page": page, "now": clock.now()}
    )


@requires(Action.VIEW)
def tokens(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """Its enrolment and host tokens, newest first. Collectors' own are as many as these: the tokens' page has them."""
    fleet = fleet_or_404(fleet_name)
    page = rows_of(request, _tokens_of(fleet))
    rows = token_rows(page.items, clock.now())
    return _page(request, fleet, "tokens", {"rows": rows, "page": page})


def _tokens_of(fleet: Fleet) -> QuerySet[Token]:
    found = fleet.tokens.exclude(kind=TokenKind.AGENT)
    found = found.select_related("created_by", "fleet", "deployment")
    return found.defer("deployment__secret_environment")


@requires(Action.VIEW)
def activity(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """What was changed in it, newest first."""
    fleet = fleet_or_404(fleet_name)
    page = rows_of(request, Activity.objects.filter(fleet_id=fleet.pk))
    links = links_of(page.items, request.user)
    rows = [(row, links.get(row.pk, "")) for row in page.items]
    return _page(request, fleet, "activity", {"rows": rows, "page": page})


@requires(Action.VIEW, write=Action.EDIT, methods=("GET", "POST"))
def settings(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """What can be changed of it."""
    fleet = fleet_or_404(fleet_name)
    values = {name: getattr(fleet, name) for name in SettingsForm.base_fields}
    form = SettingsForm(request.POST or None, initial=values)
    if request.method == "POST" and form.is_valid():
        data = {**form.cleaned_data, "arrival_mode": ArrivalMode(form.cleaned_data["arrival_mode"])}
        try:
            update_fleet(fleet=fleet, actor=actor_of(request), **data)
        except DomainError as error:
            add_domain_error(form, error)
        else:
            messages.success(request, "Saved")
            return redirect("fleets:settings", fleet.slug)
    context = {
        "form": form,
        "arrival": dict(ARRIVALS)[fleet.arrival_mode],
        "connection": shown_connection(fleet),
        "reach": shown_reach(fleet),
        **way_here(),
        "after_archiving": _after_archiving(fleet),
    }
    return _page(request, fleet, "settings", context, status=422 if form.errors else 200)


@requires(Action.EDIT, methods=("GET", "POST"))
def archive(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """Take it out of use, once it was confirmed; refused while it has collectors."""
    fleet = fleet_or_404(fleet_name)
    question = Question(
        title=f"Archive {fleet.name}?",
        body=_after_archiving(fleet),
        verb="Archive",
        tone="danger",
        back_url=reverse("fleets:settings", args=[fleet.slug]),
    )
    return ask_first(
        request,
        question,
        partial(archive_fleet, fleet=fleet, actor=actor_of(request)),
        done=f"{fleet.name} is archived",
        to=reverse("fleets:list"),
    )


def _after_archiving(fleet: Fleet) -> str:
    count = let_in_elsewhere(fleet).count()
    words = (
        "Its tokens let in no new collectors and its quick-deploy codes are refused from then on."
        " Its history stays."
    )
    if not count:
        return words
    who = (
        "1 collector that was moved to another fleet came by its tokens and stays"
        if count == 1
        else f"{count} collectors that were moved to other fleets came by its tokens and stay"
    )
    return f"{words} {who} connected; revoke the tokens to end that."


def _page(
    request: HttpRequest, fleet: Fleet, tab: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The fleet's head and tabs around a tab's content."""
    is_open = fleet.archived_at is None
    counts = _counts(fleet)
    latest = fleet.rollouts.first()
    is_moving = latest is not None and latest.state in ACTIVE
    everything = {
        "fleet": fleet,
        "tab": tab,
        "counts": counts,
        "tabs": _tabs(fleet, tab, counts),
        "rollout": latest if is_moving else None,
        "off_version": 0 if is_moving else off_version(fleet).count(),
        "cancelled": latest if latest and _is_between(fleet, latest) else None,
        "may_edit": is_open and may(request.user, Action.EDIT),
        "may_operate": is_open and may(request.user, Action.OPERATE),
        "may_enrol": is_open and may(request.user, Action.ENROL),
        **context,
    }
    return render(request, f"fleets/{tab}.html", everything, status=status)


def _is_between(fleet: Fleet, latest: Rollout) -> bool:
    """Whether its last rollout was cancelled, and nothing brought all collectors to one version since."""
    is_halfway = fleet.stable_version_id != fleet.version_id == latest.version_id
    return latest.state == RolloutState.CANCELLED and is_halfway


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of the fleet; some have a number."""

    label: str
    url: str
    on: bool
    count: int | None = None


def _tabs(fleet: Fleet, current: str, counts: dict[str, int]) -> list[Tab]:
    names = ("collectors", "rollouts", "deployments", "tokens", "settings", "activity")
    return [
        Tab(
            name.capitalize(),
            reverse(f"fleets:{'detail' if name == 'collectors' else name}", args=[fleet.slug]),
            name == current,
            counts.get(name),
        )
        for name in names
    ]


def _counts(fleet: Fleet) -> dict[str, int]:
    """The numbers of the tabs: a query each, since a join of all would multiply their rows."""
    return {
        "collectors": fleet.memberships.count(),
        "rollouts": fleet.rollouts.count(),
        "deployments": fleet.deployments.count(),
        "tokens": fleet.tokens.filter(usable(clock.now())).exclude(kind=TokenKind.AGENT).count(),
    }
