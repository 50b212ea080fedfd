"""One version: its text redacted or raw, publishing and archiving it."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from configs.models import ConfigVersion, VersionState
from configs.services import archive_version, publish_version, read_raw_text
from configs.views.subject import version_or_404
from configs.views.usage import takers_of, usage_of
from telflo.base.access import Action, may
from telflo.base.activity import actor_of
from telflo.base.guard import requires
from telflo.base.redaction import MASK, redact_text
from telflo.ui.asking import Question, ask_first
from telflo.ui.numbers import counted

_MOST_TAKERS: Final = 12


@requires(Action.VIEW)
def detail(request: HttpRequest, configuration_id: UUID, number: int) -> HttpResponse:
    """The text with its secrets masked."""
    version = version_or_404(configuration_id, number)
    text = redact_text(version.yaml)
    return render(request, "configs/version.html", _context(request, version, text))


@requires(Action.READ_RAW)
@never_cache
def raw(request: HttpRequest, configuration_id: UUID, number: int) -> HttpResponse:
    """The text as it is. Each reading is in the activity log."""
    version = version_or_404(configuration_id, number)
    text = read_raw_text(version=version, actor=actor_of(request))
    return render(request, "configs/version.html", _context(request, version, text, is_raw=True))


def _context(
    request: HttpRequest, version: ConfigVersion, text: str, *, is_raw: bool = False
) -> dict[str, Any]:
    configuration = version.configuration
    usage = usage_of(configuration)
    numbers = list(configuration.versions.values_list("number", flat=True))
    is_active = configuration.archived_at is None
    may_operate = may(request.user, Action.OPERATE)
    can_be_given = is_active and version.state == VersionState.PUBLISHED and may_operate
    takers = takers_of(version, _MOST_TAKERS + 1) if can_be_given else []
    return {
        "version": version,
        "configuration": configuration,
        "text": text,
        "is_raw": is_raw,
        "is_masked": not is_raw and MASK in text,
        "size_words": counted(len(text.splitlines()), "line"),
        "running": usage.by_version.get(version.pk, 0),
        "fleets": usage.fleets,
        "is_assigned": any(fleet.assigned == version.number for fleet in usage.fleets),
        "takers": takers[:_MOST_TAKERS],
        "more_takers": len(takers) > _MOST_TAKERS,
        "others": [other for other in numbers if other != version.number],
        "previous": next((other for other in numbers if other < version.number), None),
        "is_latest": version.number == max(numbers),
        "publish_title": f"Publish {version}?",
        "archive_title": f"Archive {version}?",
        "may_publish": is_active
        and version.state == VersionState.UNPUBLISHED
        and may(request.user, Action.EDIT),
        "may_archive": version.state != VersionState.ARCHIVED and may(request.user, Action.EDIT),
        "may_edit": is_active and may(request.user, Action.EDIT),
        "may_read_raw": may(request.user, Action.READ_RAW),
        "may_operate": may_operate,
    }


@requires(Action.EDIT, methods=("GET", "POST"))
def publish(request: HttpRequest, configuration_id: UUID, number: int) -> HttpResponse:
    """Make it assignable, once it was confirmed."""
    version = version_or_404(configuration_id, number)
    question = Question(
        title=f"Publish {version}?",
        body="Fleets can be given it from then on. No collector changes before someone assigns it."
        " Its text stays as it is for good.",
        verb=f"Publish v{version.number}",
        keep="Keep it unpublished",
        back_url=_url(version),
    )
    change = partial(publish_version, version=version, actor=actor_of(request))
    return ask_first(request, question, change, done=f"{version} is published")


@requires(Action.EDIT, methods=("GET", "POST"))
def archive(request: HttpRequest, configuration_id: UUID, number: int) -> HttpResponse:
    """Take it off the list of what can be assigned, once it was confirmed."""
    version = version_or_404(configuration_id, number)
    question = Question(
        title=f"Archive {version}?",
        body="It can no longer be assigned. Fleets that have it keep it.",
        verb=f"Archive v{version.number}",
        back_url=_url(version),
    )
    change = partial(archive_version, version=version, actor=actor_of(request))
    return ask_first(request, question, change, done=f"{version} is archived")


def _url(version: ConfigVersion) -> str:
    return reverse("configs:version", args=[version.configuration_id, version.number])
