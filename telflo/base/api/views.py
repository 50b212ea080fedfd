"""What all resources of the API share."""

from functools import partial
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from telflo.base.access import Action
from telflo.base.activity import Actor, actor_of
from telflo.base.api.etags import check_if_match, etag_of
from telflo.base.api.filters import known_parameters, refuse_unknown_parameters
from telflo.base.api.idempotency import once
from telflo.base.api.pagination import CursorPages

_Row = TypeVar("_Row", bound=Model)


class ApiViewSet(GenericViewSet[_Row]):
    """A resource. Say in `required_actions` what each action needs; an action that is not there is refused."""

    required_actions: ClassVar[dict[str, Action]] = {}
    reading_actions: ClassVar[frozenset[str]] = frozenset()
    """Actions that change nothing, though they are no GET."""
    query_parameters: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Query parameters per action, beside filters and paging of lists."""
    list_actions: ClassVar[tuple[str, ...]] = ("list",)
    ordering: tuple[str, ...] = ("-id",)
    ordering_fields: ClassVar[tuple[str, ...]] = ()
    secret_fields: ClassVar[tuple[str, ...]] = ("secret",)
    """Fields that an answer shows once; a replay by Idempotency-Key leaves them out."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the access checks: refuse unknown parameters, make a write with an Idempotency-Key happen once."""
        super().initial(request, *args, **kwargs)
        if not self.action:
            return
        refuse_unknown_parameters(request, known_parameters(self))
        # DRF would read a body of any length; Django's property refuses one over DATA_UPLOAD_MAX_MEMORY_SIZE (413).
        _ = request._request.body  # noqa: SLF001
        key = request.headers.get("Idempotency-Key")
        if key and request.method not in SAFE_METHODS:
            self._wrap_handler(request, key)

    def _wrap_handler(self, request: Request, key: str) -> None:
        # dispatch() looks the handler up after initial(): replacing it keeps all else as it is.
        method = str(request.method).lower()
        handler = getattr(self, method)

        def run_once(_request: Request, *args: Any, **kwargs: Any) -> Response:
            bound = partial(handler, _request, *args, **kwargs)
            return once(_request, bound, key=key, secret_fields=self.secret_fields)

        setattr(self, method, run_once)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Answers belong to one person: no cache keeps them."""
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def actor(self) -> Actor:
        """Who calls, for the activity log."""
        return actor_of(self.request)

    def validated(self, serializer: type[BaseSerializer[Any]], **options: Any) -> dict[str, Any]:
        """The request's body, checked. Raises ValidationError (400)."""
        checked = serializer(data=self.request.data, **options)
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def page(
        self,
        rows: QuerySet[Any],
        serializer: type[BaseSerializer[Any]],
        *,
        ordering: tuple[str, ...] | None = None,
    ) -> Response:
        """One page of `rows`, by default in `ordering` (else the view's)."""
        assert isinstance(self.paginator, CursorPages)
        self.paginator.default_ordering = ordering
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(serializer(page, many=True).data)

    def one(self, representation: Any, *, status: int = 200) -> Response:
        """A single resource with its ETag."""
        return Response(representation, status=status, headers={"ETag": etag_of(representation)})

    def check_unchanged(self, representation: Any) -> None:
        """If-Match of the request against the present state; see check_if_match."""
        check_if_match(self.request, representation)
