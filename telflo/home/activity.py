"""The activity log: who did what, on what, when and why."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from fleets.views.links import links_of
from telflo.base.access import Action
from telflo.base.deeds import codes_said_with
from telflo.base.guard import requires
from telflo.base.models import Activity, ActorKind
from telflo.ui.filters import Option

PAGE_ROWS = 50


KINDS = {
    "configuration": "Configurations",
    "version": "Versions",
    "fleet": "Fleets",
    "agent": "Collectors",
    "rollout": "Rollouts",
    "token": "Tokens",
    "deployment": "Quick deploy",
    "subscription": "Notifications",
    "person": "People",
    "api_token": "API tokens",
}


@requires(Action.VIEW)
def activity(request: HttpRequest) -> HttpResponse:
    """Who did what, newest first, in pages of 50; filters stand in the URL."""
    chosen = [kind for kind in request.GET.getlist("kind") if kind in KINDS]
    actors = [actor for actor in request.GET.getlist("by") if actor in ActorKind.values]
    found = _matching(request.GET.get("q", "").strip(), chosen, actors)
    before = _uuid(request.GET.get("before", ""))
    page = list((found.filter(pk__lt=before) if before else found)[: PAGE_ROWS + 1])
    rows = page[:PAGE_ROWS]
    links = links_of(rows, request.user)
    context = {
        "rows": [(row, links.get(row.pk, "")) for row in rows],
        "older": page[PAGE_ROWS - 1].pk if len(page) > PAGE_ROWS else None,
        "is_first": before is None,
        "q": request.GET.get("q", ""),
        "kinds": [Option(kind, label, kind in chosen) for kind, label in KINDS.items()],
        "kinds_chosen": ", ".join(KINDS[kind] for kind in chosen),
        "actors": [
            Option(value, str(label), value in actors) for value, label in ActorKind.choices
        ],
        "actors_chosen": ", ".join(str(ActorKind(actor).label) for actor in actors),
        "is_filtered": bool(chosen or actors or request.GET.get("q")),
    }
    return render(request, "activity/list.html", context)


def _matching(words: str, kinds: list[str], actors: list[str]) -> QuerySet[Activity]:
    rows = Activity.objects.all()
    if kinds:
        rows = rows.filter(object_type__in=kinds)
    if actors:
        rows = rows.filter(actor_kind__in=actors)
    if words:
        rows = rows.filter(
            Q(object_label__icontains=words)
            | Q(actor_label__icontains=words)
            | Q(action__icontains=words)
            | Q(action__in=codes_said_with(words))
        )
    return rows


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
