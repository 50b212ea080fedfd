"""The list of configurations, and one configuration with its versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from configs.drafts import draft_of
from configs.forms import DetailsForm
from configs.models import Configuration, ConfigVersion, VersionState
from configs.services import archive_configuration, update_configuration
from configs.views.subject import configuration_or_404
from configs.views.usage import collectors_by_configuration, usage_of
from fleets.models import Fleet
from telflo.base.access import Action, may
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask_first
from telflo.ui.pages import rows_of
from telflo.ui.shelves import shelf_of


@dataclass(frozen=True, slots=True)
class Row:
    """One configuration in the list."""

    id: UUID
    name: str
    description: str
    versions: int
    latest: int | None
    state: str
    published: int | None
    collectors: int
    fleets: Sequence[tuple[str, str]]
    author: str
    at: datetime


@requires(Action.VIEW)
def listing(request: HttpRequest) -> HttpResponse:
    """All configurations by name; `?archived=1` shows those that were put away."""
    shelf = shelf_of(request, Configuration.objects.all(), _shaped)
    context = {
        "shelf": shelf,
        "rows": _rows(shelf.page.items),
        "may_edit": may(request.user, Action.EDIT),
    }
    return render(request, "configs/list.html", context)


def _shaped(found: QuerySet[Configuration]) -> QuerySet[Configuration, Any]:
    latest = ConfigVersion.objects.filter(configuration=OuterRef("pk")).order_by("-number")
    published = latest.filter(state=VersionState.PUBLISHED)
    return (
        found.annotate(
            count=Count("versions"),
            latest=Subquery(latest.values("number")[:1]),
            latest_state=Subquery(latest.values("state")[:1]),
            author=Subquery(latest.values("author__username")[:1]),
            published=Subquery(published.values("number")[:1]),
            at=F("updated_at"),
        )
        .order_by("name")
        .values(
            "id",
            "name",
            "description",
            "count",
            "latest",
            "latest_state",
            "author",
            "published",
            "at",
        )
    )


def _rows(found: Sequence[dict[str, Any]]) -> list[Row]:
    collectors = collectors_by_configuration()
    fleets = _fleets_by_configuration()
    return [
        Row(
            id=row["id"],
            name=row["name"],
            description=row["description"],
            versions=row["count"],
            latest=row["latest"],
            state=row["latest_state"] or "",
            published=row["published"],
            collectors=collectors.get(row["id"], 0),
            fleets=fleets.get(row["id"], []),
            author=row["author"] or "",
            at=row["at"],
        )
        for row in found
    ]


def _fleets_by_configuration() -> dict[UUID, list[tuple[str, str]]]:
    fleets: dict[UUID, list[tuple[str, str]]] = {}
    rows = Fleet.objects.active().exclude(version=None)
    for configuration, name, slug in rows.values_list("version__configuration", "name", "slug"):
        if configuration is not None:
            fleets.setdefault(configuration, []).append((name, slug))
    return fleets


@requires(Action.VIEW)
def detail(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """Its versions, newest first, and where each runs now."""
    configuration = configuration_or_404(configuration_id)
    found = configuration.versions.without_text().select_related("author", "published_by")
    page = rows_of(request, found)
    usage = usage_of(configuration)
    context = {
        "configuration": configuration,
        "rows": [(version, usage.by_version.get(version.pk, 0)) for version in page.items],
        "page": page,
        "usage": usage,
        "draft": draft_of(configuration),
        "published": configuration.versions.published().without_text().first(),
        "may_edit": may(request.user, Action.EDIT) and configuration.archived_at is None,
        "may_operate": may(request.user, Action.OPERATE),
    }
    return render(request, "configs/detail.html", context)


@requires(Action.EDIT, methods=("GET", "POST"))
def edit(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """Another name or description."""
    configuration = configuration_or_404(configuration_id)
    form = DetailsForm(
        request.POST or None,
        initial={"name": configuration.name, "description": configuration.description},
    )
    if request.method == "POST" and form.is_valid():
        try:
            update_configuration(
                configuration=configuration, actor=actor_of(request), **form.cleaned_data
            )
        except DomainError as error:
            add_domain_error(form, error)
        else:
            messages.success(request, "Saved")
            return redirect("configs:detail", configuration.pk)
    context = {"configuration": configuration, "form": form}
    return render(request, "configs/edit.html", context, status=422 if form.errors else 200)


@requires(Action.EDIT, methods=("GET", "POST"))
def archive(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """Put it away, once it was confirmed."""
    configuration = configuration_or_404(configuration_id)
    question = Question(
        title=f"Archive {configuration.name}?",
        body="Nothing new can be saved or published in it. Fleets keep what they run.",
        verb="Archive",
        back_url=reverse("configs:detail", args=[configuration.pk]),
    )
    return ask_first(
        request,
        question,
        partial(archive_configuration, configuration=configuration, actor=actor_of(request)),
        done=f"{configuration.name} is archived",
        to=reverse("configs:list"),
    )
