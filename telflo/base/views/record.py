"""Activity and settings."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import django
from django.conf import settings as conf
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from telflo.base.access import Action
from telflo.base.deeds import codes_said_with
from telflo.base.guard import requires
from telflo.base.models import Activity, ActorKind

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Option:
    """A choice in the filter bar."""

    value: str
    label: str
    on: bool
    count: int | None = None


KINDS = {
    "configuration": "Configurations",
    "version": "Versions",
    "fleet": "Fleets",
    "agent": "Collectors",
    "rollout": "Rollouts",
    "token": "Tokens",
    "deployment": "Quick deploy",
    "person": "People",
    "api_token": "API tokens",
}


@requires(Action.VIEW)
def activity(request: HttpRequest) -> HttpResponse:
    """Who did what, newest first, in pages of 50; filters stand in the URL."""
    chosen = [kind for kind in request.GET.getlist("kind") if kind in KINDS]
    actors = [actor for actor in request.GET.getlist("by") if actor in ActorKind.values]
    rows = _matching(request.GET.get("q", "").strip(), chosen, actors)
    before = _uuid(request.GET.get("before", ""))
    page = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_ROWS + 1])
    context = {
        "rows": page[:PAGE_ROWS],
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


@requires(Action.VIEW)
def settings(request: HttpRequest) -> HttpResponse:
    """What this installation is set to; the environment is the only place to change it."""
    kept = [
        ("Collector events and refused attempts", conf.KEEP_AGENT_EVENTS),
        ("Activity", conf.KEEP_ACTIVITY),
        ("Attempts", conf.KEEP_ATTEMPTS),
    ]
    context = {
        "kept": [(what, _days(time)) for what, time in kept],
        "stale_hours": int(conf.STALE_AFTER.total_seconds() // 3600),
        "message_mib": conf.OPAMP_MESSAGE_BYTES // conf.MEBIBYTE,
        "enrolments": conf.ENROLMENTS_PER_MINUTE,
        "database": connection.vendor,
        "redis": bool(conf.REDIS_URL),
        "django": django.get_version(),
        "base_url": conf.BASE_URL,
        "opamp_url": conf.OPAMP_URL,
        "artifacts_url": conf.ARTIFACTS_URL,
        "ca_file": conf.CA_FILE,
    }
    return render(request, "settings/server.html", context)


def _days(time: timedelta) -> str:
    return f"{time.days} days"
