"""PURE. What nodes mean to a collector: YAML's values as Go's yaml v3 reads them, merge keys and `::` taken apart."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeGuard

from configs.collector import nodes
from configs.collector.nodes import Node, resolved
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
_TEXT_TAGS: Final = frozenset({"!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:binary"})
_PATH: Final = "::"
_MERGE: Final = "<<"


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


Scalar = None | bool | int | float | str | Expansion
Value = Scalar | tuple["Value", ...] | Mapping[str, "Value"]


def plain(value: Value) -> Any:
    """The value of fresh lists and dicts, which may be changed and dumped; references as they are written."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
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
        self._known: dict[int, Value] = {}

    def read(self, node: Node) -> Value:
        target = resolved(node)
        if isinstance(target, nodes.Scalar):
            return scalar_value(target)
        if id(target) not in self._known:
            self._known[id(target)] = (
                self._map(target)
                if isinstance(target, nodes.Mapping)
                else tuple(self.read(item) for item in target)
            )
        return self._known[id(target)]

    def _map(self, node: nodes.Mapping) -> Mapping[str, Value]:
        found: dict[str, Value] = {}
        for entry in node.entries:
            if entry.name == _MERGE:
                continue
            *above, last = entry.name.split(_PATH)
            value: Value = {last: self.read(entry.value)}
            for name in reversed(above):
                value = {name: value}
            found = dict(entries_of(merged(found, value)))
        inherited = node.get(_MERGE)
        return {**self._inherited(inherited), **found} if inherited is not None else found

    def _inherited(self, node: Node) -> Mapping[str, Value]:
        """What `<<` brings in: one map, or several of which the earlier wins. The map's own keys win over all."""
        target = resolved(node)
        several = reversed(target.items) if isinstance(target, nodes.Sequence) else (target,)
        found: dict[str, Value] = {}
        for one in several:
            found.update(entries_of(self.read(one)))
        return found


def scalar_value(node: nodes.Scalar) -> Scalar:
    """A single value: null, a truth, a number or a text."""
    text = node.value
    if any(isinstance(part, Reference) for part in split_references(text)):
        return Expansion(text)
    if node.style or node.tag in _TEXT_TAGS:
        return text
    if node.is_null:
        return None
    if text in _WORDS:
        return _WORDS[text]
    number = _number(text.replace("_", "")) if text[:1] in _STARTS else None
    return text if number is None else number


def _number(text: str) -> int | float | None:
    """The number that a plain text is; None when it is none (.nan, which equals nothing, stays a text)."""
    if len(text) > _LONGEST_NUMBER:
        return None
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    if _INTEGER.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _INFINITE.fullmatch(text) else None
