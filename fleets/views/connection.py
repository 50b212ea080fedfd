"""How a fleet's collectors keep in touch: a summary for its settings page, and the form."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from fleets.connection import connection_of, destinations_of, update_connection
from fleets.connection_form import ConnectionForm
from fleets.connection_offer import DEFAULT_HEARTBEAT_S
from fleets.connection_reach import Reach, count_reach
from fleets.models import Fleet
from fleets.own_address import offered_endpoint
from fleets.scouting import ahead
from fleets.views.subject import fleet_or_404
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires
from telflo.ui.numbers import grouped
from telflo.ui.vocabulary import SETTINGS


@dataclass(frozen=True, slots=True)
class Shown:
    """The settings in words: no value of a header."""

    heartbeat: str
    own_credentials: bool
    destinations: list[tuple[str, str]]
    is_set: bool


def shown_connection(fleet: Fleet) -> Shown:
    """What the settings page says. One query."""
    wish = connection_of(fleet)
    interval = f"every {wish.heartbeat_s or DEFAULT_HEARTBEAT_S} s"
    return Shown(
        heartbeat=interval if wish.heartbeat_s else f"{interval}, the collectors' own",
        own_credentials=wish.own_credentials,
        destinations=[(f"Own {s.value}", one.endpoint) for s, one in destinations_of(wish).items()],
        is_set=wish.sets_anything,
    )


@dataclass(frozen=True, slots=True)
class Reached:
    """How many members have a word of fleets/connection_reach.py, in words, and where they are listed."""

    word: str
    text: str
    meaning: str
    url: str


def shown_reach(fleet: Fleet) -> list[Reached]:
    """How far the settings came with the fleet's members, those that have them first. One query."""
    found = count_reach(fleet)
    listed = f"{reverse('agents:list')}?fleet={fleet.slug}&settings="
    return [
        Reached(
            word, f"{grouped(found[Reach(word)])} {lamp.word.lower()}", lamp.meaning, listed + word
        )
        for word, lamp in SETTINGS.items()
        if Reach(word) in found
    ]


def way_here() -> dict[str, Any]:
    """Where offers send collectors, and whether any arrived, as fleets/_ahead.html says it. Two queries at most."""
    endpoint = offered_endpoint()
    return {
        "endpoint": endpoint,
        "has_ca": bool(settings.CA_FILE),
        "ahead": ahead() if endpoint else None,
    }


@requires(Action.ENROL, methods=("GET", "POST"))
@never_cache
def edit(request: HttpRequest, fleet_name: str) -> HttpResponse:
    """Change them; connected collectors are offered the new ones at once."""
    fleet = fleet_or_404(fleet_name)
    data = request.POST if request.method == "POST" else None
    known = connection_of(fleet)
    form = ConnectionForm(data, known=known)
    if form.is_valid() and _save(request, fleet, form):
        messages.success(request, "Saved")
        return redirect("fleets:settings", fleet.slug)
    context: dict[str, Any] = {
        "fleet": fleet,
        "form": form,
        **way_here(),
        "is_web_port": not settings.OPAMP_URL,
        "is_set": known.sets_anything,
        "reach": shown_reach(fleet),
    }
    status = 422 if form.errors else 200
    return render(request, "fleets/connection.html", context, status=status)


def _save(request: HttpRequest, fleet: Fleet, form: ConnectionForm) -> bool:
    try:
        update_connection(
            fleet=fleet,
            heartbeat_s=form.cleaned_data["heartbeat_s"],
            own_credentials=form.cleaned_data["own_credentials"],
            telemetry=form.telemetry(),
            actor=actor_of(request),
        )
    except DomainError as error:
        add_domain_error(form, error)
        form.ask_again()
        return False
    return True
