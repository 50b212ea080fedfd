"""A new configuration: from a template, a file, or what is pasted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from configs.drafts import put_draft
from configs.forms import ConfigurationForm
from configs.services import create_configuration, save_version
from configs.starting import TEMPLATES, WRITTEN_FOR, template_named
from configs.views.findings import findings_context
from configs.views.judging import judged, what_next
from telflo.base.access import Action
from telflo.base.activity import Actor, actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires

_AROUND: Final = 4


@dataclass(frozen=True, slots=True)
class FaultLine:
    """A line near a fault; `mark` splits the line at fault where the fault begins."""

    number: int
    text: str
    is_hot: bool = False
    column: int = 0

    @property
    def before(self) -> str:
        """What stands before the fault."""
        return self.text[: self.column - 1] if self.column else self.text

    @property
    def rest(self) -> str:
        """From the fault on."""
        return self.text[self.column - 1 :] if self.column else ""


@requires(Action.EDIT, methods=("GET", "POST"))
def new(request: HttpRequest) -> HttpResponse:
    """`?template=` begins with one. Saved as version 1, or (`do=draft`), whatever it is worth, opened in the editor."""
    template = template_named(request.GET.get("template", ""))
    initial = {"yaml": template.text, "collector_version": WRITTEN_FOR} if template else {}
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ConfigurationForm(*posted, initial=initial)
    fault: Sequence[FaultLine] = ()
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["yaml"]
        try:
            return redirect(_created(request, form.cleaned_data))
        except DomainError as error:
            add_domain_error(form, error)
            fault = _fault(text, error)
    context = {
        "form": form,
        "fault": fault,
        "templates": TEMPLATES,
        "chosen": template,
        **(_checked(form) if form.errors else {}),
    }
    return render(request, "configs/new.html", context, status=422 if form.errors else 200)


def _created(request: HttpRequest, data: dict[str, Any]) -> str:
    """Make it; answers where to go on."""
    make = _as_draft if request.POST.get("do") == "draft" else _as_version
    return make(request, actor_of(request), data)


@transaction.atomic
def _as_version(request: HttpRequest, actor: Actor, data: dict[str, Any]) -> str:
    configuration = create_configuration(
        name=data["name"], description=data["description"], actor=actor
    )
    text = {key: data[key] for key in ("yaml", "note", "collector_version")}
    version = save_version(configuration=configuration, actor=actor, **text)
    messages.success(request, f"{version} is saved. {what_next(version)}")
    return reverse("configs:version", args=[configuration.pk, version.number])


@transaction.atomic
def _as_draft(request: HttpRequest, actor: Actor, data: dict[str, Any]) -> str:
    configuration = create_configuration(
        name=data["name"], description=data["description"], actor=actor
    )
    put_draft(
        configuration=configuration,
        yaml=data["yaml"],
        lock_version=None,
        collector_version=data["collector_version"],
        actor=actor,
    )
    return reverse("configs:draft", args=[configuration.pk])


def _checked(form: ConfigurationForm) -> dict[str, Any]:
    """All that is wrong with the text, so that one look is enough, whatever else the form needs."""
    text = str(form["yaml"].value() or "").replace("\r\n", "\n")
    version = str(form["collector_version"].value() or "")
    return findings_context(judged(text, version)) if text.strip() else {}


def _fault(text: str, error: DomainError) -> list[FaultLine]:
    """The line at fault with those around it; nothing when the error names no line."""
    found = next((finding for finding in error.findings if finding.line), None)
    if found is None:
        return []
    lines = text.split("\n")
    first = max(found.line - 1 - _AROUND, 0)
    near = enumerate(lines[first : found.line + _AROUND], start=first + 1)
    return [
        FaultLine(number, line[:300], number == found.line, found.column * (number == found.line))
        for number, line in near
    ]
