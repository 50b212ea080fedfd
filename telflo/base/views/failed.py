"""The pages of a request that cannot be read, of a database that is away, and of a failure that nobody expected."""

import logging
import sys
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.utils.log import log_response

from telflo.base import logs
from telflo.base.api.problems import (
    AWAY,
    AWAY_S,
    AWAY_WORDS,
    MEDIA_TYPE,
    FieldError,
    problem_body,
)
from telflo.base.parameters import UnreadableText

logger = logging.getLogger(__name__)

_API: Final = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 with what is wrong, where it was us who found it: a page, or for the API a problem."""
    fault = exception if isinstance(exception, UnreadableText) else None
    if not request.path.startswith(_API):
        return render(request, "400.html", {"fault": fault}, status=400)
    errors = [FieldError(pointer=f"/{fault.name}", code="nul", message=str(fault))] if fault else []
    detail = str(fault or "The server cannot read this request.")
    body = problem_body(400, "invalid", detail, errors)
    return JsonResponse(body, status=400, content_type=MEDIA_TYPE)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, with the reference under which the log has the cause; 503 while the database is away.

    It asks nothing of what may have failed. Django calls it while it handles the exception.
    """
    if isinstance(sys.exception(), AWAY):
        return _database_away(request)
    page = get_template("500.html").render({"reference": logs.reference()})
    return HttpResponse(page, status=500)


def _database_away(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(get_template("503.html").render())
    if request.path.startswith(_API):
        response = JsonResponse(
            problem_body(503, "database-away", AWAY_WORDS, []), content_type=MEDIA_TYPE
        )
    response.status_code = 503
    response["Retry-After"] = str(AWAY_S)
    # One line each: else Django logs a traceback for every request of an outage.
    log_response(
        "%s %s",
        AWAY_WORDS,
        request.path,
        response=response,
        request=request,
        logger=logger,
        level="warning",
    )
    return response
