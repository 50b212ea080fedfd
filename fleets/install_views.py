"""Quick deploy as hosts see it: the script, a look at the code and the clock, and the claim. Plain text.

The code in the address is the credential; there is no session and so no CSRF. Nothing here redirects.
"""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from fleets.models import Deployment, RefusalReason
from fleets.quickdeploy import script as install_script
from fleets.quickdeploy.errors import CodeClosed, CodeUnknown
from fleets.quickdeploy.services import (
    Claim,
    claim_deployment,
    closed_reason,
    find_deployment,
    plan_of,
    public_url,
    why_not_held,
)
from fleets.refusals import record_refusal
from telflo.base import clock
from telflo.base.errors import DomainError


@login_not_required
@csrf_exempt
@never_cache
@require_safe
def script(request: HttpRequest, code: str) -> HttpResponse:
    """The install script. No side effect but for the count of refused attempts, and no secret in it."""
    base_url = _address(request)
    try:
        deployment = find_deployment(code)
    except CodeUnknown as error:
        return _refused(request, error, None)
    if reason := closed_reason(deployment, clock.now()):
        _count_refusal(request, deployment)
        text = install_script.render_closed(base_url=public_url(base_url), code=code, reason=reason)
    else:
        text = install_script.render(plan_of(deployment, base_url=base_url), code)
    return HttpResponse(text, content_type="text/x-shellscript; charset=utf-8")


@login_not_required
@csrf_exempt
@never_cache
@require_safe
def check(request: HttpRequest, code: str) -> HttpResponse:
    """Whether the code is open, and this server's clock in seconds since 1970."""
    try:
        deployment = find_deployment(code)
    except CodeUnknown as error:
        return _refused(request, error, None)
    now = clock.now()
    if reason := closed_reason(deployment, now):
        return _refused(request, CodeClosed(reason), deployment)
    return _text(f"time={int(now.timestamp())}\n")


@login_not_required
@csrf_exempt
@never_cache
@require_POST
def held(request: HttpRequest, code: str) -> HttpResponse:
    """Whether the token that a host has already lets it into the fleet of the code: 200, or 409 and why not."""
    try:
        deployment = find_deployment(code)
    except CodeUnknown as error:
        return _refused(request, error, None)
    if why := why_not_held(deployment, request.POST.get("token", ""), now=clock.now()):
        return _text(f"{why}\n", status=HTTPStatus.CONFLICT)
    return _text("good\n")


@login_not_required
@csrf_exempt
@never_cache
@require_POST
def claim(request: HttpRequest, code: str) -> HttpResponse:
    """Count a use and answer the host's token, this once."""
    try:
        claimed = claim_deployment(code=code, host=request.POST.get("host", ""))
    except CodeUnknown as error:
        return _refused(request, error, None)
    except CodeClosed as error:
        return _refused(request, error, find_deployment(code))
    except DomainError as error:
        return _text(f"{error}\n", status=HTTPStatus.CONFLICT)
    return _text(_lines(claimed))


def _lines(claimed: Claim) -> str:
    """What the script reads: one `token=` line and an `environment NAME=value` line for each secret."""
    lines = [f"token={claimed.token}", *(f"environment {line}" for line in claimed.environment)]
    return "\n".join(lines) + "\n"


def _refused(
    request: HttpRequest, error: DomainError, deployment: Deployment | None
) -> HttpResponse:
    _count_refusal(request, deployment)
    status = HTTPStatus.NOT_FOUND if deployment is None else HTTPStatus.GONE
    return _text(f"{error}\n", status=status)


def _count_refusal(request: HttpRequest, deployment: Deployment | None) -> None:
    """Nothing is kept of a code that is not ours: it may be something else's secret."""
    record_refusal(
        token_prefix=deployment.code_prefix if deployment else "",
        address=request.META.get("REMOTE_ADDR", ""),
        reason=RefusalReason.CODE,
        transport="http",
        user_agent=request.headers.get("User-Agent", ""),
        now=clock.now(),
    )


def _address(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _text(text: str, status: int = HTTPStatus.OK) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
