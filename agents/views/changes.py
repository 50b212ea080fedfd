"""Changes to one collector. Each asks first (GET) and does it then (POST); services do the work."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse

from agents.forms import AgentForm, MoveForm
from agents.services import label_agent, rename_agent
from agents.views.subject import Subject, subject_of
from agents.wording import retry_words
from fleets.commands import restart_agent
from fleets.models import ArrivalMode
from fleets.services import forget_agent, move_agent, retry_agent, set_mode, way_of_retry
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask, ask_first, way_back

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
    question = _question(
        subject,
        title=f"Move {subject.agent.display_name} to another fleet?",
        body="1 collector is offered the version of its new fleet. It restarts once when that differs from what it"
        " runs. It keeps the token that it enrolled by.",
        verb="Move 1",
        keep="Leave it there",
        more={"form": form},
    )
    return ask(request, question, status=422 if form.errors else 200)


@requires(Action.OPERATE, methods=_ASK_AND_DO)
def forget(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Delete it here; on the host nothing changes."""
    subject = subject_of(request, uid)
    name = subject.agent.display_name
    returns = (
        "It is connected now: unless its supervisor is stopped first, it comes back as a new collector, at once or,"
        " if it has a credential of its own, when its supervisor starts again."
        if subject.agent.status.connected
        else "If it comes back with a valid token, it is new."
    )
    question = _question(
        subject,
        title=f"Forget {name}?",
        body="1 collector with its timeline, attempts and labels is deleted here. On the host it keeps running."
        f" {returns}",
        verb="Forget 1",
        tone="danger",
    )
    change = partial(forget_agent, agent=subject.agent, actor=actor_of(request))
    return ask_first(
        request, question, change, done=f"{name} is forgotten", to=reverse("agents:list")
    )


@requires(Action.OPERATE, methods=_ASK_AND_DO)
def mode(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Manage it, or only observe it from now on."""
    subject = subject_of(request, uid)
    name = subject.agent.display_name
    if subject.context()["is_observed"]:
        wanted = ArrivalMode.MANAGED
        question = _question(
            subject,
            title=f"Manage {name}?",
            body="1 collector is offered the version of its fleet and restarts once with it. Local configuration"
            " files of its supervisor stay merged.",
            verb="Manage 1",
            keep="Only observe",
        )
    else:
        wanted = ArrivalMode.OBSERVED
        question = _question(
            subject,
            title=f"Only observe {name}?",
            body="Nothing is offered to 1 collector from now on. It keeps running what it has.",
            verb="Observe 1",
            keep="Keep managing",
        )
    change = partial(set_mode, agent=subject.agent, mode=wanted, actor=actor_of(request))
    return ask_first(request, question, change, done=f"{name} is {wanted.label.lower()}")


@requires(Action.OPERATE, methods=_ASK_AND_DO)
def restart(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Have the collector stopped and started; its supervisor goes on."""
    subject = subject_of(request, uid)
    name = subject.agent.display_name
    question = _question(
        subject,
        title=f"Restart {name}?",
        body="1 collector stops and starts again with the configuration that it has. It takes in no telemetry"
        " meanwhile, for some seconds.",
        verb="Restart 1",
        keep="Let it run",
    )
    change = partial(restart_agent, agent=subject.agent, actor=actor_of(request))
    return ask_first(request, question, change, done=f"{name} is told to restart")


@requires(Action.OPERATE, methods=_ASK_AND_DO)
def retry(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Offer what failed here once more, by way of the version before (decision 2). `?next=`: the page to go back to."""
    subject = subject_of(request, uid)
    agent = subject.agent
    back = way_back(request, request.GET.get("next", ""), _url(subject))
    question, first = _retry_question(subject, back)
    change = partial(retry_agent, agent=agent, actor=actor_of(request))
    return ask_first(request, question, change, done=f"{agent.display_name} is offered {first} now")


def _retry_question(subject: Subject, back: str) -> tuple[Question, str]:
    """What a retry will do, or why there is none; and the version that it offers first."""
    name = subject.agent.display_name
    try:
        way = way_of_retry(subject.agent)
    except DomainError as error:
        title = f"{name} cannot be retried"
        return _question(
            subject, title=title, body=error.message, verb="", keep="Back", back_url=back
        ), ""
    failed, via = str(way.failed.version), str(way.via.version) if way.via else ""
    words = retry_words(failed=failed, via=via, is_connected=subject.agent.status.connected)
    question = _question(
        subject,
        title=f"Retry {failed} on {name}?",
        body=words,
        verb="Retry 1",
        keep="Leave it",
        back_url=back,
    )
    return question, via or failed


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, even if it is nothing; None when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def _question(subject: Subject, *, more: dict[str, Any] | None = None, **words: Any) -> Question:
    """A question about one collector, with its crumbs."""
    context = {**subject.context(), **(more or {})}
    return Question(
        template="agents/ask.html", more=context, **{"back_url": _url(subject), **words}
    )


def _url(subject: Subject) -> str:
    return reverse("agents:detail", args=[subject.agent.pk])
