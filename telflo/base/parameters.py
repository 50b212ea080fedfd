"""NUL characters in what comes with a request are refused here, once: PostgreSQL can neither store nor compare them."""

from collections.abc import Callable
from typing import Final

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

_NUL: Final = "\0"


class UnreadableText(BadRequest):
    """The parameter, form field or cookie `name` holds a NUL character."""

    def __init__(self, name: str) -> None:
        self.name = name.replace(_NUL, "\N{REPLACEMENT CHARACTER}")
        super().__init__(
            f"“{self.name}” holds a NUL character, which no text here has. Take it out and send it again."
        )


class ReadableAddress:
    """Middleware: refuses a NUL character in the address and in cookies, for pages, API and admin alike."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer. Raises UnreadableText."""
        refuse_nul(request.GET)
        for name, value in request.COOKIES.items():
            _refuse(name, value)
        return self._get_response(request)


def refuse_nul(parameters: QueryDict) -> None:
    """Raise UnreadableText for the first parameter with a NUL character in its name or in a value."""
    for name, values in parameters.lists():
        _refuse(name, name, *values)


def _refuse(name: str, *texts: str) -> None:
    if any(_NUL in text for text in texts):
        raise UnreadableText(name)
