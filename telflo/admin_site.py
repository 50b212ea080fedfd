"""The Django admin: Admins alone, with the sign-in page (and its rate limit) of the application."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from telflo.base.access import Action, may

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class TelfloAdminSite(AdminSite):
    """Django's admin with our access rule instead of is_staff."""

    site_header = "Telflo administration"
    site_title = "Telflo"
    index_title = "Records"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may use the admin at all."""
        return may(request.user, Action.ADMINISTER)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """The view for Admins. Raises PermissionDenied for others: to sign in again would not help them."""
        shown = super().admin_view(view, cacheable)

        @wraps(shown)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied(Action.ADMINISTER)
            return shown(request, *args, **kwargs)

        return cast("View", guarded)

    @login_not_required
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Our own sign-in page, which counts wrong tries."""
        return HttpResponseRedirect(f"{reverse('login')}?next={reverse('admin:index')}")

    def password_change(  # type: ignore[override]  # Django answers with a page of its own
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The person's own page, whose change stands in the activity log."""
        return HttpResponseRedirect(reverse("profile"))


class TelfloAdminConfig(AdminConfig):
    """Makes TelfloAdminSite the default site."""

    default_site = "telflo.admin_site.TelfloAdminSite"
