"""What an agent is called (decision 18) and the columns that are read from its description. Pure."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

NAME_ATTRIBUTE: Final = "telflo.name"
"""The attribute that quick deploy's `--name` sets in the supervisor's description."""

SHORT_UID: Final = 8


def display_name(
    *,
    uid: UUID,
    name: str = "",
    identifying: Mapping[str, Any] | None = None,
    non_identifying: Mapping[str, Any] | None = None,
) -> str:
    """Set by a person, else the quick-deploy name attribute, else host.name, else the end of the uid.

    The end, since UUIDv7s that are made in the same minute begin alike.
    """
    described = (non_identifying or {}, identifying or {})
    candidates = [name]
    candidates += [attribute(NAME_ATTRIBUTE, *described), attribute("host.name", *described)]
    return next((text for text in candidates if text), uid.hex[-SHORT_UID:])[:200]


def attribute(key: str, *sources: Mapping[str, Any]) -> str:
    """The first non-empty value of `key` as text; "" when no source has it."""
    for source in sources:
        value = source.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return str(value).strip()
    return ""
