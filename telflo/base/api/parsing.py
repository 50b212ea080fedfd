"""Reading the bodies of calls: JSON in UTF-8 (RFC 8259), nested no deeper than any call needs."""

from collections.abc import Iterable, Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MOST_DEPTH: Final = 32


class BoundedJSONParser(JSONParser):
    """DRF's parser, which fails on deep nesting and on a charset that is none."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body's value. Raises ParseError (400)."""
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            value = super().parse(stream, media_type, context)
        except RecursionError as error:
            raise _too_deep() from error
        level: list[Any] = [value]
        for _ in range(MOST_DEPTH):
            level = [part for item in level for part in _parts(item)]
        if level:
            raise _too_deep()
        return value


def _parts(value: Any) -> Iterable[Any]:
    """What is directly inside a list or an object."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> ParseError:
    return ParseError(f"The body is nested too deeply. The most is {MOST_DEPTH} levels.")
