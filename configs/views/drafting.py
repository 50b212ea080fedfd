"""The page of a configuration's draft: editing, and what to do when somebody else edited it meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from configs.drafts import discard_draft, draft_of, put_draft, read_draft, save_draft
from configs.errors import DraftChanged, DraftGone
from configs.forms import DraftForm
from configs.merging import merge
from configs.models import Configuration, Draft
from configs.services import masked_diff, read_raw_text
from configs.textdiff import TextDiff
from configs.views.compare import DiffRow, rows_of
from configs.views.findings import findings_context
from configs.views.judging import judged, what_next
from configs.views.subject import configuration_or_404
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask_first
from telflo.ui.numbers import counted

_MOST_LINES: Final = 400
"""Of a difference, in a conflict."""


@dataclass(frozen=True, slots=True)
class Their:
    """What the draft is now, for somebody who edited an older state of it. It is gone when lock_version is None: the
    text is the latest version's then.
    """

    text: str
    who: str
    at: datetime | None
    lock_version: int | None
    number: int | None = None


@requires(Action.EDIT, methods=("GET", "POST"))
@never_cache
def draft(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """GET shows the draft, or the latest version's text, with which one begins. Reading what others wrote is logged.
    POST `do`: save (the draft), version, publish, or mine, merge after a conflict.
    """
    configuration = configuration_or_404(configuration_id)
    if request.method == "POST":
        return _posted(request, configuration)
    if configuration.archived_at is not None:
        messages.error(
            request, f"{configuration.name} is archived. Nothing new can be saved in it."
        )
        return redirect("configs:detail", configuration.pk)
    there = draft_of(configuration)
    if there is not None:
        text = read_draft(draft=there, actor=actor_of(request))
        version, lock_version = there.collector_version, there.lock_version
    else:
        text, version = _beginning(request, configuration)
        lock_version = None
    form = DraftForm(
        initial={
            "yaml": text,
            "base": text,
            "lock_version": lock_version,
            "collector_version": version,
        }
    )
    return _page(request, configuration, form)


def _beginning(request: HttpRequest, configuration: Configuration) -> tuple[str, str]:
    """Text and collector version of the version that a draft begins with; nothing for the very first."""
    base = configuration.versions.order_by("-number").first()
    if base is None:
        return "", ""
    return read_raw_text(version=base, actor=actor_of(request)), base.collector_version


def _posted(request: HttpRequest, configuration: Configuration) -> HttpResponse:
    form = DraftForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, configuration, form, status=422)
    wanted = request.POST.get("do", "save")
    if wanted in {"mine", "merge"}:
        return _settle(request, configuration, form, is_merge=wanted == "merge")
    try:
        there = _put(request, configuration, form, lock_version=form.cleaned_data["lock_version"])
    except (DraftChanged, DraftGone):
        return _conflict(request, configuration, form)
    except DomainError as error:
        add_domain_error(form, error)
        return _page(request, configuration, form, status=422)
    if wanted == "publish" and not judged(there.yaml, there.collector_version).is_valid:
        form = form.at(there.lock_version, base=there.yaml)
        form.add_error(None, "Not published: mend the errors first. The draft is saved.")
        return _page(request, configuration, form, status=422)
    if wanted in {"version", "publish"}:
        return _save_version(request, configuration, form, there, is_last=wanted == "version")
    messages.success(request, "The draft is saved")
    return redirect("configs:draft", configuration.pk)


def _put(
    request: HttpRequest,
    configuration: Configuration,
    form: DraftForm,
    *,
    lock_version: int | None,
    writes_over: bool = False,
) -> Draft:
    return put_draft(
        configuration=configuration,
        yaml=form.cleaned_data["yaml"],
        lock_version=lock_version,
        collector_version=form.cleaned_data["collector_version"],
        writes_over=writes_over,
        actor=actor_of(request),
    )


def _save_version(
    request: HttpRequest,
    configuration: Configuration,
    form: DraftForm,
    there: Draft,
    *,
    is_last: bool,
) -> HttpResponse:
    """The draft, which holds the text by now, as a version."""
    try:
        version = save_draft(
            configuration=configuration,
            lock_version=there.lock_version,
            note=form.cleaned_data["note"],
            actor=actor_of(request),
        )
    except DomainError as error:
        form = form.at(there.lock_version, base=there.yaml)
        add_domain_error(form, error)
        return _page(request, configuration, form, status=422)
    if is_last:
        messages.success(request, f"v{version.number} is saved. {what_next(version)}")
    name = "configs:version" if is_last else "configs:version-publish"
    return redirect(name, configuration.pk, version.number)


# ── When somebody else edited it ──


def _settle(
    request: HttpRequest, configuration: Configuration, form: DraftForm, *, is_merge: bool
) -> HttpResponse:
    """What a person decided who saw the changes of the state `seen`. Is asked again when there are newer ones."""
    seen = form.cleaned_data["seen"]
    their = _their(configuration)
    if their.lock_version != seen:
        return _conflict(request, configuration, form)
    if is_merge:
        _note_reading(request, configuration)
        data = form.cleaned_data
        merged = merge(data["base"], data["yaml"], their.text, name=their.who)
        if merged.conflicts:
            form = form.at(seen, yaml=merged.text, base=their.text)
            return _page(request, configuration, form, conflicts=merged.conflicts)
        data["yaml"] = merged.text
    try:
        _put(request, configuration, form, lock_version=seen, writes_over=not is_merge)
    except (DraftChanged, DraftGone):
        return _conflict(request, configuration, form)
    except DomainError as error:
        add_domain_error(form, error)
        return _page(request, configuration, form, status=422)
    done = f"Merged with what {their.who} changed" if is_merge else "Your text is the draft now"
    messages.success(request, done)
    return redirect("configs:draft", configuration.pk)


def _conflict(request: HttpRequest, configuration: Configuration, form: DraftForm) -> HttpResponse:
    """Who changed what, beside what the person changed, whose text stays in the form."""
    their = _their(configuration)
    data = form.cleaned_data
    theirs, mine = masked_diff(data["base"], their.text), masked_diff(data["base"], data["yaml"])
    merged = merge(data["base"], data["yaml"], their.text, name=their.who)
    clash = {
        "their": their,
        "theirs": _shown(theirs),
        "theirs_words": _words(theirs),
        "mine": _shown(mine),
        "mine_words": _words(mine),
        "conflicts": merged.conflicts,
    }
    form = form.at(data["lock_version"], seen=their.lock_version)
    return _page(request, configuration, form, status=409, clash=clash)


def _their(configuration: Configuration) -> Their:
    there = draft_of(configuration)
    if there is not None:
        return Their(there.yaml, there.editor, there.edited_at, there.lock_version)
    latest = configuration.versions.select_related("author").order_by("-number").first()
    if latest is None:
        return Their("", "", None, None)
    who = latest.author.display_name if latest.author else "somebody"
    return Their(latest.yaml, who, latest.created_at, None, latest.number)


def _note_reading(request: HttpRequest, configuration: Configuration) -> None:
    """A merged text holds what others wrote, secrets included."""
    there = draft_of(configuration)
    if there is not None:
        read_draft(draft=there, actor=actor_of(request))


def _shown(diff: TextDiff) -> list[DiffRow]:
    return list(rows_of(diff))[:_MOST_LINES]


def _words(diff: TextDiff) -> str:
    return f"{counted(diff.added, 'line')} added, {diff.deleted} removed"


# ── The page ──


def _page(
    request: HttpRequest,
    configuration: Configuration,
    form: DraftForm,
    *,
    status: int = 200,
    clash: dict[str, Any] | None = None,
    conflicts: int = 0,
) -> HttpResponse:
    text = str(form["yaml"].value() or "").replace("\r\n", "\n")
    latest = configuration.versions.order_by("-number").values_list("number", flat=True).first()
    context = {
        "configuration": configuration,
        "form": form,
        "draft": draft_of(configuration),
        "is_new": form["lock_version"].value() in {None, ""},
        "latest": latest,
        "next": (latest or 0) + 1,
        "clash": clash,
        "conflicts": conflicts,
        **findings_context(judged(text, str(form["collector_version"].value() or ""))),
    }
    return render(request, "configs/draft.html", context, status=status)


@requires(Action.EDIT)
@never_cache
def findings(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """What the validator says of the draft as it is saved: a part of its page."""
    there = draft_of(configuration_or_404(configuration_id))
    report = judged(there.yaml, there.collector_version) if there else judged("")
    return render(request, "configs/_findings.html", findings_context(report))


@requires(Action.EDIT)
@never_cache
def state(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """Whether somebody else edits the draft: a part of its page, fetched when it changed."""
    configuration = configuration_or_404(configuration_id)
    context = {"draft": draft_of(configuration), "configuration": configuration}
    return render(request, "configs/_draft_state.html", context)


@requires(Action.EDIT, methods=("GET", "POST"))
def discard(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """Throw the draft away, once it was confirmed. `?lock_version=`: the state of it that was asked about."""
    configuration = configuration_or_404(configuration_id)
    there = draft_of(configuration)
    back = reverse("configs:detail", args=[configuration.pk])
    if there is None:
        messages.error(request, f"{configuration.name} has no draft")
        return redirect(back)
    question = Question(
        title=f"Discard the draft of {configuration.name}?",
        body=f"{there.editor} edited it last. Its text is gone then; versions stay as they are.",
        verb="Discard the draft",
        keep="Keep the draft",
        tone="danger",
        back_url=back,
    )
    given = request.GET.get("lock_version", "")
    is_number = given.isdecimal() and len(given) < 10
    if request.method == "GET" and not is_number:
        return redirect(f"{request.path}?lock_version={there.lock_version}")
    change = partial(
        discard_draft,
        configuration=configuration,
        lock_version=int(given) if is_number else None,
        actor=actor_of(request),
    )
    return ask_first(request, question, change, done="The draft is discarded")
