"""Numbered pages of short lists (`?page=2`). The long list of collectors has pages of its own, by cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from telflo.ui.numbers import grouped

PAGE_ROWS: Final = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """One page: its rows, how many there are in all, what is shown in words, the addresses beside it."""

    items: Sequence[T]
    total: int
    shown: str = ""
    previous: str = ""
    next: str = ""

    @property
    def several(self) -> bool:
        """Whether there is another page."""
        return bool(self.previous or self.next)


class _Counted(Paginator[T]):
    """Pages of rows whose number is known already."""

    def __init__(self, found: "QuerySet[Any, T]", size: int, total: int | None) -> None:
        super().__init__(found, size)
        if total is not None:
            self.count = total


def rows_of(
    request: HttpRequest,
    found: "QuerySet[Any, T]",
    size: int = PAGE_ROWS,
    total: int | None = None,
) -> Rows[T]:
    """The page that the address names; a number out of range means the nearest page.

    One query, and one more to count when no total is given.
    """
    paginator = _Counted(found, size, total)
    page = paginator.get_page(request.GET.get("page"))
    items = list(page.object_list)
    return Rows(
        items=items,
        total=paginator.count,
        shown=_shown(page.start_index(), page.end_index(), paginator.count),
        previous=_address(request, page.number - 1) if page.has_previous() else "",
        next=_address(request, page.number + 1) if page.has_next() else "",
    )


def _shown(first: int, last: int, total: int) -> str:
    return f"{grouped(first)}\u2013{grouped(last)} of {grouped(total)}"


def _address(request: HttpRequest, number: int) -> str:
    query = request.GET.copy()
    query["page"] = str(number)
    return "?" + query.urlencode()
