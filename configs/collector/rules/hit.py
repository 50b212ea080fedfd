"""PURE. A place where a rule is broken, and how messages name things."""

from dataclasses import dataclass
from typing import Final

from configs.collector.findings import Fix, Severity
from configs.collector.nodes import Span
from configs.collector.values import Path

_NAMED: Final = 40
"""How much of a key a message shows."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a rule is broken. message: what is wrong and what to do · path: where, from the root · severity: another
    than the rule's · span: the exact place in `file`, where a path says too little.
    """

    message: str
    path: Path = ()
    on_key: bool = False
    severity: Severity | None = None
    fix: Fix | None = None
    file: str = ""
    span: Span | None = None


def shown(key: str) -> str:
    """A key in a message, in quotes and not too long."""
    return f'"{key[:_NAMED]}…"' if len(key) > _NAMED else f'"{key}"'


def place(path: Path) -> str:
    """A path as collectors write it."""
    return "::".join(map(str, path))
