"""The pages of something that a person may not do, and of a form that was not taken."""

from typing import Any

from django.conf import settings
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


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form whose token, cookie or origin is not right, with what to do (settings.CSRF_FAILURE_VIEW)."""
    is_elsewhere = reason.startswith("Origin checking failed")
    context = {
        "origin": request.headers.get("Origin", "") if is_elsewhere else "",
        "expected": settings.BASE_URL or f"{request.scheme}://{request.get_host()}",
    }
    return render(request, "403_form.html", context, status=403)


def _admins() -> list[str]:
    """Who can give roles: the first of them, by user name."""
    admins = User.objects.filter(is_active=True, role=Role.ADMIN).order_by("username")
    return [admin.display_name for admin in admins[:MOST_NAMED]]
