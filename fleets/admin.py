"""Fleets, tokens and rollouts in the Django admin. Tokens are made and ended here through the same services as in
the pages; everything else is to be looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from fleets.forms import EXPIRIES, RotateForm
from fleets.models import Deployment, Fleet, Membership, RefusedAttempt, Rollout, Token
from fleets.token_state import token_state
from fleets.tokens import (
    Expiry,
    IssuedToken,
    issue_token,
    retire_token,
    revoke_token,
    rotate_token,
)
from fleets.views.token_words import words_of_retiring, words_of_revoking
from telflo.base import clock
from telflo.base.access import Action, may
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.readonly_admin import ReadOnlyAdmin
from telflo.ui.asking import LONGEST_REASON
from telflo.ui.numbers import counted


class NewTokenForm(forms.Form):
    """A new enrolment token."""

    fleet = forms.ModelChoiceField(queryset=Fleet.objects.active())
    name = forms.CharField(max_length=100)
    expires = forms.ChoiceField(choices=EXPIRIES, initial=Expiry.YEAR.value)


class ReasonForm(forms.Form):
    """Why tokens are ended."""

    reason = forms.CharField(max_length=LONGEST_REASON, required=False)


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin[Token]):
    """Tokens: list, create, rotate, retire, revoke."""

    list_display = ("name", "kind", "fleet", "starts_with", "state", "created_at", "enrol_until")
    list_filter = ("kind", "fleet")
    list_select_related = ("fleet",)
    search_fields = ("name", "prefix", "fleet__name")
    exclude = ("secret_hash",)
    actions = ("rotate", "retire", "revoke")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may issue tokens."""
        return may(request.user, Action.ENROL)

    @admin.display(description="Starts with", ordering="prefix")
    def starts_with(self, token: Token) -> str:
        """What people may see of the secret."""
        return f"{token.prefix}…"

    @admin.display(description="State")
    def state(self, token: Token) -> str:
        """Its word now."""
        return token_state(token, clock.now()).value.replace("_", " ")

    @method_decorator(never_cache)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The answer to the POST holds the secret, this once: no redirect, no message, no cache."""
        if not self.has_add_permission(request):
            raise PermissionDenied(Action.ENROL)
        form = NewTokenForm(request.POST or None)
        issued = None
        if request.method == "POST" and form.is_valid():
            data = {**form.cleaned_data, "expires": Expiry(form.cleaned_data["expires"])}
            try:
                issued = issue_token(actor=actor_of(request), **data)
            except DomainError as error:
                add_domain_error(form, error)
        return self._page(request, form, title="Add token", verb="Create token", issued=issued)

    @admin.action(description="Rotate: a successor; the old one ends after an overlap")
    def rotate(self, request: HttpRequest, tokens: QuerySet[Token]) -> HttpResponse | None:
        """Asks for the overlap; the answer to that holds the new secret, this once."""
        _check_may_enrol(request)
        chosen = list(tokens.select_related("fleet")[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one token to rotate.", messages.ERROR)
            return None
        form = RotateForm(request.POST if "confirmed" in request.POST else None)
        issued = None
        if form.is_valid():
            try:
                issued = rotate_token(
                    token=chosen[0],
                    overlap=form.overlap(),
                    revoke_old=form.cleaned_data["revoke_old"],
                    actor=actor_of(request),
                )
            except DomainError as error:
                add_domain_error(form, error)
        return self._page(
            request,
            form,
            title="Rotate a token",
            verb="Make the new secret",
            issued=issued,
            action="rotate",
            chosen=[(chosen[0], "")],
        )

    @admin.action(description="Retire: no new enrolments, known collectors stay")
    def retire(self, request: HttpRequest, tokens: QuerySet[Token]) -> HttpResponse | None:
        """Through the service once it is confirmed, each in the activity log."""
        return self._ask_first(request, tokens, _RETIRE)

    @admin.action(description="Revoke: refused from now on, connections are closed")
    def revoke(self, request: HttpRequest, tokens: QuerySet[Token]) -> HttpResponse | None:
        """Through the service once it is confirmed, each in the activity log."""
        return self._ask_first(request, tokens, _REVOKE)

    def _ask_first(
        self, request: HttpRequest, tokens: QuerySet[Token], ending: "_Ending"
    ) -> HttpResponse | None:
        _check_may_enrol(request)
        chosen = list(tokens.select_related("fleet"))
        form = ReasonForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            words = ending.words_of(chosen)
            return self._page(
                request,
                form,
                title=f"{ending.verb} {counted(len(chosen), 'token')}?",
                verb=ending.verb,
                action=ending.verb.lower(),
                chosen=[(token, words[token.pk]) for token in chosen],
            )
        reason = form.cleaned_data["reason"] or "in the Django admin"
        for token in chosen:
            try:
                ending.change(token=token, actor=actor_of(request), reason=reason)
            except DomainError as error:
                self.message_user(request, f"{token.name}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{token.name} is {ending.done}.", messages.SUCCESS)
        return None

    def _page(
        self,
        request: HttpRequest,
        form: forms.Form,
        *,
        title: str,
        verb: str,
        issued: IssuedToken | None = None,
        action: str = "",
        chosen: Sequence[tuple[Token, str]] = (),
    ) -> HttpResponse:
        """A form, or the secret that came of it. The admin site lets nothing of it be stored."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "verb": verb,
            "issued": issued,
            "action": action,
            "chosen": chosen,
        }
        return TemplateResponse(request, "fleets/admin_token.html", context)


@dataclass(frozen=True, slots=True)
class _Ending:
    """A way to end tokens: what is asked and what is done."""

    verb: str
    done: str
    change: Callable[..., Token]
    words_of: Callable[[Sequence[Token]], Mapping[UUID, str]]


_RETIRE: Final = _Ending("Retire", "retired", retire_token, words_of_retiring)
_REVOKE: Final = _Ending("Revoke", "revoked", revoke_token, words_of_revoking)


def _check_may_enrol(request: HttpRequest) -> None:
    if not may(request.user, Action.ENROL):
        raise PermissionDenied(Action.ENROL)


@admin.register(Fleet)
class FleetAdmin(ReadOnlyAdmin[Fleet]):
    """Fleets."""

    list_display = ("name", "slug", "version", "arrival_mode", "created_at", "archived_at")
    list_select_related = ("version__configuration",)
    search_fields = ("name", "slug")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin[Membership]):
    """Which agent belongs where."""

    list_display = ("agent", "fleet", "mode", "token", "enrolled_at")
    list_select_related = ("agent", "fleet", "token")
    list_filter = ("mode", "fleet")
    search_fields = ("agent__display_name",)


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin[Deployment]):
    """Quick-deploy commands."""

    list_display = (
        "code_prefix",
        "fleet",
        "platform",
        "uses",
        "max_uses",
        "expires_at",
        "revoked_at",
    )
    list_select_related = ("fleet",)
    exclude = ("code_hash", "secret_environment")


@admin.register(Rollout)
class RolloutAdmin(ReadOnlyAdmin[Rollout]):
    """Rollouts."""

    list_display = ("number", "fleet", "version", "state", "state_since", "created_at")
    list_select_related = ("fleet", "version__configuration")
    list_filter = ("state", "fleet")


@admin.register(RefusedAttempt)
class RefusedAttemptAdmin(ReadOnlyAdmin[RefusedAttempt]):
    """Who was refused."""

    list_display = ("address", "reason", "token_prefix", "count", "first_at", "last_at")
    list_filter = ("reason",)
