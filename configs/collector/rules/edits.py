"""PURE. Quick fixes as the smallest edits of the text; None where an edit would not be certain."""

import re
from collections.abc import Sequence
from typing import Final

from configs.collector import nodes
from configs.collector.files import Files, Spot
from configs.collector.findings import Edit, Fix
from configs.collector.nodes import Node, Span, resolved
from configs.collector.values import Path

_PLAIN: Final = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./-]*(?::[0-9]+)?")
_NOT_TEXT: Final = frozenset({"true", "false", "null"})
_COMMA: Final = re.compile(r"\s*,[ \t]*")
_REST: Final = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")


class Edits:
    """Makes fixes for one configuration."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def replaced(self, title: str, path: Path, text: str, *, raw: bool = False) -> Fix | None:
        """A single value becomes this text; raw: as it stands, else quoted where that is needed."""
        edit = self._value_edit(path, text, raw=raw)
        return Fix(title, (edit,)) if edit else None

    def quoted(self, title: str, path: Path) -> Fix | None:
        """A plain value, as it is written, in quotes."""
        spot = self._exact(path)
        is_plain = spot is not None and isinstance(spot.node, nodes.Scalar) and not spot.node.style
        if spot is None or not is_plain:
            return None
        assert isinstance(spot.node, nodes.Scalar)
        return self.replaced(title, path, f'"{spot.node.value}"', raw=True)

    def renamed(self, title: str, path: Path, name: str, *others: Path) -> Fix | None:
        """A key becomes this one, and so do single values elsewhere (uses of an id): all of them, or no fix; nor is
        there one where that key stands beside it already.
        """
        spot = self._exact(path)
        if spot is None or not isinstance(spot.key, nodes.Scalar):
            return None
        if any(self._files.spots((*path[:-1], name))):
            return None
        edits = [
            _scalar_edit(spot, spot.key, name),
            *(self._value_edit(one, name) for one in others),
        ]
        made = tuple(edit for edit in edits if edit is not None)
        return Fix(title, made) if len(made) == len(edits) else None

    def part_replaced(
        self, title: str, path: Path, part: str, text: str, *, raw: bool = False
    ) -> Fix | None:
        """The one place in a value where `part` stands becomes `text`; raw: no quotes are needed for it."""
        spot = self._exact(path)
        if spot is None or not isinstance(spot.node, nodes.Scalar):
            return None
        body = _body(spot, spot.node)
        if body is None or spot.node.value.count(part) != 1:
            return None
        changed = spot.node.value.replace(part, text)
        if not raw and not spot.node.style and not _PLAIN.fullmatch(changed):
            return self.replaced(title, path, changed)
        start = body[0] + spot.node.value.index(part)
        return Fix(title, (Edit(spot.file.name, start, start + len(part), text),))

    def reordered(self, title: str, path: Path, order: Sequence[int]) -> Fix | None:
        """The items of a list in another order (old numbers in the new order); each is a single value."""
        spot = self._exact(path)
        items = spot.node.items if spot and isinstance(spot.node, nodes.Sequence) else ()
        if spot is None or any(not isinstance(one, nodes.Scalar) for one in items):
            return None
        text = spot.file.document.text
        spans = [one.span for one in items]
        written = [text[one.start : one.end] for one in spans]
        edits = [
            Edit(spot.file.name, span.start, span.end, written[old])
            for span, old, new in zip(spans, order, range(len(order)), strict=True)
            if old != new
        ]
        return Fix(title, tuple(edits)) if edits else None

    def item_removed(self, title: str, path: Path) -> Fix | None:
        """An item leaves its list; the list keeps another one."""
        spot, parent = self._exact(path), self._exact(path[:-1])
        if spot is None or parent is None or not isinstance(parent.node, nodes.Sequence):
            return None
        at, items = path[-1], parent.node.items
        if not isinstance(at, int) or len(items) < 2:
            return None
        text = spot.file.document.text
        is_flow = text[parent.node.span.start : parent.node.span.start + 1] == "["
        span = _flow_item(text, items, at) if is_flow else _block_item(text, items[at])
        return Fix(title, (Edit(spot.file.name, *span, ""),)) if span else None

    def _value_edit(self, path: Path, text: str, *, raw: bool = False) -> Edit | None:
        spot = self._exact(path)
        if spot is None or not isinstance(spot.node, nodes.Scalar):
            return None
        if raw:
            span = spot.node.span
            known = _body(spot, spot.node) is not None
            return Edit(spot.file.name, span.start, span.end, text) if known else None
        return _scalar_edit(spot, spot.node, text)

    def _exact(self, path: Path) -> Spot | None:
        """The place of the path, if one file alone says it, and nothing else is written there."""
        spots = list(self._files.spots(path))
        return spots[0] if len(spots) == 1 and not spots[0].is_shared else None


def _scalar_edit(spot: Spot, scalar: nodes.Scalar, text: str) -> Edit | None:
    """The inside of quotes, or a plain value, which gets quotes where the new one needs them."""
    body = _body(spot, scalar)
    if body is None or "\n" in text or '"' in text or "'" in text or "\\" in text:
        return None
    if not scalar.style and (not _PLAIN.fullmatch(text) or text in _NOT_TEXT):
        text = f'"{text}"'
    return Edit(spot.file.name, *body, text)


def _body(spot: Spot, scalar: nodes.Scalar) -> tuple[int, int] | None:
    """Where the value's characters are; None when they are not written as they are read."""
    start, end = scalar.span.start, scalar.span.end
    if scalar.style in {"'", '"'}:
        start, end = start + 1, end - 1
    is_same = spot.file.document.text[start:end] == scalar.value
    return (start, end) if is_same and start < end else None


def _flow_item(text: str, items: Sequence[Node], at: int) -> tuple[int, int] | None:
    """The item with a comma: the one after it, or the one before the last."""
    if at + 1 < len(items):
        comma = _COMMA.match(text, items[at].span.end)
        return (items[at].span.start, comma.end()) if comma else None
    previous = items[at - 1].span.end
    is_near = text[previous : items[at].span.start].strip() == ","
    return (previous, items[at].span.end) if is_near else None


def _block_item(text: str, item: Node) -> tuple[int, int] | None:
    """The whole line, if nothing but the dash and the item is in it."""
    span: Span = item.span
    line = text.rfind("\n", 0, span.start) + 1
    rest = _REST.match(text, span.end)
    is_alone = text[line : span.start].strip() == "-" and isinstance(resolved(item), nodes.Scalar)
    return (line, rest.end()) if is_alone and rest else None
