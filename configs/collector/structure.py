"""PURE. The outline that every collector demands: a map of known sections, and something in it.

Only what is certain in every collector version is refused here; rules about components come with the validator.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from configs.collector.errors import ParseError
from configs.collector.nodes import PATH, Entry, Mapping, Node, Scalar, resolved

SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions", "service")

_EMPTY: Final = "The configuration is empty. A collector needs receivers, exporters and a pipeline."


def checked_root(root: Node | None) -> Mapping:
    """The root as a map with entries. Raises ParseError: an empty configuration stops a supervisor's collector."""
    if root is None or (isinstance(root, Scalar) and root.is_null):
        raise ParseError(_EMPTY, code="empty")
    if not isinstance(root, Mapping):
        raise ParseError(
            "a configuration is a map with sections such as receivers: and service:.",
            code="not-a-map",
            line=root.span.line,
            column=root.span.column,
        )
    if not root.entries:
        raise ParseError(_EMPTY, code="empty")
    return root


def structure_faults(root: Mapping) -> Iterator[ParseError]:
    """The sections that no collector knows, and those that are no map."""
    for entry in root.entries:
        # "service::telemetry" is the path service, telemetry (confmap's key delimiter).
        section = entry.name.partition(PATH)[0]
        if not entry.is_merge and section not in SECTIONS:
            yield _unknown_section(entry)
        elif section == entry.name and not _is_map_or_nothing(entry.value):
            yield _fault(
                entry, f"the section {section} is a map, with one key for each part.", "bad-section"
            )


def _is_map_or_nothing(value: Node) -> bool:
    """A reference such as ${env:RECEIVERS} may turn out to be a map."""
    node = resolved(value)
    return isinstance(node, Mapping) or (
        isinstance(node, Scalar) and (node.is_null or "${" in node.value)
    )


def _unknown_section(entry: Entry) -> ParseError:
    close = get_close_matches(entry.name.lower(), SECTIONS, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(SECTIONS)}."
    return _fault(entry, f'collectors know no section "{entry.name}". {hint}', "unknown-section")


def _fault(entry: Entry, message: str, code: str) -> ParseError:
    return ParseError(message, code=code, line=entry.key.span.line, column=entry.key.span.column)
