"""Who may sign in, and with which role: Admins alone."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import InviteForm, RoleForm, add_domain_error
from telflo.base.guard import requires
from telflo.base.models import User
from telflo.base.people import (
    disable_person,
    enable_person,
    invite_person,
    reset_person,
    set_role,
)


@requires(Action.ADMINISTER, methods=("GET", "POST"))
@never_cache
def people(request: HttpRequest) -> HttpResponse:
    """The list; POST invites, and the answer shows the link, this once."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            issued = invite_person(actor=actor_of(request), **form.cleaned_data)
        except DomainError as error:
            add_domain_error(form, error)
        else:
            return _page(request, InviteForm(), link=_link(request, issued.secret), issued=issued)
    return _page(request, form)


@requires(Action.ADMINISTER, methods=("POST",))
@never_cache
def reset(request: HttpRequest, person_id: int) -> HttpResponse:
    """A link by which the person sets a new password; shown once."""
    issued = reset_person(person=_found(person_id), actor=actor_of(request))
    return _page(request, InviteForm(), link=_link(request, issued.secret), issued=issued)


@requires(Action.ADMINISTER, methods=("POST",))
def change_role(request: HttpRequest, person_id: int) -> HttpResponse:
    """Another role. The last active Admin stays one."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "That is not a role. Choose one of the list.")
        return redirect("people")
    role = form.cleaned_data["role"]
    person = _found(person_id)
    return _try(
        request,
        lambda: set_role(person=person, role=role, actor=actor_of(request)),
        f"{person.display_name} is {role} now",
    )


@requires(Action.ADMINISTER, methods=("POST",))
def disable(request: HttpRequest, person_id: int) -> HttpResponse:
    """No sign-in and no API from now on; nothing the person made is lost."""
    person = _found(person_id)
    return _try(
        request,
        lambda: disable_person(person=person, actor=actor_of(request)),
        f"{person.display_name} is disabled",
    )


@requires(Action.ADMINISTER, methods=("POST",))
def enable(request: HttpRequest, person_id: int) -> HttpResponse:
    """Back again, with the same role."""
    person = _found(person_id)
    return _try(
        request,
        lambda: enable_person(person=person, actor=actor_of(request)),
        f"{person.display_name} may sign in again",
    )


def _found(person_id: int) -> User:
    return get_object_or_404(User, pk=person_id)


def _link(request: HttpRequest, secret: str) -> str:
    return request.build_absolute_uri(reverse("account-link", args=[secret]))


def _try(request: HttpRequest, change: Any, done: str) -> HttpResponse:
    """Make the change; say what was done, or why it was not."""
    try:
        change()
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, done)
    return redirect("people")


def _page(request: HttpRequest, form: InviteForm, **extra: Any) -> HttpResponse:
    persons = User.objects.order_by("-is_active", "username")
    context = {"form": form, "people": persons, "me": cast("User", request.user), **extra}
    return render(request, "settings/people.html", context, status=422 if form.errors else 200)
