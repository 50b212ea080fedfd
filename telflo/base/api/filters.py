"""Filters of lists as query parameters; a parameter that nobody knows is a 400, not ignored."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django_filters import TypedChoiceFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from telflo.base.api.pagination import PARAMETERS

if TYPE_CHECKING:
    # At run time it would be a circle: DRF reads its settings, which name this module, while it is imported.
    from rest_framework.views import APIView


class YesNoFilter(TypedChoiceFilter):  # type: ignore[misc]  # django-filter ships no types
    """?name=true or ?name=false; anything else is a 400 (django-filter's own takes it for no filter)."""

    def __init__(self, **options: Any) -> None:
        choices = [("true", "true"), ("false", "false")]
        super().__init__(choices=choices, coerce=lambda text: text == "true", **options)


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # django-filter ships no types
    """The view's `filterset_class`, on lists alone."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: "APIView"
    ) -> QuerySet[Any]:
        """The filtered rows. Raises ValidationError (400) for unknown parameters and bad values."""
        refuse_unknown_parameters(request, known_parameters(view))
        if getattr(view, "detail", False):
            return queryset
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


def known_parameters(view: "APIView") -> set[str]:
    """Query parameters of the call: the view's `query_parameters[action]`, and on lists filters and paging.

    A name that ends with * stands for all that begin so and say more ("attr.*").
    """
    action = getattr(view, "action", None) or ""
    declared: dict[str, Iterable[str]] = getattr(view, "query_parameters", {})
    known = set(declared.get(action, ()))
    if action in getattr(view, "list_actions", ("list",)):
        filterset = getattr(view, "filterset_class", None)
        known |= PARAMETERS | set(filterset.base_filters if filterset else ())
    return known


def refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    """Raise ValidationError (400) that names the parameters that are not known."""
    prefixes = [name[:-1] for name in known if name.endswith("*")]
    unknown = [
        name
        for name in request.query_params
        if name not in known
        and not any(name.startswith(prefix) and name != prefix for prefix in prefixes)
    ]
    if unknown:
        known_text = ", ".join(sorted(known)) or "none"
        raise ValidationError(
            dict.fromkeys(unknown, f"This parameter is not known. Known are: {known_text}."),
            code="unknown-parameter",
        )
