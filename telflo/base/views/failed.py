"""The page of a failure that nobody expected."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from telflo.base import logs


def server_error(request: HttpRequest) -> HttpResponse:
    """500, with the reference under which the log has the cause. It asks nothing of what may have failed."""
    page = get_template("500.html").render({"reference": logs.reference()})
    return HttpResponse(page, status=500)
