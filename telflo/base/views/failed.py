"""The pages of a request that cannot be read, and of a failure that nobody expected."""

from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template

from telflo.base import logs
from telflo.base.api.problems import MEDIA_TYPE, FieldError, problem_body
from telflo.base.parameters import UnreadableText

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
    """500, with the reference under which the log has the cause. It asks nothing of what may have failed."""
    page = get_template("500.html").render({"reference": logs.reference()})
    return HttpResponse(page, status=500)
