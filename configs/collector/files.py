"""PURE. Several files as the one configuration that a collector makes of them, and where each part of it is written.

`otelcol --config a.yaml --config b.yaml`: maps merge deeply; of all else the later file wins, whole lists too (M01).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

from configs.collector import nodes
from configs.collector.nodes import PATH, Alias, Document, Entry, Node, Span, resolved
from configs.collector.values import Path, Value, entries_of, merged, value_of


@dataclass(frozen=True, slots=True)
class File:
    """A parsed file with the name that people know it by."""

    name: str
    document: Document


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a part is written. depth: how many steps of the path led here · key: None for an item and for the root ·
    is_shared: an alias or `<<` led here, so that other parts are written here too · is_listed: it stands in a list.
    """

    file: File
    node: Node
    depth: int
    key: nodes.Scalar | Alias | None = None
    is_shared: bool = False
    is_listed: bool = False

    @property
    def shown(self) -> Span:
        """What to underline: a single value, or the key of a map or a list."""
        target = self.node
        if self.key is not None and (target.span.start == target.span.end or _is_large(target)):
            return self.key.span
        while _is_large(target):
            first = _first_of(target)
            if first is None:
                break
            target = first
        return target.span


class Files:
    """The files in the order in which they are merged; at least one."""

    def __init__(self, files: Sequence[File]) -> None:
        self.files = tuple(files)
        values = (value_of(file.document.root) for file in self.files)
        self.root: Mapping[str, Value] = entries_of(reduce(merged, values))
        self._indexes: dict[tuple[int, bool], _Index] = {}

    def spot(self, path: Path) -> Spot:
        """Where a path is written, in the last file that says it; the nearest part above it where nothing does."""
        spots = (self._spot(file, path) for file in self.files)
        best = next(spots)
        for one in spots:
            best = one if one.depth >= best.depth and one.depth else best
        return best

    def spots(self, path: Path) -> Iterator[Spot]:
        """All places that say exactly this path, in the order of the files."""
        spots = (self._spot(file, path) for file in self.files)
        yield from (one for one in spots if one.depth == len(path))

    def leaves(self) -> Iterator[tuple[Path, Spot]]:
        """Every single value and every list, with the place that it comes from."""
        yield from ((path, self.spot(path)) for path in _leaves((), self.root))

    def _spot(self, file: File, path: Path) -> Spot:
        spot = Spot(file, file.document.root, 0)
        while spot.depth < len(path):
            below = self._below(spot, path)
            if below is None:
                break
            spot = below
        return spot

    def _below(self, spot: Spot, path: Path) -> Spot | None:
        target, step = resolved(spot.node), path[spot.depth]
        is_shared = spot.is_shared or target is not spot.node
        if isinstance(target, nodes.Sequence):
            if isinstance(step, int) and step < len(target.items):
                item = target.items[step]
                return Spot(spot.file, item, spot.depth + 1, None, is_shared, is_listed=True)
            return None
        if not isinstance(target, nodes.Mapping):
            return None
        index = self._index(target, is_listed=spot.is_listed)
        found = index.entry(path, spot.depth)
        if found is None:
            return None
        entry, steps = found
        is_shared = is_shared or id(entry) in index.foreign
        depth = spot.depth + steps
        return Spot(spot.file, entry.value, depth, entry.key, is_shared, spot.is_listed)

    def _index(self, node: nodes.Mapping, *, is_listed: bool) -> "_Index":
        known = (id(node), is_listed)
        index = self._indexes.get(known)
        if index is None:
            index = self._indexes[known] = _Index()
            for entry in node.entries:
                if not entry.is_merge:
                    index.add((entry.name,) if is_listed else tuple(entry.name.split(PATH)), entry)
            for one in _taken_in(node):
                index.take_in(self._index(one, is_listed=is_listed))
        return index


@dataclass(slots=True)
class _Index:
    """The entries of a map by their paths: `a::b` is two steps (one inside of a list), and so are the parts of it."""

    whole: dict[Path, Entry] = field(default_factory=dict)
    parts: dict[Path, Entry] = field(default_factory=dict)
    foreign: set[int] = field(default_factory=set)
    longest: int = 1

    def add(self, steps: Path, entry: Entry) -> None:
        """An entry of the map itself."""
        self.whole[steps] = entry
        self.longest = max(self.longest, len(steps))
        for end in range(1, len(steps)):
            self.parts.setdefault(steps[:end], entry)

    def take_in(self, other: "_Index") -> None:
        """The entries of a map that `<<` names; the map's own win, and those of maps named earlier."""
        self.foreign.update(map(id, (*other.whole.values(), *other.parts.values())))
        self.whole = {**other.whole, **self.whole}
        self.parts = {**other.parts, **self.parts}
        self.longest = max(self.longest, other.longest)

    def entry(self, path: Path, at: int) -> tuple[Entry, int] | None:
        """The entry that the path goes through from here, and how many steps it is."""
        for steps in range(min(self.longest, len(path) - at), 0, -1):
            found = self.whole.get(path[at : at + steps])
            if found is not None:
                return found, steps
        rest = path[at:]
        part = self.parts.get(rest) if len(rest) < self.longest else None
        return None if part is None else (part, len(rest))


_NOTHING: Final[tuple[Node, ...]] = ()


def _taken_in(node: nodes.Mapping) -> Iterator[nodes.Mapping]:
    """The maps that `<<` takes in, the one that wins first."""
    merge = next((entry.value for entry in node.entries if entry.is_merge), None)
    items = merge.items if isinstance(merge, nodes.Sequence) else _NOTHING
    for one in items or (() if merge is None else (merge,)):
        target = resolved(one)
        if isinstance(target, nodes.Mapping):
            yield target


def _is_large(node: Node) -> bool:
    return isinstance(node, nodes.Mapping | nodes.Sequence)


def _first_of(node: Node) -> Node | None:
    """Its first key or item."""
    if isinstance(node, nodes.Mapping) and node.entries:
        return node.entries[0].key
    return node.items[0] if isinstance(node, nodes.Sequence) and node.items else None


def _leaves(path: Path, value: Value) -> Iterator[Path]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _leaves((*path, key), one)
    elif path:
        yield path
