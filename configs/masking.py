"""Values of configurations as people and programs may see them."""

from collections.abc import Sequence
from typing import Any

from configs.collector.values import Value, plain
from telflo.base.redaction import redact_json


def masked_at(path: Sequence[str | int], value: Value) -> Any:
    """The plain value that stands at this path, its secrets masked: they are known by the keys on the way to them."""
    nested: Any = plain(value)
    for part in reversed(path):
        nested = {part: nested} if isinstance(part, str) else [nested]
    masked = redact_json(nested)
    for part in path:
        masked = masked[part if isinstance(part, str) else 0]
    return masked
