"""A person's own page: name, password, API tokens."""

from copy import copy
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from telflo.base.access import Action
from telflo.base.activity import actor_of
from telflo.base.api_tokens import issue_api_token, revoke_api_token
from telflo.base.clock import now
from telflo.base.errors import DomainError
from telflo.base.forms import ApiTokenForm, NameForm, add_domain_error
from telflo.base.guard import requires
from telflo.base.models import User
from telflo.base.people import rename_person, set_password


@requires(Action.VIEW, methods=("GET", "POST"))
def profile(request: HttpRequest) -> HttpResponse:
    """Name and e-mail; POST changes them."""
    # A copy: the form writes what was typed into its instance, and the page's head shows who it is.
    form = NameForm(request.POST or None, instance=copy(_person(request)))
    if request.method == "POST" and form.is_valid():
        rename_person(person=_person(request), actor=actor_of(request), **form.cleaned_data)
        messages.success(request, "Your profile is saved")
        return redirect("profile")
    return _page(request, names=form)


@requires(Action.VIEW, methods=("POST",))
@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponse:
    """Another password; other sessions of the person end."""
    form = PasswordChangeForm(_person(request), request.POST)
    if not form.is_valid():
        return _page(request, password=form)
    password = form.cleaned_data["new_password1"]
    person = set_password(person=_person(request), password=password, actor=actor_of(request))
    update_session_auth_hash(request, person)
    messages.success(request, "Your password is changed. Other sessions are signed out.")
    return redirect("profile")


@requires(Action.VIEW, methods=("POST",))
@never_cache
def create_token(request: HttpRequest) -> HttpResponse:
    """A new API token; the answer shows its secret, this once (decision 12)."""
    form = ApiTokenForm(request.POST)
    if not form.is_valid():
        return _page(request, token=form)
    lifetime = form.lifetime()
    try:
        issued = issue_api_token(
            user=_person(request),
            name=form.cleaned_data["name"],
            scope=form.cleaned_data["scope"],
            expires_at=now() + lifetime if lifetime else None,
            actor=actor_of(request),
        )
    except DomainError as error:
        add_domain_error(form, error)
        return _page(request, token=form)
    return _page(request, issued=issued)


@requires(Action.VIEW, methods=("POST",))
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one of one's own API tokens at once."""
    token = get_object_or_404(_person(request).api_tokens, pk=token_id)
    revoke_api_token(token=token, actor=actor_of(request))
    messages.success(request, f"API token “{token.name}” is revoked")
    return redirect("profile")


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)


def _password_form(request: HttpRequest) -> "PasswordChangeForm":
    form = PasswordChangeForm(_person(request))
    # Django focuses this field, as on a page of its own.
    form.fields["old_password"].widget.attrs.pop("autofocus", None)
    return form


def _page(request: HttpRequest, **forms: Any) -> HttpResponse:
    """The page with the forms given; the others are fresh. 422 when a form given has errors."""
    context = {
        "names": NameForm(instance=User.objects.get(pk=_person(request).pk)),
        "password": _password_form(request),
        "token": ApiTokenForm(),
        "tokens": _person(request).api_tokens.filter(revoked_at=None),
        "now": now(),
        **forms,
    }
    failed = any(getattr(form, "errors", None) for form in forms.values())
    return render(request, "accounts/profile.html", context, status=422 if failed else 200)
