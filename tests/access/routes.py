"""Every route of the URL configuration under one name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver

PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^()]*\)")


@dataclass(frozen=True, slots=True)
class Route:
    """`name` as reverse() takes it; a route without one goes by its pattern. `pattern` is the whole address."""

    name: str
    pattern: str

    @property
    def parameters(self) -> list[str]:
        """What has to be filled in."""
        return [match[1] or match[2] for match in PARAMETER.finditer(self.pattern)]

    def address(self, values: Mapping[str, Any]) -> str:
        """The address with its parameters filled in."""

        def fill(match: re.Match[str]) -> str:
            return str(values[match[1] or match[2]])

        return "/" + PARAMETER.sub(fill, self.pattern).replace("^", "").replace("$", "")


def all_routes() -> list[Route]:
    """Pages, API, admin, install, health."""
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, pattern, inner)
        elif isinstance(entry, URLPattern):
            yield Route(f"{namespace}{entry.name}" if entry.name else pattern, pattern)
