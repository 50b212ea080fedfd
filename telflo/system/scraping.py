"""Who may read /metrics, and its view."""

import ipaddress
from hmac import compare_digest
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from agents.models import AgentStatus
from telflo.base.measures import Numbers, sample
from telflo.system.exposition import exposition
from telflo.system.state import read_state

_FORWARDED: Final = ("x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "via")
_CLOSED: Final = (
    "Metrics are for programs on this machine. For others set TELFLO_METRICS_TOKEN and send it"
    " as `Authorization: Bearer <token>`.\n"
)
_WRONG: Final = "Send TELFLO_METRICS_TOKEN as `Authorization: Bearer <token>`.\n"


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """What all processes count. With a token set it takes the token, from anywhere; else a peer on this machine."""
    refusal = _refusal(request)
    if refusal is not None:
        return refusal
    state = read_state()
    collectors = _collectors() if state.database.answer_s is not None else {}
    body, content_type = exposition(state, collectors, request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    plain = "text/plain; charset=utf-8"
    if not settings.METRICS_TOKEN:
        is_here = _is_on_this_machine(request)
        return None if is_here else HttpResponse(_CLOSED, status=403, content_type=plain)
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    given = secret.strip().encode()
    if scheme.lower() == "bearer" and compare_digest(given, settings.METRICS_TOKEN.encode()):
        return None
    refused = HttpResponse(_WRONG, status=401, content_type=plain)
    refused["WWW-Authenticate"] = "Bearer"
    return refused


def _is_on_this_machine(request: HttpRequest) -> bool:
    """A peer on loopback that no proxy speaks for: a forwarded address may be made up by whoever sent the request."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _collectors() -> Numbers:
    """Collectors by status and transport, in one query; nothing while the database is away."""
    groups = AgentStatus.objects.order_by().values_list("status", "transport")
    try:
        counted = list(groups.annotate(n=Count("pk")))
    except DatabaseError:
        return {}
    return {
        "telflo_collectors": [
            sample(n, status=status, transport=transport or "none")
            for status, transport, n in counted
        ]
    }
