"""The guard of every page: which action a view needs, and which methods it answers."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed

from telflo.base.access import Action, may

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def requires(
    action: Action, *, write: Action | None = None, methods: tuple[str, ...] = ("GET",)
) -> Callable[[View[P]], View[P]]:
    """Let through only people who may do `action`; for POST, `write` when it is given.

    Raises PermissionDenied (a 403 page) for others; other methods than `methods` (and HEAD) answer 405.
    """
    allowed = {*methods, "HEAD"} if "GET" in methods else set(methods)

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method not in allowed:
                return HttpResponseNotAllowed(sorted(allowed))
            needed = write if write and request.method == "POST" else action
            if not may(request.user, needed):
                raise PermissionDenied(needed)
            return view(request, *args, **kwargs)

        guarded.required_action = action  # type: ignore[attr-defined]  # read by the test that walks all URLs
        return guarded

    return decorate
