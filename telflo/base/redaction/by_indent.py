"""PURE. Finding secrets by their keys in text that does not parse: line by line, by indentation."""

import re
from collections.abc import Iterator

from telflo.base.redaction.masking import Span
from telflo.base.redaction.names import (
    is_header_map,
    is_plain_inside,
    is_secret_name,
    is_secret_scalar,
)

_ENTRY = re.compile(
    r"[\s#]*(?:- +)*[\"']?(?P<key>[^\s\"':{}\[\],#][^\"':\n]{0,200})[\"']?\s*:(?:\s+(?P<value>.*))?$"
)


def spans_by_indent(text: str) -> list[Span]:
    """Values of secret-looking keys and all that is indented below them; more than needed rather than less."""
    return list(_spans(text))


def _spans(text: str) -> Iterator[Span]:
    offset = 0
    below: int | None = None  # the indentation of the key whose lines below are secret
    in_text = False  # those lines are one long text, not keys and values
    api: int | None = None  # the indentation of `api:` while we are below it
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if line.strip() and below is not None and indent <= below:
            below = None
        if line.strip() and api is not None and indent <= api:
            api = None
        entry = _ENTRY.match(line)
        if below is not None:
            yield _below(line, offset, None if in_text else entry)
        elif entry and _is_secret(entry, below="" if api is None else "api"):
            below, in_text = indent, bool(entry["value"])
            if entry["value"]:
                yield offset + entry.start("value"), offset + len(line)
        elif entry and entry["key"] == "api":
            api = indent
        offset += len(line) + 1


def _is_secret(entry: re.Match[str], *, below: str) -> bool:
    """Whether the value of a line, or what is indented below it, is secret. below: the key above it."""
    key = entry["key"]
    return (
        is_secret_name(key, below=below)
        or is_header_map(key)
        or (is_secret_scalar(key) and bool(entry["value"]))
    )


def _below(line: str, offset: int, entry: re.Match[str] | None) -> Span:
    """What to mask of a line below a secret's key: a value, or all when the line is no key with a value."""
    if entry is None or not entry["value"]:
        return offset, offset + len(line)
    if is_plain_inside(entry["key"]):
        return offset, offset
    return offset + entry.start("value"), offset + len(line)
