"""The collectors list as CSV: streamed in blocks, whatever the number of rows."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from agents.filters import AgentFilters
from agents.models import Agent
from agents.views.paging import in_order, known_sort
from agents.views.rows import AgentRow, rows_of
from telflo.base.access import Action
from telflo.base.guard import requires

BLOCK_ROWS: Final = 500
_HEAD = (
    "name",
    "instance_uid",
    "fleet",
    "status",
    "status_since",
    "health",
    "connected",
    "transport",
    "desired_version",
    "applied_version",
    "collector",
    "build",
    "host",
    "system",
    "architecture",
    "labels",
    "last_seen",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@requires(Action.VIEW)
def export(request: HttpRequest) -> HttpResponseBase:
    """All collectors that match the filters of the address, in its order."""
    filters = AgentFilters(request.GET, queryset=Agent.objects.all())
    if not filters.is_valid():
        return HttpResponseBadRequest("A filter in this address is not known.")
    found = in_order(filters.qs, known_sort(request.GET.get("sort", "")))
    blocks = csv_blocks(list(found.values_list("pk", flat=True)))
    # A server that runs on an event loop would collect a plain iterator as a whole first.
    content = _in_threads(blocks) if isinstance(request, ASGIRequest) else blocks
    response = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="collectors.csv"'
    response["Cache-Control"] = "no-store"
    return response


def csv_blocks(uids: list[UUID]) -> Iterator[str]:
    """The file in pieces. Collectors that are forgotten meanwhile are left out."""
    writer = csv.writer(_Echo())
    yield writer.writerow(_HEAD)
    for start in range(0, len(uids), BLOCK_ROWS):
        rows = rows_of(uids[start : start + BLOCK_ROWS])
        yield "".join(writer.writerow(map(safe_cell, _cells(row))) for row in rows)


def safe_cell(value: str) -> str:
    """The text so that no spreadsheet takes it for a formula (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def _cells(row: AgentRow) -> Iterable[str]:
    yield from (row.name, row.uid, row.fleet, row.status, _time(row.since), row.health)
    yield from ("yes" if row.connected else "no", row.transport)
    yield from (row.desired, row.version)
    yield from (row.collector, row.build, row.host, row.system, row.architecture)
    yield from ("; ".join(map(str, row.tags)), _time(row.seen))


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


async def _in_threads(blocks: Iterator[str]) -> AsyncIterator[str]:
    """The blocks, each made in a thread that may use the database."""
    while (block := await sync_to_async(_next)(blocks)) is not None:
        yield block


def _next(blocks: Iterator[str]) -> str | None:
    return next(blocks, None)


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> Any:
        return text
