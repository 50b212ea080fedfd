"""Pages of lists: {"next": url|null, "previous": url|null, "results": […]}, with ?limit= and ?ordering=."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

if TYPE_CHECKING:
    # At run time it would be a circle: DRF reads its settings, which name this module, while it is imported.
    from rest_framework.views import APIView

PARAMETERS = frozenset({"cursor", "limit", "ordering"})


class CursorPages(CursorPagination):
    """Cursor pages: stable while rows come and go, and as fast at the end of a long list as at its start.

    The view's `ordering` (a tuple) is the default; `ordering_fields` lists what ?ordering= may name. The key
    breaks ties.
    """

    page_size = 50
    max_page_size = 500
    page_size_query_param = "limit"
    ordering_query_param = "ordering"
    default_ordering: tuple[str, ...] | None = None
    """Instead of the view's, for a list of other rows below it."""

    def paginate_queryset(
        self, queryset: Any, request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        """The rows of the page asked for. Raises ValidationError (400) for what is wrong in the parameters."""
        cursor = self.decode_cursor(request)
        if view is not None and cursor is not None and cursor.position is not None:
            _check_position(
                str(cursor.position), self.get_ordering(request, queryset, view)[0], queryset
            )
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """The limit asked for. Raises ValidationError (400) for one that is none."""
        text = request.query_params.get("limit")
        if text is None:
            return self.page_size
        if (
            not text.isascii()
            or not text.isdecimal()
            or not 1 <= int(text[:9]) <= self.max_page_size
        ):
            raise ValidationError({"limit": f"Give a number from 1 to {self.max_page_size}."})
        return int(text)

    def get_ordering(
        self, request: Request, queryset: QuerySet[Any], view: "APIView"
    ) -> tuple[str, ...]:
        """The fields to order by. Raises ValidationError (400) for a field that the view does not offer."""
        default = self.default_ordering or tuple(getattr(view, "ordering", ("-id",)))
        text = request.query_params.get("ordering")
        chosen = (text,) if text else default
        if text and text.removeprefix("-") not in _offered(view):
            raise ValidationError({"ordering": f"Choose one of {', '.join(_offered(view))}."})
        names = {name.removeprefix("-") for name in chosen}
        return chosen if names & {"id", "pk"} else (*chosen, "pk")

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Where the page begins. Raises ValidationError (400) for a cursor that was not made here."""
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise _not_ours() from error

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What the OpenAPI schema says about a page of rows."""
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": address, "previous": address, "results": schema},
        }

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """What the OpenAPI schema says about the parameters."""
        described = [
            _parameter(
                "cursor", "Where the page begins, from `next` or `previous`.", {"type": "string"}
            ),
            _parameter(
                "limit",
                f"Rows a page, {self.page_size} by default.",
                {"type": "integer", "minimum": 1, "maximum": self.max_page_size},
            ),
        ]
        # A list below a resource has the order that it has.
        is_own_list = getattr(view, "action", "") in getattr(view, "list_actions", ("list",))
        offered = _offered(view) if is_own_list else ()
        if offered:
            values = [sign + name for name in offered for sign in ("", "-")]
            described.append(
                _parameter(
                    "ordering", "With - in front: descending.", {"type": "string", "enum": values}
                )
            )
        return described


def _check_position(position: str, order: str, rows: QuerySet[Any]) -> None:
    """Raise ValidationError for a position that the first field of the order cannot have."""
    if "\0" in position:
        raise _not_ours()
    try:
        rows.filter(**{f"{order.removeprefix('-')}__gt": position})  # is built, and not asked
    except (ValueError, TypeError, DjangoValidationError) as error:
        raise _not_ours() from error


def _not_ours() -> ValidationError:
    return ValidationError({"cursor": "This cursor is not valid. Start from the first page."})


def _offered(view: "APIView") -> tuple[str, ...]:
    return tuple(getattr(view, "ordering_fields", ()))


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }
