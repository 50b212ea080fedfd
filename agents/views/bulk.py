"""One action on many collectors: those that are ticked, or all that match the filters of the address.

The first POST asks, with numbers; the second, with `confirmed`, does it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from agents.filters import AgentFilters
from agents.forms import LabelForm, MoveForm, ReasonForm
from agents.models import Agent, AgentQuerySet
from agents.services import label_agent
from fleets.commands import restart_agent
from fleets.services import forget_agent, move_agent
from telflo.base.access import Action
from telflo.base.activity import Actor, actor_of
from telflo.base.errors import DomainError
from telflo.base.guard import requires
from telflo.ui.numbers import counted, grouped

MOST_IDS: Final = 1_000
_BLOCK: Final = 200

Doing = Callable[[Agent, Actor, dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of bulk action: what it asks for, says and does to each collector."""

    form: type[forms.Form]
    verb: str
    done: str
    keep: str
    tone: str
    body: str
    do: Doing


def _move(agent: Agent, actor: Actor, data: dict[str, Any]) -> None:
    move_agent(agent=agent, fleet=data["fleet"], actor=actor, reason=data["reason"])


def _label(agent: Agent, actor: Actor, data: dict[str, Any]) -> None:
    labels = {**agent.labels, **data["labels"]}
    for key in data["remove"]:
        labels.pop(key, None)
    if labels != agent.labels:
        label_agent(agent=agent, labels=labels, actor=actor)


def _forget(agent: Agent, actor: Actor, data: dict[str, Any]) -> None:
    forget_agent(agent=agent, actor=actor, reason=data["reason"])


def _restart(agent: Agent, actor: Actor, data: dict[str, Any]) -> None:
    restart_agent(agent=agent, actor=actor, reason=data["reason"])


WORKS: Final[dict[str, Work]] = {
    "move": Work(
        form=MoveForm,
        verb="Move",
        done="moved",
        keep="Leave them there",
        tone="plain",
        body="They are offered the version of the new fleet. Each restarts once when that differs from what it runs.",
        do=_move,
    ),
    "label": Work(
        form=LabelForm,
        verb="Label",
        done="labelled",
        keep="Keep the labels",
        tone="plain",
        body="Labels are kept here. Nothing changes on the hosts.",
        do=_label,
    ),
    "restart": Work(
        form=ReasonForm,
        verb="Restart",
        done="told to restart",
        keep="Let them run",
        tone="plain",
        body="They stop and start again with the configuration that they have, all at once, and take in no telemetry"
        " meanwhile. Those that do not accept restarts or are not connected are left out.",
        do=_restart,
    ),
    "forget": Work(
        form=ReasonForm,
        verb="Forget",
        done="forgotten",
        keep="Keep them",
        tone="danger",
        body="Their timelines, attempts and labels are deleted here. On the hosts they keep running, and those with a"
        " valid token come back as new.",
        do=_forget,
    ),
}


@requires(Action.OPERATE, methods=("POST",))
def bulk(request: HttpRequest) -> HttpResponse:
    """Ask, or do it."""
    name = request.POST.get("do", "")
    work = WORKS.get(name)
    if work is None:
        raise SuspiciousOperation("This action on collectors is not known.")
    back = f"{reverse('agents:list')}?{request.GET.urlencode()}"
    chosen = _chosen(request)
    count = chosen.count()
    if not count:
        messages.warning(request, "No collector is selected any more.")
        return HttpResponseRedirect(back)
    is_confirmed = "confirmed" in request.POST
    form = work.form(request.POST if is_confirmed else None)
    if is_confirmed and form.is_valid():
        _tell(request, work, *_do_all(chosen, work, actor_of(request), form.cleaned_data))
        return HttpResponseRedirect(back)
    context = {
        "title": f"{work.verb} {counted(count, 'collector')}?",
        "body": work.body,
        "verb": f"{work.verb} {grouped(count)}",
        "keep": work.keep,
        "tone": work.tone,
        "reason": "" if name == "label" else "1",
        "action": f"{request.path}?{request.GET.urlencode()}",
        "back_url": back,
        "form": form,
        "fields": [field for field in form if field.name != "reason"],
        "do": name,
        "matching": "matching" in request.POST,
        "ids": [] if "matching" in request.POST else list(chosen.values_list("pk", flat=True)),
    }
    return render(request, "agents/bulk.html", context, status=422 if form.errors else 200)


def _chosen(request: HttpRequest) -> AgentQuerySet:
    """The collectors that are meant. Raises SuspiciousOperation for filters or ids that are none."""
    if "matching" in request.POST:
        filters = AgentFilters(request.GET, queryset=Agent.objects.all())
        if not filters.is_valid():
            raise SuspiciousOperation("A filter in this address is not known.")
        found: AgentQuerySet = filters.qs
        return found
    try:
        ids = [UUID(text) for text in request.POST.getlist("id")[:MOST_IDS]]
    except ValueError as error:
        raise SuspiciousOperation("An id of a collector is damaged.") from error
    return Agent.objects.filter(pk__in=ids)


def _do_all(
    chosen: AgentQuerySet, work: Work, actor: Actor, data: dict[str, Any]
) -> tuple[int, list[str]]:
    """Do it to each, one short transaction each; answers how many worked and why others did not."""
    done, refused = 0, []
    for agent in _in_blocks(chosen):
        try:
            work.do(agent, actor, data)
        except DomainError as error:
            refused.append(f"{agent.display_name}: {error.message}")
        else:
            done += 1
    return done, refused


def _in_blocks(chosen: AgentQuerySet) -> Iterator[Agent]:
    """The collectors that were meant when it began, loaded a block at a time."""
    uids = list(chosen.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(uids), _BLOCK):
        block = Agent.objects.filter(pk__in=uids[start : start + _BLOCK])
        yield from block.select_related("status").defer("status__health_tree")


def _tell(request: HttpRequest, work: Work, done: int, refused: list[str]) -> None:
    if done:
        is_are = "is" if done == 1 else "are"
        messages.success(request, f"{counted(done, 'collector')} {is_are} {work.done}")
    if refused:
        messages.error(
            request, f"{counted(len(refused), 'collector')} not {work.done}: {refused[0]}"
        )
