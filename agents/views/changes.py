"""Changes to one collector. Each asks first (GET) and does it then (POST); services do the work."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse

from agents.forms import AgentForm, MoveForm, ReasonForm
from agents.services import label_agent, rename_agent
from agents.views.subject import Subject, subject_of
from fleets.commands import restart_agent
from fleets.models import ArrivalMode
from fleets.services import forget_agent, move_agent, retry_agent, set_mode
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.guard import requires

_ASK_AND_DO = ("GET", "POST")


@requires(Action.OPERATE, methods=_ASK_AND_DO)
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Name and labels."""
    subject = subject_of(request, uid)
    agent = subject.agent
    form = AgentForm(_posted(request), initial={"name": agent.name, "labels": agent.labels})
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, subject, form)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, f"{agent.display_name} is saved")
            return HttpResponseRedirect(_url(subject))
    context = {**subject.context(), "form": form}
    return render(request, "agents/edit.html", context, status=422 if form.errors else 200)


def _save(request: HttpRequest, subject: Subject, form: AgentForm) -> None:
    """Store what differs."""
    agent, data, actor = subject.agent, form.cleaned_data, actor_of(request)
    if data["labels"] != agent.labels:
        label_agent(agent=agent, labels=data["labels"], actor=actor)
    if data["name"] != agent.name:
        rename_agent(agent=agent, name=data["name"], actor=actor)


@requires(Action.OPERATE, methods=_ASK_AND_DO)
def move(request: HttpRequest, uid: UUID) -> HttpResponse:
    """To another fleet."""
    subject = subject_of(request, uid)
    form = MoveForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        fleet, reason = form.cleaned_data["fleet"], form.cleaned_data["reason"]
        try:
            move_agent(agent=subject.agent, fleet=fleet, actor=actor_of(request), reason=reason)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"{subject.agent.display_name} is in {fleet}")
            return HttpResponseRedirect(_url(subject))
    return _ask(
        request,
        subject,
        title=f"Move {subject.agent.display_name} to another fleet?",
        body="1 collector is offered the version of its new fleet. It restarts once when that differs from what it"
        " runs. It keeps the token that it enrolled by.",
        verb="Move 1",
        keep="Leave it there",
        tone="plain",
        form=form,
    )


@requires(Action.OPERATE, methods=_ASK_AND_DO)
def forget(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Delete it here; on the host nothing changes."""
    subject = subject_of(request, uid)
    name = subject.agent.display_name
    form = ReasonForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        forget_agent(
            agent=subject.agent, actor=actor_of(request), reason=form.cleaned_data["reason"]
        )
        messages.success(request, f"{name} is forgotten")
        return HttpResponseRedirect(reverse("agents:list"))
    status = subject.agent.status
    returns = (
        "It is connected now: it comes back as a new collector at once, unless its supervisor is stopped first."
        if status.connected
        else "If it comes back with a valid token, it is new."
    )
    return _ask(
        request,
        subject,
        title=f"Forget {name}?",
        body="1 collector with its timeline, attempts and labels is deleted here. On the host it keeps running."
        f" {returns}",
        verb="Forget 1",
        keep="Keep it",
        form=form,
    )


@requires(Action.OPERATE, methods=_ASK_AND_DO)
def mode(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Manage it, or only observe it from now on."""
    subject = subject_of(request, uid)
    name = subject.agent.display_name
    is_observed = subject.context()["is_observed"]
    form = ReasonForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        wanted = ArrivalMode.MANAGED if is_observed else ArrivalMode.OBSERVED
        reason = form.cleaned_data["reason"]
        try:
            set_mode(agent=subject.agent, mode=wanted, actor=actor_of(request), reason=reason)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"{name} is {wanted.label.lower()}")
        return HttpResponseRedirect(_url(subject))
    if is_observed:
        words = {
            "title": f"Manage {name}?",
            "body": "1 collector is offered the version of its fleet and restarts once with it. Local configuration"
            " files of its supervisor stay merged.",
            "verb": "Manage 1",
            "keep": "Only observe",
        }
    else:
        words = {
            "title": f"Only observe {name}?",
            "body": "Nothing is offered to 1 collector from now on. It keeps running what it has.",
            "verb": "Observe 1",
            "keep": "Keep managing",
        }
    return _ask(request, subject, tone="plain", form=form, **words)


@requires(Action.OPERATE, methods=_ASK_AND_DO)
def restart(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Have the collector stopped and started; its supervisor goes on."""
    subject = subject_of(request, uid)
    name = subject.agent.display_name
    form = ReasonForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            restart_agent(agent=subject.agent, actor=actor_of(request), reason=reason)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"{name} is told to restart")
        return HttpResponseRedirect(_url(subject))
    return _ask(
        request,
        subject,
        title=f"Restart {name}?",
        body="1 collector stops and starts again with the configuration that it has. It takes in no telemetry"
        " meanwhile, for some seconds.",
        verb="Restart 1",
        keep="Let it run",
        tone="plain",
        form=form,
    )


@requires(Action.OPERATE, methods=("POST",))
def retry(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Offer what failed here once more, by way of the version before (decision 2)."""
    subject = subject_of(request, uid)
    try:
        retry_agent(agent=subject.agent, actor=actor_of(request))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Retry started: the version before comes first")
    return HttpResponseRedirect(reverse("agents:attempts", args=[uid]))


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, even if it is nothing; None when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def _ask(
    request: HttpRequest, subject: Subject, *, form: forms.Form, tone: str = "danger", **words: Any
) -> HttpResponse:
    """The page that says what will happen and asks once."""
    context = {
        **subject.context(),
        "form": form,
        "tone": tone,
        "reason": "1",
        "action": request.path,
        "back_url": _url(subject),
        **words,
    }
    return render(request, "agents/ask.html", context, status=422 if form.errors else 200)


def _url(subject: Subject) -> str:
    return reverse("agents:detail", args=[subject.agent.pk])
