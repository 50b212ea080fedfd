"""One action on many collectors: those that are ticked, or all that match the filters of the address.

The first POST asks, with numbers; the second, with `confirmed`, does it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from agents.filters import AgentFilters
from agents.forms import LabelForm, MoveForm, ReasonForm
from agents.models import Agent, AgentQuerySet
from agents.services import Outcome, label_agents
from agents.views.telling import tell
from agents.wording import RETRIED, RETRY_MANY
from fleets.commands import restart_agents
from fleets.many import forget_agents, move_agents
from fleets.services import retry_agents
from telflo.base.access import Action
from telflo.base.activity import Actor, actor_of
from telflo.base.errors import DomainError
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask
from telflo.ui.numbers import counted, grouped

MOST_IDS: Final = 1_000

Doing = Callable[[Collection[UUID], Actor, dict[str, Any]], Outcome]


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of bulk action: what it asks for, says and does to the collectors."""

    form: type[forms.Form]
    verb: str
    done: str
    keep: str
    tone: str
    body: str
    do: Doing


def _move(uids: Collection[UUID], actor: Actor, data: dict[str, Any]) -> Outcome:
    return move_agents(uids=uids, fleet=data["fleet"], actor=actor, reason=data["reason"])


def _label(uids: Collection[UUID], actor: Actor, data: dict[str, Any]) -> Outcome:
    return label_agents(uids=uids, put=data["labels"], remove=data["remove"], actor=actor)


def _forget(uids: Collection[UUID], actor: Actor, data: dict[str, Any]) -> Outcome:
    return forget_agents(uids=uids, actor=actor, reason=data["reason"])


def _retry(uids: Collection[UUID], actor: Actor, data: dict[str, Any]) -> Outcome:
    return retry_agents(uids=uids, actor=actor, reason=data["reason"])


def _restart(uids: Collection[UUID], actor: Actor, data: dict[str, Any]) -> Outcome:
    return restart_agents(uids=uids, actor=actor, reason=data["reason"])


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
    "retry": Work(
        form=ReasonForm,
        verb="Retry",
        done=RETRIED,
        keep="Leave them",
        tone="plain",
        body=RETRY_MANY,
        do=_retry,
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
        tell(request, work.done, _do(work, chosen, actor_of(request), form.cleaned_data))
        return HttpResponseRedirect(back)
    is_matching = "matching" in request.POST
    question = Question(
        title=f"{work.verb} {counted(count, 'collector')}?",
        body=work.body,
        verb=f"{work.verb} {grouped(count)}",
        keep=work.keep,
        tone=work.tone,
        has_reason="reason" in form.fields,
        back_url=back,
        template="agents/bulk.html",
        more={
            "form": form,
            "fields": [field for field in form if field.name != "reason"],
            "do": name,
            "matching": is_matching,
            "ids": [] if is_matching else list(chosen.values_list("pk", flat=True)),
        },
    )
    return ask(request, question, status=422 if form.errors else 200)


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


def _do(work: Work, chosen: AgentQuerySet, actor: Actor, data: dict[str, Any]) -> Outcome:
    """Do it to all that are meant now; what holds for all of them is refused once."""
    uids = list(chosen.values_list("pk", flat=True))
    try:
        return work.do(uids, actor, data)
    except DomainError as error:
        return Outcome(0, [error.message] * len(uids))
