"""Making, changing, testing, pausing and deleting notifications."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from notices import services
from notices.forms import SubscriptionForm
from notices.models import Channel, Subscription
from notices.views.log import page_of
from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.guard import requires
from telflo.ui.asking import Question, ask, ask_first


@requires(Action.ADMINISTER, methods=("GET", "POST"))
@never_cache
def new(request: HttpRequest, channel: str) -> HttpResponse:
    """The form; the answer to a POST shows a webhook's secret, this once."""
    if channel not in Channel.values:
        raise Http404(f"There are no notifications by {channel}.")
    form = SubscriptionForm(request.POST or None, channel=Channel(channel), one=None)
    if request.method == "POST" and form.is_valid():
        try:
            issued = services.subscribe(
                channel=Channel(channel), wish=form.wish(), actor=actor_of(request)
            )
        except DomainError as error:
            add_domain_error(form, error)
        else:
            if issued.secret:
                return page_of(request, issued.subscription, secret=issued.secret)
            messages.success(request, f"{issued.subscription} is told from now on")
            return redirect("notices:detail", issued.subscription.pk)
    return _form(request, form, Channel(channel))


@requires(Action.ADMINISTER, methods=("GET", "POST"))
@never_cache
def edit(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """The form of one that there is."""
    one = _found(subscription_id)
    channel = Channel(one.channel)
    form = SubscriptionForm(request.POST or None, channel=channel, one=one)
    if request.method == "POST" and form.is_valid():
        try:
            services.change(subscription=one, wish=form.wish(), actor=actor_of(request))
        except DomainError as error:
            add_domain_error(form, error)
        else:
            messages.success(request, "Saved")
            return redirect("notices:detail", one.pk)
    return _form(request, form, channel, one=one)


@requires(Action.ADMINISTER, methods=("POST",))
def test(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Something to tell at once; the log shows how it goes."""
    one = _found(subscription_id)
    services.send_test(subscription=one, actor=actor_of(request))
    messages.success(request, "A test is on its way")
    return redirect("notices:detail", one.pk)


@requires(Action.ADMINISTER, methods=("GET", "POST"))
@never_cache
def secret(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Another secret, shown this once."""
    one = _found(subscription_id)
    question = Question(
        title=f"Make a new secret for “{one}”?",
        body="The one before signs too for a day, so there is time to change the receiver.",
        verb="Make a new secret",
        back_url=_page(one),
        has_reason=False,
    )
    if request.method != "POST":
        return ask(request, question)
    try:
        issued = services.renew_secret(subscription=one, actor=actor_of(request))
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("notices:detail", one.pk)
    return page_of(request, issued.subscription, secret=issued.secret)


@requires(Action.ADMINISTER, methods=("GET", "POST"))
def pause(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Nothing is sent for a while."""
    one = _found(subscription_id)
    question = Question(
        title=f"Pause “{one}”?",
        body="Nothing is sent until you resume it, and what happens meanwhile is not told later.",
        verb="Pause",
        keep="Keep it on",
        back_url=_page(one),
    )

    def change(reason: str) -> None:
        services.pause(subscription=one, actor=actor_of(request), reason=reason)

    return ask_first(request, question, change, done=f"{one} is paused")


@requires(Action.ADMINISTER, methods=("POST",))
def resume(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Tell again."""
    one = services.resume(subscription=_found(subscription_id), actor=actor_of(request))
    messages.success(request, f"{one} is told again from now on")
    return redirect("notices:detail", one.pk)


@requires(Action.ADMINISTER, methods=("GET", "POST"))
def delete(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """For good, with its log."""
    one = _found(subscription_id)
    question = Question(
        title=f"Delete “{one}”?",
        body="Nothing more is sent, what waits neither. Its log goes too.",
        verb="Delete",
        tone="danger",
        back_url=_page(one),
        has_reason=False,
    )

    def change(reason: str) -> None:
        del reason
        services.delete(subscription=one, actor=actor_of(request))

    return ask_first(
        request, question, change, done=f"{one} is deleted", to=reverse("notices:list")
    )


def _found(subscription_id: UUID) -> Subscription:
    return get_object_or_404(Subscription, pk=subscription_id)


def _page(one: Subscription) -> str:
    return reverse("notices:detail", args=[one.pk])


def _form(
    request: HttpRequest, form: SubscriptionForm, channel: Channel, **more: Any
) -> HttpResponse:
    is_off = channel == Channel.EMAIL and not settings.EMAIL_IS_ON
    context = {"form": form, "channel": channel, "email_is_off": is_off, **more}
    return render(request, "notices/form.html", context, status=422 if form.errors else 200)
