"""PURE. A configuration's text as a tree that knows where everything stands. Nothing in it is expanded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

PATH: Final = "::"
"""What divides a key into a path: `a::b: 1` means `a: {b: 1}` (rule P04), but not inside of a list."""
_MERGE: Final = "<<"
_PLAIN_TAGS: Final = frozenset({"", "!", "tag:yaml.org,2002:null"})
_MERGE_TAGS: Final = frozenset({"", "!", "tag:yaml.org,2002:merge"})


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the text: offsets in characters (end excluded), lines and columns from 1 (end column excluded)."""

    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as it is written. `style` is "" (plain), ' or ", | or >; `tag` is an explicit one, else ""."""

    value: str
    style: str
    tag: str
    span: Span

    @property
    def is_null(self) -> bool:
        """Whether it is nothing: an empty plain value, ~ or null."""
        is_plain = not self.style and self.tag in _PLAIN_TAGS
        return is_plain and self.value in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value. `name` is the key's text."""

    name: str
    key: "Scalar | Alias"
    value: "Node"

    @property
    def is_merge(self) -> bool:
        """Whether it takes in another map: `<<` without quotes."""
        if self.name != _MERGE or not isinstance(self.key, Scalar):
            return False
        return not self.key.style and self.key.tag in _MERGE_TAGS


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the text."""

    entries: tuple[Entry, ...]
    span: Span

    def get(self, name: str) -> "Node | None":
        """The value under a key; None when there is none."""
        return next((entry.value for entry in self.entries if entry.name == name), None)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    span: Span

    def __iter__(self) -> Iterator["Node"]:
        """Its items."""
        return iter(self.items)


@dataclass(frozen=True, slots=True)
class Alias:
    """A reference to an anchored node, which it shares: `*name`."""

    name: str
    target: "Scalar | Mapping | Sequence"
    span: Span


Node = Scalar | Mapping | Sequence | Alias


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed configuration. `text` is what was parsed, without a byte order mark, with comments and all.

    rest: where a second document begins, which collectors do not read.
    """

    text: str
    root: Mapping
    rest: Span | None = None


def resolved(node: Node) -> Scalar | Mapping | Sequence:
    """The node itself, or what an alias refers to."""
    return node.target if isinstance(node, Alias) else node
