"""The page that says what will happen and asks once (layouts/confirm.html), and the way back from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from telflo.base.errors import DomainError
from telflo.base.parameters import refuse_nul

LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. tone "danger": it cannot be taken back; back_url: where "no" leads, and a refusal.

    verb "": nothing can be done, and the page says why.
    """

    title: str
    body: str
    verb: str
    back_url: str
    keep: str = "Keep it"
    tone: str = "plain"
    has_reason: bool = True
    template: str = "layouts/confirm.html"
    more: dict[str, Any] = field(default_factory=dict)


def ask(request: HttpRequest, question: Question, *, status: int = 200) -> HttpResponse:
    """The page. The answer is posted to the same address, its query included."""
    context = {
        "title": question.title,
        "body": question.body,
        "verb": question.verb,
        "keep": question.keep,
        "tone": question.tone,
        "reason": "1" if question.has_reason else "",
        "action": request.get_full_path(),
        "back_url": question.back_url,
        **question.more,
    }
    return render(request, question.template, context, status=status)


def ask_first(
    request: HttpRequest,
    question: Question,
    change: Callable[..., object],
    *,
    done: str,
    to: str = "",
) -> HttpResponse:
    """Ask; once it is confirmed call `change(reason=…)`, say that it is done and go on `to` (default: back).

    A DomainError of the change is said where the person came from. Raises UnreadableText for the reason.
    """
    if request.method != "POST":
        return ask(request, question)
    try:
        change(reason=reason_of(request))
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(question.back_url)
    messages.success(request, done)
    return redirect(to or question.back_url)


def reason_of(request: HttpRequest) -> str:
    """The reason that a person gave. Raises UnreadableText."""
    refuse_nul(request.POST)
    return str(request.POST.get("reason", "")).strip()[:LONGEST_REASON]


def way_back(request: HttpRequest, wanted: str, otherwise: str) -> str:
    """The address that a form or link names as its way back, if it is one of ours."""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else otherwise
