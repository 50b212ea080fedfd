"""One version: its text redacted or raw, publishing and archiving it."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from configs.drafts import draft_of, restore_version
from configs.errors import DraftThere
from configs.forms import DetailsForm
from configs.models import ConfigVersion, VersionState
from configs.services import archive_version, copy_version, publish_checked, read_raw_text
from configs.views.component_use import reported
from configs.views.findings import findings_context, publishing_context
from configs.views.judging import judged
from configs.views.subject import version_or_404
from configs.views.usage import takers_of, usage_of
from telflo.base.access import Action, may
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires
from telflo.base.redaction import MASK, redact_text
from telflo.ui.asking import Question, ask, ask_first, reason_of
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
        "has_draft": draft_of(configuration) is not None,
        "publish_title": f"Publish {version}?",
        **findings_context(judged(version.yaml, version.collector_version)),
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
    """Make it assignable, once it was confirmed. Errors block it; each rule that warns wants a tick (`accept`)."""
    version = version_or_404(configuration_id, number)
    accepted = request.POST.getlist("accept")
    if request.method == "POST":
        try:
            publish_checked(
                version=version,
                actor=actor_of(request),
                reason=reason_of(request),
                accepted=accepted,
                reported=reported(),
            )
        except DomainError as error:
            messages.error(request, error.message)
            return ask(request, _publishing(version, accepted), status=422)
        messages.success(request, f"{version} is published")
        return redirect(_url(version))
    return ask(request, _publishing(version, accepted))


def _publishing(version: ConfigVersion, accepted: list[str]) -> Question:
    found = publishing_context(judged(version.yaml, version.collector_version), accepted)
    is_blocked = bool(found["blocking"])
    return Question(
        title=f"{version} has errors" if is_blocked else f"Publish {version}?",
        body="A collector would refuse it, so it is not published. Mend them in a draft, and save that as the next"
        " version."
        if is_blocked
        else "Fleets can be given it from then on. No collector changes before someone assigns it."
        " Its text stays as it is for good.",
        verb="" if is_blocked else f"Publish v{version.number}",
        keep="Back" if is_blocked else "Keep it unpublished",
        back_url=_url(version),
        template="configs/publish.html",
        more={"version": version, "configuration": version.configuration, **found},
    )


@requires(Action.EDIT, methods=("GET", "POST"))
def copy(request: HttpRequest, configuration_id: UUID, number: int) -> HttpResponse:
    """A new configuration whose version 1 has this text."""
    version = version_or_404(configuration_id, number)
    source = version.configuration
    initial = {"name": f"Copy of {source.name}"[:100], "description": source.description}
    form = DetailsForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            first = copy_version(version=version, actor=actor_of(request), **form.cleaned_data)
        except DomainError as error:
            add_domain_error(form, error)
        else:
            messages.success(request, f"{first} is saved")
            return redirect(_url(first))
    context = {"version": version, "configuration": source, "form": form}
    return render(request, "configs/copy.html", context, status=422 if form.errors else 200)


@requires(Action.READ_RAW, methods=("GET", "POST"))
def restore(request: HttpRequest, configuration_id: UUID, number: int) -> HttpResponse:
    """Make its text the draft. Where there is one, that is asked about first: `?lock_version=` is the state of it."""
    version = version_or_404(configuration_id, number)
    given = request.GET.get("lock_version", "")
    is_number = given.isdecimal() and len(given) < 10
    if request.method == "POST":
        try:
            restore_version(
                version=version,
                lock_version=int(given) if is_number else None,
                actor=actor_of(request),
            )
        except DraftThere:
            return redirect(request.path)
        except DomainError as error:
            messages.error(request, error.message)
            return redirect(_url(version))
        messages.success(request, f"The draft begins with v{version.number}")
        return redirect("configs:draft", version.configuration_id)
    there = draft_of(version.configuration)
    if there is not None and given != str(there.lock_version):
        return redirect(f"{request.path}?lock_version={there.lock_version}")
    question = Question(
        title=f"Begin a draft with {version}?",
        body=f"The draft that {there.editor} edited last is thrown away. Versions stay as they are."
        if there
        else "Its text becomes the draft of the configuration. Versions stay as they are.",
        verb="Replace the draft" if there else "Begin the draft",
        keep="Leave it",
        tone="danger" if there else "plain",
        has_reason=False,
        back_url=_url(version),
    )
    return ask(request, question)


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
