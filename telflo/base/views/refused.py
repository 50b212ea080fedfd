"""The page of something that a person may not do."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from telflo.base.access import Action, Role, what_is_missing
from telflo.base.models import User

MOST_NAMED = 5


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403, with the role that it takes and who can give it."""
    reason = exception.args[0] if exception.args else ""
    user = getattr(request, "user", None)
    context: dict[str, Any] = {"exception": str(reason)}
    if isinstance(reason, Action) and isinstance(user, User):
        context = {"missing": what_is_missing(user, reason), "admins": _admins()}
    return render(request, "403.html", context, status=403)


def _admins() -> list[str]:
    """Who can give roles: the first of them, by user name."""
    admins = User.objects.filter(is_active=True, role=Role.ADMIN).order_by("username")
    return [admin.display_name for admin in admins[:MOST_NAMED]]
