"""Saving texts: a new configuration with its first version, and the next version of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from configs.forms import ConfigurationForm, TextForm
from configs.models import Configuration, ConfigVersion
from configs.services import create_configuration, read_raw_text, save_version
from configs.views.subject import configuration_or_404, version_or_404
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
    """A configuration and its version 1, saved together or not at all."""
    form = ConfigurationForm(request.POST or None, request.FILES or None)
    fault: Sequence[FaultLine] = ()
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["yaml"]
        try:
            version = _create(actor=actor_of(request), **form.cleaned_data)
        except DomainError as error:
            add_domain_error(form, error)
            fault = _fault(text, error)
        else:
            messages.success(request, f"{version} is saved. Publish it to give it to fleets")
            return redirect("configs:version", version.configuration_id, version.number)
    context = {"form": form, "fault": fault}
    return render(request, "configs/new.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _create(
    *, name: str, description: str, actor: Actor, file: object, **version: Any
) -> ConfigVersion:
    configuration = create_configuration(name=name, description=description, actor=actor)
    return save_version(configuration=configuration, actor=actor, **version)


@requires(Action.EDIT, methods=("GET", "POST"))
@never_cache
def new_version(request: HttpRequest, configuration_id: UUID) -> HttpResponse:
    """The next version, written over the latest text (or that of `?from=`). Opening it reads raw text: logged."""
    configuration = configuration_or_404(configuration_id)
    if request.method == "POST":
        return _save(request, configuration)
    base = _base(request, configuration)
    initial = {}
    if base is not None:
        initial = {
            "yaml": read_raw_text(version=base, actor=actor_of(request)),
            "collector_version": base.collector_version,
        }
    return _editor(request, configuration, TextForm(initial=initial), base=base)


def _save(request: HttpRequest, configuration: Configuration) -> HttpResponse:
    form = TextForm(request.POST, request.FILES)
    if not form.is_valid():
        return _editor(request, configuration, form)
    values = {key: form.cleaned_data[key] for key in ("yaml", "note", "collector_version")}
    try:
        version = save_version(configuration=configuration, actor=actor_of(request), **values)
    except DomainError as error:
        add_domain_error(form, error)
        return _editor(request, configuration, form, fault=_fault(values["yaml"], error))
    messages.success(request, f"v{version.number} is saved. Publish it to give it to fleets")
    return redirect("configs:version", configuration.pk, version.number)


def _editor(
    request: HttpRequest,
    configuration: Configuration,
    form: TextForm,
    *,
    base: ConfigVersion | None = None,
    fault: Sequence[FaultLine] = (),
) -> HttpResponse:
    latest = configuration.versions.order_by("-number").values_list("number", flat=True).first()
    context = {
        "configuration": configuration,
        "form": form,
        "base": base,
        "number": (latest or 0) + 1,
        "fault": fault,
    }
    return render(request, "configs/version_new.html", context, status=422 if form.errors else 200)


def _base(request: HttpRequest, configuration: Configuration) -> ConfigVersion | None:
    wanted = request.GET.get("from", "")
    if wanted.isdecimal() and len(wanted) < 9:
        return version_or_404(configuration.pk, int(wanted))
    return configuration.versions.without_text().order_by("-number").first()


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
