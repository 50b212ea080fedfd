"""PURE. How large a configuration may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep parsing short (about a second at worst) and small, whatever the text."""

    bytes: int = 2 * 1024 * 1024
    depth: int = 100
    nodes: int = 100_000
    aliases: int = 1_000
    expanded: int = 200_000
    """Nodes there would be if each alias stood for a copy; nothing is ever copied."""
