"""Making a version, a draft or a new configuration of what a collector runs. Asks first (GET), does it then (POST)."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from agents.forms import NewNameForm
from agents.views.subject import Subject, subject_of
from fleets.adopting import AdoptedText, adopt_as_new, adopt_effective
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask, reason_of

_WITHOUT = " Comments are not kept. Where the collector hides a secret, an environment variable stands in its place."


@requires(Action.EDIT, methods=("GET", "POST"))
def adopt(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A version of what it should run, or (`as_draft`) the draft of that; a new configuration where that is nothing."""
    subject = subject_of(request, uid)
    if subject.versions.desired is None:
        return _as_new(request, subject)
    if request.method != "POST":
        return ask(request, _next_version(subject))
    try:
        made = adopt_effective(
            agent=subject.agent,
            actor=actor_of(request),
            reason=reason_of(request),
            as_draft=request.POST.get("as_draft") == "on",
        )
    except DomainError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(_back(subject))
    return _done(request, made)


def _as_new(request: HttpRequest, subject: Subject) -> HttpResponse:
    form = NewNameForm(
        request.POST if request.method == "POST" else None,
        initial={"name": subject.agent.display_name[:100]},
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = adopt_as_new(
                agent=subject.agent,
                name=form.cleaned_data["name"],
                actor=actor_of(request),
                reason=reason_of(request),
            )
        except DomainError as error:
            add_domain_error(form, error)
        else:
            return _done(request, made)
    question = Question(
        title=f"Make what {subject.agent.display_name} runs a configuration?",
        body="It becomes version 1 of a new configuration, without what its supervisor adds. The version is not"
        f" published, and no collector changes.{_WITHOUT}",
        verb="Make the configuration",
        keep="Leave it",
        back_url=_back(subject),
        template="agents/adopt.html",
        more={**subject.context(), "new": form},
    )
    return ask(request, question, status=422 if form.errors else 200)


def _next_version(subject: Subject) -> Question:
    return Question(
        title=f"Adopt what {subject.agent.display_name} runs?",
        body=f"Its differences become a new version, based on {subject.versions.desired}: parts that were changed or"
        " added on its host, without what its supervisor adds. The version is not published, and no collector"
        f" changes.{_WITHOUT}",
        verb="Make a version",
        keep="Leave it",
        back_url=_back(subject),
        template="agents/adopt.html",
        more={**subject.context(), "can_draft": True},
    )


def _done(request: HttpRequest, made: AdoptedText) -> HttpResponse:
    """Where the text is now, and what its hosts need."""
    hidden = ", ".join(made.variables)
    if made.version is None:
        messages.success(request, f"It is the draft of {made.configuration} now")
        where = reverse("configs:draft", args=[made.configuration.pk])
    else:
        messages.success(request, f"{made.version} is saved, unpublished")
        where = reverse("configs:version", args=[made.configuration.pk, made.version.number])
    if hidden:
        messages.warning(request, f"Secrets are hidden from the server: hosts need {hidden}")
    return HttpResponseRedirect(where)


def _back(subject: Subject) -> str:
    return reverse("agents:configuration", args=[subject.agent.pk])
