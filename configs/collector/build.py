"""PURE. From a YAML parser's events to a tree of nodes: nothing is expanded, everything is counted."""

from dataclasses import dataclass, field

import yaml

from configs.collector.errors import ParseError
from configs.collector.limits import Limits
from configs.collector.nodes import Alias, Entry, Mapping, Node, Scalar, Sequence
from configs.collector.places import Places


@dataclass(slots=True)
class _Open:
    """A collection whose end is still to come. In a mapping keys and values alternate."""

    event: yaml.CollectionStartEvent
    children: list[Node] = field(default_factory=list)
    keys: dict[str, Scalar | Alias] = field(default_factory=dict)
    weight: int = 1


class TreeBuilder:
    """Takes the events of one document and holds its root. Raises ParseError for what no configuration may hold."""

    def __init__(self, places: Places, limits: Limits) -> None:
        self.root: Node | None = None
        self._places = places
        self._limits = limits
        self._open: list[_Open] = []
        self._anchors: dict[str, Scalar | Mapping | Sequence] = {}
        self._weights: dict[str, int] = {}
        self._nodes = self._aliases = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event of the document."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._count(event)
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end(event)

    def fault(self, message: str, code: str, offset: int) -> ParseError:
        """An error with the place of a character."""
        line, column = self._places.at(offset)
        return ParseError(message, code=code, line=line, column=column)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(event)
        span = self._places.span(offset_of(event), end_of(event))
        node = Scalar(event.value, event.style or "", event.tag or "", span)
        self._remember(event.anchor, node, 1)
        self._add(node, 1)

    def _alias(self, event: yaml.AliasEvent) -> None:
        self._count(event)
        self._aliases += 1
        offset, anchor = offset_of(event), str(event.anchor)
        if self._aliases > self._limits.aliases:
            raise self.fault(
                f"more than {self._limits.aliases:,} aliases.", "too-many-aliases", offset
            )
        if any(frame.event.anchor == anchor for frame in self._open):
            raise self.fault(f"*{anchor} stands inside what it refers to.", "alias-loop", offset)
        target = self._anchors.get(anchor)
        if target is None:
            raise self.fault(
                f"*{anchor} refers to nothing: there is no &{anchor} before it. "
                "Put text that begins with * in quotes.",
                "unknown-alias",
                offset,
            )
        span = self._places.span(offset, end_of(event))
        self._add(Alias(anchor, target, span), self._weights[anchor])

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) >= self._limits.depth:
            raise self.fault(
                f"nested deeper than {self._limits.depth} levels.", "too-deep", offset_of(event)
            )
        self._open.append(_Open(event))

    def _end(self, event: yaml.CollectionEndEvent) -> None:
        frame = self._open.pop()
        end = self._extent(frame, event)
        span = self._places.span(offset_of(frame.event), end)
        node: Mapping | Sequence
        if isinstance(event, yaml.MappingEndEvent):
            values = frame.children
            entries = zip(frame.keys.items(), values, strict=True)
            node = Mapping(tuple(Entry(name, key, value) for (name, key), value in entries), span)
        else:
            node = Sequence(tuple(frame.children), span)
        self._remember(frame.event.anchor, node, frame.weight)
        self._add(node, frame.weight)

    @staticmethod
    def _extent(frame: _Open, event: yaml.CollectionEndEvent) -> int:
        """A block ends with its last part: the parser's own mark lies behind the blank lines that follow."""
        if end_of(event) > offset_of(event) or not frame.children:
            return end_of(event)
        return frame.children[-1].span.end

    def _add(self, node: Node, weight: int) -> None:
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.weight += weight
        if frame.weight > self._limits.expanded:
            raise self.fault(
                f"aliases stand for more than {self._limits.expanded:,} values.",
                "too-many-aliases",
                node.span.start,
            )
        is_key = isinstance(frame.event, yaml.MappingStartEvent) and len(frame.keys) == len(
            frame.children
        )
        if is_key:
            self._add_key(frame, node)
        else:
            frame.children.append(node)

    def _add_key(self, frame: _Open, node: Node) -> None:
        key = node.target if isinstance(node, Alias) else node
        if not isinstance(key, Scalar):
            raise self.fault(
                "a map or a list stands where a key is expected. Put text with braces in quotes.",
                "bad-key",
                node.span.start,
            )
        if key.is_null:
            raise self.fault("a key is missing before the colon.", "bad-key", node.span.start)
        first = frame.keys.get(key.value)
        if first is not None:
            raise self.fault(
                f'the key "{key.value}" is set twice: it is on line {first.span.line}, '
                f"column {first.span.column} too. Keep one of them.",
                "duplicate-key",
                node.span.start,
            )
        assert isinstance(node, Scalar | Alias)
        frame.keys[key.value] = node

    def _remember(self, anchor: str | None, node: Scalar | Mapping | Sequence, weight: int) -> None:
        if anchor:
            self._anchors[anchor] = node
            self._weights[anchor] = weight

    def _count(self, event: yaml.Event) -> None:
        self._nodes += 1
        if self._nodes > self._limits.nodes:
            raise self.fault(
                f"more than {self._limits.nodes:,} values. Split the configuration.",
                "too-many-values",
                offset_of(event),
            )


def offset_of(event: yaml.Event) -> int:
    """The offset where the event's text begins."""
    return event.start_mark.index if event.start_mark else 0


def end_of(event: yaml.Event) -> int:
    """The offset behind the event's text."""
    return event.end_mark.index if event.end_mark else 0
