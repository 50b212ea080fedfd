"""The two limits of signing in (django-axes): wrong tries for a name from an address, and from an address alone.

The first stops guessing one person's password, the second trying one password on many names.
"""

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class TwoLimits(AxesDatabaseHandler):  # type: ignore[misc]  # axes ships no types
    """Keeps the first limit as axes does, and adds the second."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Whether one of the limits is reached."""
        return is_address_locked(request) or super().is_locked(request, credentials)

    def user_login_failed(
        self,
        sender: object,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        """Count the try; the one that reaches a limit is answered as the next ones are."""
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request is not None and is_address_locked(request):
            request.axes_locked_out = True  # type: ignore[attr-defined]  # axes hangs its state on requests


def tries_left(request: HttpRequest, username: str) -> int:
    """How many wrong tries are left for this name from the request's address."""
    by_name: int = AxesProxyHandler.get_failures(request, {"username": username})
    of_name = settings.AXES_FAILURE_LIMIT - by_name
    of_address = settings.ADDRESS_FAILURE_LIMIT - _failures_of_address(request)
    return max(min(of_name, of_address), 0)


def is_address_locked(request: HttpRequest) -> bool:
    """Whether nobody may try from this address for a while. axes has seen the request."""
    return _failures_of_address(request) >= settings.ADDRESS_FAILURE_LIMIT


def _failures_of_address(request: HttpRequest) -> int:
    address = request.axes_ip_address  # type: ignore[attr-defined]  # set by axes
    lately = AccessAttempt.objects.filter(
        ip_address=address, attempt_time__gte=get_cool_off_threshold(request)
    )
    return lately.aggregate(n=Sum("failures_since_start"))["n"] or 0


def locked(
    request: HttpRequest, _response: HttpResponse | None = None, _credentials: object = None
) -> HttpResponse:
    """The page that says what is paused: sign-in with this name from here, or any sign-in from here."""
    context = {"is_address_locked": is_address_locked(request), "pause_minutes": pause_minutes()}
    return render(request, "accounts/locked.html", context, status=429)


def pause_minutes() -> int:
    """How long a pause lasts."""
    return int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
