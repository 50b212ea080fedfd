"""PURE. From a YAML parser's events to a tree of nodes: nothing is expanded, everything is counted."""

from dataclasses import dataclass, field

import yaml

from configs.collector.errors import ParseError
from configs.collector.limits import Limits
from configs.collector.nodes import PATH, Alias, Entry, Mapping, Node, Scalar, Sequence, resolved
from configs.collector.places import Places


@dataclass(slots=True)
class _Open:
    """A collection whose end is still to come. In a mapping keys and values alternate."""

    event: yaml.CollectionStartEvent
    children: list[Node] = field(default_factory=list)
    keys: dict[str, Scalar | Alias] = field(default_factory=dict)
    weight: int = 1
    depth: int = 1
    """How many collections it stands in, itself counted; `a::b` in a key counts as one more."""
    height: int = 0
    """How deep its children go."""


class TreeBuilder:
    """Takes the events of one document and holds its root. Raises ParseError for what no configuration may hold."""

    def __init__(self, places: Places, limits: Limits) -> None:
        self.root: Node | None = None
        self._places = places
        self._limits = limits
        self._open: list[_Open] = []
        self._anchors: dict[str, Scalar | Mapping | Sequence] = {}
        self._weights: dict[str, int] = {}
        self._heights: dict[str, int] = {}
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
        height = self._heights.get(anchor, 0)
        self._refuse_depth(self._depth_here() + height, offset)
        self._grow(height)
        span = self._places.span(offset, end_of(event))
        self._add(Alias(anchor, target, span), self._weights[anchor])

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        depth = self._depth_here() + 1
        self._refuse_depth(depth, offset_of(event))
        self._open.append(_Open(event, depth=depth))

    def _depth_here(self) -> int:
        """How deep the next node stands."""
        if not self._open:
            return 0
        frame = self._open[-1]
        holds_value = len(frame.keys) > len(frame.children)
        return frame.depth + (next(reversed(frame.keys)).count(PATH) if holds_value else 0)

    def _refuse_depth(self, depth: int, offset: int) -> None:
        if depth > self._limits.depth:
            raise self.fault(f"nested deeper than {self._limits.depth} levels.", "too-deep", offset)

    def _grow(self, height: int) -> None:
        """Note the height of a child that is about to be added."""
        if self._open:
            frame = self._open[-1]
            frame.height = max(frame.height, height + self._depth_here() - frame.depth)

    def _end(self, event: yaml.CollectionEndEvent) -> None:
        frame = self._open.pop()
        end = self._extent(frame, event)
        span = self._places.span(offset_of(frame.event), end)
        node: Mapping | Sequence
        if isinstance(event, yaml.MappingEndEvent):
            values = frame.children
            entries = zip(frame.keys.items(), values, strict=True)
            node = Mapping(tuple(Entry(name, key, value) for (name, key), value in entries), span)
            self._check_merge(node)
        else:
            node = Sequence(tuple(frame.children), span)
        self._remember(frame.event.anchor, node, frame.weight, frame.height + 1)
        self._grow(frame.height + 1)
        self._add(node, frame.weight)

    def _check_merge(self, node: Mapping) -> None:
        merge = next((entry.value for entry in node.entries if entry.is_merge), None)
        if merge is None:
            return
        items = merge.items if isinstance(merge, Sequence) else (merge,)
        for one in items:
            if not isinstance(resolved(one), Mapping):
                raise self.fault(
                    "<< takes in a map, or a list of maps. Put << in quotes where it is a name.",
                    "bad-merge",
                    one.span.start,
                )

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
        self._refuse_depth(frame.depth + key.value.count(PATH), node.span.start)
        frame.keys[key.value] = node

    def _remember(
        self,
        anchor: str | None,
        node: Scalar | Mapping | Sequence,
        weight: int,
        height: int = 0,
    ) -> None:
        if anchor:
            self._anchors[anchor] = node
            self._weights[anchor] = weight
            self._heights[anchor] = height

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
