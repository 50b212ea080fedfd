"""Fleets, tokens and rollouts in the Django admin. Tokens are made and ended here through the same services as in
the pages; everything else is to be looked at.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from fleets.forms import EXPIRIES
from fleets.models import Deployment, Fleet, Membership, RefusedAttempt, Rollout, Token, TokenKind
from fleets.token_state import token_state
from fleets.tokens import Expiry, issue_token, retire_token, revoke_token
from telflo.base import clock
from telflo.base.access import Action, may
from telflo.base.activity import actor_of
from telflo.base.errors import DomainError
from telflo.base.forms import add_domain_error
from telflo.base.readonly_admin import ReadOnlyAdmin


class NewTokenForm(forms.Form):
    """A new enrolment token."""

    fleet = forms.ModelChoiceField(queryset=Fleet.objects.active())
    name = forms.CharField(max_length=100)
    expires = forms.ChoiceField(choices=EXPIRIES, initial=Expiry.YEAR.value)


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin[Token]):
    """Tokens: list, create, retire, revoke."""

    list_display = ("name", "kind", "fleet", "starts_with", "state", "created_at", "enrol_until")
    list_filter = ("kind", "fleet")
    list_select_related = ("fleet",)
    search_fields = ("name", "prefix", "fleet__name")
    exclude = ("secret_hash",)
    actions = ("retire", "revoke")

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
        context = {
            **self.admin_site.each_context(request),
            "title": "Add token",
            "opts": self.opts,
            "form": form,
            "issued": issued,
        }
        return TemplateResponse(request, "fleets/admin_token.html", context)

    @admin.action(description="Retire: no new enrolments, known collectors stay")
    def retire(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """Through the service, each in the activity log."""
        self._each(request, tokens, retire_token, "retired")

    @admin.action(description="Revoke: refused from now on, connections are closed")
    def revoke(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """Through the service, each in the activity log."""
        self._each(request, tokens, revoke_token, "revoked")

    def _each(
        self,
        request: HttpRequest,
        tokens: QuerySet[Token],
        change: Callable[..., Token],
        done: str,
    ) -> None:
        if not may(request.user, Action.ENROL):
            raise PermissionDenied(Action.ENROL)
        # Credentials of single agents are only looked at here; the tokens' page can revoke one.
        for token in tokens.exclude(kind=TokenKind.AGENT).select_related("fleet"):
            try:
                change(token=token, actor=actor_of(request), reason="in the Django admin")
            except DomainError as error:
                self.message_user(request, f"{token.name}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{token.name} is {done}.", messages.SUCCESS)


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
