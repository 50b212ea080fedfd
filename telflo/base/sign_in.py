"""The two limits of signing in (django-axes): wrong tries for a name from an address, and from an address alone.

The first stops guessing one person's password, the second trying one password on many names. Who signed in, and who was
refused, is in the activity log.
"""

from datetime import timedelta
from typing import Any, Final

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from telflo.base.activity import Actor, record
from telflo.base.clock import now
from telflo.base.models import Activity, User

MOST_REFUSED_AN_HOUR: Final = 100
"""So many refused sign-ins get into the activity log, so that nobody fills it. In the time of a pause it gets one of a
name from an address, and one of all names that nobody has."""


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
        if request is not None:
            _record_refused(request, str(credentials.get("username") or ""))


def record_sign_in(request: HttpRequest, person: User) -> None:
    """Into the activity log: who came, and from where."""
    record(
        actor=Actor.person(person),
        action="person.sign_in",
        obj=person,
        label=person.username,
        after={"address": _address(request)},
    )


def _record_refused(request: HttpRequest, username: str) -> None:
    """The same of a wrong try. A name that nobody has is not kept: it may be a password."""
    person = User.objects.filter(username=username).first()
    actor = Actor.stranger(_address(request))
    label = person.username if person else "somebody who is not known"
    is_paused = bool(getattr(request, "axes_locked_out", False))
    code = "person.sign_in_paused" if is_paused else "person.sign_in_refused"
    refused = Activity.objects.filter(action=code)
    if refused.filter(at__gt=now() - timedelta(hours=1)).count() >= MOST_REFUSED_AN_HOUR:
        return
    told = refused.filter(actor_label=actor.label, object_label=label)
    if told.filter(at__gt=now() - settings.AXES_COOLOFF_TIME).exists():
        return
    record(
        actor=actor,
        action="person.sign_in_paused" if is_paused else "person.sign_in_refused",
        obj=person,
        label=label,
    )


def _address(request: HttpRequest) -> str:
    return str(request.axes_ip_address)  # type: ignore[attr-defined]  # set by axes


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
    lately = AccessAttempt.objects.filter(
        ip_address=_address(request), attempt_time__gte=get_cool_off_threshold(request)
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
