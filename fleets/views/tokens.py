"""Tokens of all fleets: the lists, and what can be done with one."""

from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from agents.models import Agent
from fleets.forms import RotateForm, TokenForm
from fleets.models import Fleet, RefusedAttempt, Token, TokenKind
from fleets.token_state import expired, retired, usable
from fleets.tokens import (
    Expiry,
    IssuedToken,
    expiry_warnings,
    issue_token,
    members_of,
    moved_from,
    retire_token,
    revoke_token,
    rotate_token,
)
from fleets.views.address import where_tokens_go
from fleets.views.connection import way_here
from fleets.views.refusals import refusal_rows
from fleets.views.subject import token_or_404
from fleets.views.token_rows import token_rows
from fleets.views.token_words import names_of, words_of_retiring, words_of_revoking
from telflo.base import clock
from telflo.base.access import Action, may
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask_first
from telflo.ui.pages import rows_of

KINDS = {
    TokenKind.ENROLMENT.value: "Enrolment",
    TokenKind.HOST.value: "Hosts",
    TokenKind.AGENT.value: "Agents",
}


@requires(Action.VIEW)
def listing(request: HttpRequest) -> HttpResponse:
    """Tokens of one kind (`?kind=`) in one state (`?state=`); usable enrolment tokens at first."""
    now = clock.now()
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else TokenKind.ENROLMENT.value
    states = _states(now)
    state = request.GET.get("state", "")
    state = state if state in states else "usable"
    words, slug = request.GET.get("q", "").strip(), request.GET.get("fleet", "")
    of_kind = _matching(kind, words, slug)
    page = rows_of(request, of_kind.filter(states[state]).order_by("fleet__name", "-id"))
    context = {
        "rows": token_rows(page.items, now),
        "page": page,
        "kind": kind,
        "kinds": _kinds(),
        "state": state,
        "segments": [
            (key, key.capitalize(), of_kind.filter(q).count()) for key, q in states.items()
        ],
        "q": words,
        "slug": slug,
        "fleet_name": Fleet.objects.filter(slug=slug).values_list("name", flat=True).first(),
        "warnings": [one for one in expiry_warnings(now) if one.token.retired_at is None][:3],
        "refused_count": RefusedAttempt.objects.count(),
        "may_enrol": may(request.user, Action.ENROL),
        "has_fleets": Fleet.objects.active().exists(),
    }
    return render(request, "tokens/list.html", context)


def _issued(request: HttpRequest, issued: IssuedToken) -> HttpResponse:
    heading = f"Token “{issued.token.name}” for {issued.token.fleet} is ready"
    context = {"issued": issued, "heading": heading, **where_tokens_go(request)}
    return render(request, "tokens/issued.html", context)


def _states(now: Any) -> dict[str, Q]:
    return {
        "usable": usable(now),
        "expired": expired(now),
        "retired": retired(now),
        "revoked": Q(revoked_at__isnull=False),
        "all": Q(),
    }


def _matching(kind: str, words: str, slug: str) -> QuerySet[Token]:
    found = Token.objects.filter(kind=kind).select_related("fleet", "created_by", "deployment")
    if slug:
        found = found.filter(fleet__slug=slug)
    if words:
        found = found.filter(
            Q(name__icontains=words)
            | Q(prefix__startswith=words[:12])
            | Q(fleet__name__icontains=words)
            | Q(agent_uid__in=Agent.objects.filter(display_name__icontains=words).values("pk"))
        )
    return found.defer("deployment__secret_environment")


def _kinds() -> list[tuple[str, str, int]]:
    """The tabs with the number of usable tokens; kinds that do not occur are left out, but for the first."""
    now = clock.now()
    counts = {key: Token.objects.filter(usable(now), kind=key).count() for key in KINDS}
    return [(key, KINDS[key], n) for key, n in counts.items() if n or key != TokenKind.AGENT]


@requires(Action.VIEW)
def refused(request: HttpRequest) -> HttpResponse:
    """Attempts that were refused, the latest first, with what to look at."""
    page = rows_of(request, RefusedAttempt.objects.select_related("fleet"))
    context = {
        "rows": refusal_rows(page.items),
        "page": page,
        "kinds": _kinds(),
        "refused_count": page.total,
    }
    return render(request, "tokens/refused.html", context)


@requires(Action.ENROL, methods=("GET", "POST"))
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """The answer to the POST shows the secret, this once."""
    form = TokenForm(request.POST or None, initial={"fleet": request.GET.get("fleet", "")})
    if request.method == "POST" and form.is_valid():
        try:
            data = {**form.cleaned_data, "expires": Expiry(form.cleaned_data["expires"])}
            issued = issue_token(actor=actor_of(request), **data)
        except DomainError as error:
            add_domain_error(form, error)
        else:
            return _issued(request, issued)
    return render(request, "tokens/new.html", {"form": form}, status=422 if form.errors else 200)


@requires(Action.ENROL, methods=("GET", "POST"))
@never_cache
def rotate(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """A successor; the answer to the POST shows its secret, this once."""
    token = token_or_404(token_id)
    form = RotateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            issued = rotate_token(
                token=token,
                overlap=form.overlap(),
                revoke_old=form.cleaned_data["revoke_old"],
                actor=actor_of(request),
            )
        except DomainError as error:
            add_domain_error(form, error)
        else:
            return _issued(request, issued)
    context = {
        "form": form,
        "token": token,
        "collectors": members_of(token).count(),
        "moved": moved_from(token).count(),
        "heading": f"Rotate “{token.name}”",
        **way_here(),
    }
    return render(request, "tokens/rotate.html", context, status=422 if form.errors else 200)


@requires(Action.ENROL, methods=("GET", "POST"))
def retire(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """No new enrolments, once it was confirmed."""
    token = token_or_404(token_id)
    name = names_of([token])[token.pk]
    question = Question(
        title=f"Retire “{name}”?",
        body=words_of_retiring([token])[token.pk],
        verb="Retire",
        back_url=_url(token),
    )
    change = partial(retire_token, token=token, actor=actor_of(request))
    return ask_first(request, question, change, done=f"“{name}” is retired")


@requires(Action.ENROL, methods=("GET", "POST"))
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Refused at once, once it was confirmed."""
    token = token_or_404(token_id)
    name = names_of([token])[token.pk]
    question = Question(
        title=f"Revoke “{name}”?",
        body=words_of_revoking([token])[token.pk],
        verb="Revoke",
        tone="danger",
        back_url=_url(token),
    )
    change = partial(revoke_token, token=token, actor=actor_of(request))
    return ask_first(request, question, change, done=f"“{name}” is revoked")


def _url(token: Token) -> str:
    """The tokens of its kind and fleet, in all states."""
    return f"{reverse('tokens:list')}?kind={token.kind}&fleet={token.fleet.slug}&state=all"
