"""PURE. What nodes mean to a collector: YAML's values as Go's yaml v3 reads them, merge keys and `::` taken apart."""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeGuard

from configs.collector import nodes
from configs.collector.nodes import PATH, Node, resolved
from configs.collector.references import Reference, split_references, unescaped

_INTEGER: Final = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0|[1-9][0-9]*)")
_OCTAL: Final = re.compile(r"[-+]?0[0-7]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_WORDS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STARTS: Final = frozenset("+-.0123456789")
_LONGEST_NUMBER: Final = 64
_TYPE_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{one}" for one in ("int", "float", "bool", "null", "timestamp")
)
"""Tags that leave a value to be read by its look; any other makes a text of it."""
_CLOCK: Final = r"(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?"
_ZONE: Final = r"(?:Z|[-+](?:[01][0-9]|2[0-4]):(?:[0-5][0-9]|60))"
_TIME: Final = re.compile(
    rf"([0-9]{{4}})-(0?[1-9]|1[0-2])-([0-9]{{1,2}})(?:[Tt]{_CLOCK}{_ZONE}| +{_CLOCK})?"
)
"""The four layouts of Go's yaml, as its time package takes them: a `T` needs a zone, a blank allows none."""
_BIGGEST: Final = 2**64


@dataclass(frozen=True)
class Expansion:
    """A text with references in it. What it is once they are resolved is known on the host alone."""

    text: str

    @cached_property
    def parts(self) -> tuple[str | Reference, ...]:
        """Its literal parts and its references."""
        return tuple(split_references(self.text))

    def may_be(self, text: str) -> bool:
        """Whether it can turn out to be this text: what is literal at its start and end has to fit."""
        first, last = self.parts[0], self.parts[-1]
        start = unescaped(first) if isinstance(first, str) else ""
        end = unescaped(last) if isinstance(last, str) else ""
        fits = text.startswith(start) and text.endswith(end)
        return fits and len(text) >= len(start) + len(end)

    @property
    def is_whole(self) -> bool:
        """Whether it is one reference and nothing else: it may turn out to be of any type."""
        return len(self.parts) == 1

    def __str__(self) -> str:
        """As written."""
        return self.text


class Time(str):
    """A date, or a date with a time, without quotes: Go's yaml makes a time of it, which no text field takes."""

    __slots__ = ()


Scalar = None | bool | int | float | str | Expansion
Value = Scalar | tuple["Value", ...] | Mapping[str, "Value"]
Path = tuple[str | int, ...]
"""Where a value is: keys, and numbers of items, from the root."""


def key_of(path: Path) -> str:
    """The key that what is at this path stands under; in a list, the list's."""
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def plain(value: Value) -> Any:
    """The value of fresh lists and dicts, which may be changed and dumped; references as they are written."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, Time):
        return str(value)
    return value.text if isinstance(value, Expansion) else value


def value_of(node: Node) -> Value:
    """What a node means. Anchored nodes are shared, never copied."""
    return _Reader().read(node)


def is_map(value: Value) -> TypeGuard[Mapping[str, Value] | None]:
    """Whether it is a map, or nothing, which to a component means the same."""
    return value is None or isinstance(value, Mapping)


def entries_of(value: Value) -> Mapping[str, Value]:
    """The entries of a map; none of anything else."""
    return value if isinstance(value, Mapping) else {}


def scalars_in(value: Value) -> Iterator[Scalar]:
    """Every single value inside, keys left out."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from scalars_in(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from scalars_in(one)
    else:
        yield value


def merged(base: Value, over: Value) -> Value:
    """Maps merge deeply; of all else the later wins, whole lists too (M01)."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    return {
        **base,
        **{key: merged(base[key], one) if key in base else one for key, one in over.items()},
    }


class _Reader:
    def __init__(self) -> None:
        self._known: dict[tuple[int, bool], Value] = {}

    def read(self, node: Node, *, is_listed: bool = False) -> Value:
        """is_listed: it stands somewhere inside of a list, where keys are no paths."""
        target = resolved(node)
        if isinstance(target, nodes.Scalar):
            return scalar_value(target)
        known = (id(target), is_listed)
        if known not in self._known:
            self._known[known] = (
                self._map(target, is_listed=is_listed)
                if isinstance(target, nodes.Mapping)
                else tuple(self.read(item, is_listed=True) for item in target)
            )
        return self._known[known]

    def _map(self, node: nodes.Mapping, *, is_listed: bool) -> Mapping[str, Value]:
        found: dict[str, Value] = {}
        inherited: Node | None = None
        for entry in node.entries:
            if entry.is_merge:
                inherited = entry.value
                continue
            value = self.read(entry.value, is_listed=is_listed)
            if PATH in entry.name and not is_listed:
                _put(found, entry.name.split(PATH), value)
            else:
                known = found.get(entry.name)
                found[entry.name] = value if known is None else merged(known, value)
        if inherited is None:
            return found
        return {**self._inherited(inherited, is_listed=is_listed), **found}

    def _inherited(self, node: Node, *, is_listed: bool) -> Mapping[str, Value]:
        """What `<<` brings in: one map, or several of which the earlier wins. The map's own keys win over all."""
        target = resolved(node)
        several = reversed(target.items) if isinstance(target, nodes.Sequence) else (target,)
        found: dict[str, Value] = {}
        for one in several:
            found.update(entries_of(self.read(one, is_listed=is_listed)))
        return found


def _put(tree: dict[str, Value], path: list[str], value: Value) -> None:
    """Merge a value in below a path. Only maps on the way are made anew: a part may be shared by aliases."""
    *above, last = path
    for name in above:
        below = dict(entries_of(tree.get(name)))
        tree[name] = below
        tree = below
    tree[last] = merged(tree[last], value) if last in tree else value


def scalar_value(node: nodes.Scalar) -> Scalar:
    """A single value: null, a truth, a number or a text."""
    text = node.value
    if "${" in text and any(isinstance(part, Reference) for part in split_references(text)):
        return Expansion(text)
    is_untagged = node.tag in {"", "!"} and not node.style
    if not is_untagged and node.tag not in _TYPE_TAGS:
        return text
    if node.is_null:
        return None
    if text in _WORDS:
        return _WORDS[text]
    if text[:1] not in _STARTS:
        return text
    number = _number(text.replace("_", ""))
    if number is None:
        return Time(text) if _is_time(text) else text
    return number


def _is_time(text: str) -> bool:
    """Whether it is a date that there is, with or without a time of day."""
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    return 1 <= day <= monthrange(year, month)[1]


def _number(text: str) -> int | float | None:
    """The number that a plain text is; None when it is none (.nan, which equals nothing, stays a text)."""
    if len(text) > _LONGEST_NUMBER:
        return None
    if _OCTAL.fullmatch(text):
        return _integer(text, 8)
    if _INTEGER.fullmatch(text):
        return _integer(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _INFINITE.fullmatch(text) else None


def _integer(text: str, base: int) -> int | float:
    """What does not fit 64 bits becomes a float in Go."""
    number = int(text, base)
    return number if -_BIGGEST // 2 <= number < _BIGGEST else float(number)
