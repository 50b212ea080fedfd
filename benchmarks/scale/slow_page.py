"""The product's pages, and one whose query takes two seconds."""

from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from telflo.urls import handler500
from telflo.urls import urlpatterns as pages

_SLOW: Final = {
    "postgresql": "SELECT pg_sleep(2)",
    # Two seconds of work, since SQLite cannot sleep.
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000000) SELECT max(i) FROM n",
}


@login_not_required
def slow(_request: HttpRequest) -> HttpResponse:
    """A page that waits for its database."""
    with connection.cursor() as cursor:
        cursor.execute(_SLOW[connection.vendor])
    return HttpResponse("done")


urlpatterns = [*pages, path("benchmark/slow/", slow)]

__all__ = ["handler500", "urlpatterns"]
