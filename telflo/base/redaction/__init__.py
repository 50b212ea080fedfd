"""PURE. The one redactor (decision 23): masks what looks like a secret in YAML text, JSON values and log lines.

It errs on the side of masking. It keeps the layout (line count, indentation, quotes), keys, and references such as
`${env:TOKEN}`, since a reference says where a secret comes from and not what it is.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from telflo.base.redaction.by_indent import spans_by_indent
from telflo.base.redaction.by_key import spans_by_key
from telflo.base.redaction.by_look import spans_by_look
from telflo.base.redaction.masking import (
    MASK,
    Span,
    mask_line,
    mask_spans,
    masked_parts,
    merged,
)
from telflo.base.redaction.names import (
    is_header_map,
    is_plain_inside,
    is_secret_name,
    is_secret_scalar,
)

__all__ = ["MASK", "redact_json", "redact_line", "redact_mapping", "redact_text", "secrets_in"]


def redact_text(text: str) -> str:
    """Collector YAML (or any text) with its secrets masked; as many lines as before."""
    return mask_spans(text, _spans(text)) if text else text


def secrets_in(text: str) -> frozenset[str]:
    """What redact_text masks in the text, as it stands there and as YAML reads it: none of it may be said elsewhere."""
    pieces = [text[start:end] for start, end in merged(_spans(text))]
    read = (_unescaped(piece) for piece in pieces)
    return frozenset(part for piece in (*pieces, *read) for part in masked_parts(piece))


def _spans(text: str) -> list[Span]:
    by_key = spans_by_key(text)
    if by_key is None:
        by_key = spans_by_indent(text)
    return [*by_key, *spans_by_look(text)]


def _unescaped(piece: str) -> str:
    """A quoted value as it is read; "" for any other."""
    if piece[:1] not in {'"', "'"}:
        return ""
    try:
        return str(yaml.safe_load(piece))
    except yaml.YAMLError:
        return ""


def redact_line(text: str) -> str:
    """A log line or a short message with its secrets masked."""
    return mask_spans(text, list(spans_by_look(text)))


def redact_mapping(value: Mapping[str, Any], *, below: str = "") -> dict[str, Any]:
    """A JSON object with its secrets masked, by the same names and looks. below: the key that it stands under."""
    named = str(value.get("name", value.get("key", "")))
    return {
        str(key): _mask_all(item, in_headers=is_header_map(str(key)))
        if is_secret_name(str(key), below=below)
        or is_header_map(str(key))
        or (is_secret_scalar(str(key)) and isinstance(item, str))
        or (key == "value" and is_secret_name(named))
        else redact_json(item, below=str(key))
        for key, item in value.items()
    }


def redact_json(value: Any, *, below: str = "") -> Any:
    """Any JSON value with its secrets masked. below: the key that it stands under."""
    if isinstance(value, Mapping):
        return redact_mapping(value, below=below)
    if isinstance(value, list | tuple):
        return [redact_json(item) for item in value]
    if isinstance(value, str):
        return redact_text(value) if "\n" in value else redact_line(value)
    return value


def _mask_all(value: Any, *, in_headers: bool = False) -> Any:
    """Every value below a secret's name; in a list of headers only their values."""
    if isinstance(value, Mapping):
        return {
            key: redact_json(item) if is_plain_inside(str(key)) else _mask_all(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple) and in_headers:
        return [_mask_header(item) for item in value]
    if isinstance(value, list | tuple):
        return [_mask_all(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return mask_line(str(value))


def _mask_header(item: Any) -> Any:
    if isinstance(item, Mapping):
        return {
            key: _mask_all(part) if key in {"value", "default_value"} else redact_json(part)
            for key, part in item.items()
        }
    return mask_line(item) if isinstance(item, str) and (":" in item or "=" in item) else item
