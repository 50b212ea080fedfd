"""Lists of what has a name and can be put away (`archived_at`): fleets and configurations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest

from telflo.ui.pages import Rows, rows_of

M = TypeVar("M", bound=Model)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Shelf(Generic[R]):
    """One page of the list, the words and the state that it was asked for, and how many there are of each state."""

    page: Rows[R]
    words: str
    is_archive: bool
    active: int
    archived: int


def shelf_of(
    request: HttpRequest,
    everything: "QuerySet[M, Any]",
    shaped: "Callable[[QuerySet[M, Any]], QuerySet[M, R]]",
) -> Shelf[R]:
    """Those in use, or with `?archived=1` those put away, whose name or description has `?q=`. Three queries.

    shaped: the order of the rows, and what is read with each.
    """
    is_archive = request.GET.get("archived") == "1"
    words = request.GET.get("q", "").strip()
    counts = everything.aggregate(all=Count("pk"), archived=Count("archived_at"))
    found = everything.filter(archived_at__isnull=not is_archive)
    if words:
        found = found.filter(Q(name__icontains=words) | Q(description__icontains=words))
    return Shelf(
        page=rows_of(request, shaped(found)),
        words=words,
        is_archive=is_archive,
        active=counts["all"] - counts["archived"],
        archived=counts["archived"],
    )
