"""PURE. Finding secrets by their keys in text that does not parse: line by line, by indentation."""

import re
from collections.abc import Iterator

from telflo.base.redaction.masking import Span
from telflo.base.redaction.names import is_header_map, is_plain_inside, is_secret_name

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
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if line.strip() and below is not None and indent <= below:
            below = None
        entry = _ENTRY.match(line)
        if below is not None:
            yield _below(line, offset, None if in_text else entry)
        elif entry and (is_secret_name(entry["key"]) or is_header_map(entry["key"])):
            below, in_text = indent, bool(entry["value"])
            if entry["value"]:
                yield offset + entry.start("value"), offset + len(line)
        offset += len(line) + 1


def _below(line: str, offset: int, entry: re.Match[str] | None) -> Span:
    """What to mask of a line below a secret's key: a value, or all when the line is no key with a value."""
    if entry is None or not entry["value"]:
        return offset, offset + len(line)
    if is_plain_inside(entry["key"]):
        return offset, offset
    return offset + entry.start("value"), offset + len(line)
