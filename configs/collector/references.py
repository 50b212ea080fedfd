"""PURE. `${env:X:-default}`, `${file:…}` and what is nested in them, as they stand in a value (rules X01 to X06).

Nothing is resolved here: what a reference stands for is known on the host alone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

# The look-behind lets a match begin at the first dollar sign only, so that the search is linear.
_OPENING: Final = re.compile(r"(?<!\$)\$+\{")
_BRACE: Final = re.compile(r"\$\{|\}")
_SCHEME: Final = re.compile(r"(?P<scheme>[^:$]*):(?P<rest>.*)", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEEPEST: Final = 20
"""References that are nested deeper are text. Nobody writes them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${scheme:target}`. text: as written · default: what stands after `:-`, None when nothing does."""

    text: str
    scheme: str
    target: str
    default: str | None
    inner: tuple["Reference", ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a configuration uses; without a default its value must come from the host."""

    name: str
    has_default: bool = False


def split_references(text: str) -> list[str | Reference]:
    """Literal parts and references, in order. `$$` is still doubled in the literal parts (see `unescaped`)."""
    if "${" not in text:
        return [text]
    return list(_Text(text, _closings(text)).parts(0, len(text), 0))


def references_in(text: str) -> tuple[Reference, ...]:
    """The references of a value, the outermost ones."""
    return tuple(part for part in split_references(text) if isinstance(part, Reference))


def unescaped(literal: str) -> str:
    """A literal part as the collector reads it."""
    return literal.replace("$$", "$")


def escaped(text: str) -> str:
    """A text that the collector reads as it is."""
    return text.replace("$", "$$")


def variables_named_by(reference: Reference) -> Iterator[Variable]:
    """The variables that it names, itself or inside; references inside a name make one that nobody knows."""
    if reference.scheme == "env" and _NAME.fullmatch(reference.target):
        yield Variable(reference.target, reference.default is not None)
    for inner in reference.inner:
        yield from variables_named_by(inner)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text with its braces paired, once for all depths."""

    text: str
    closings: Mapping[int, int]
    """Where the reference ends whose inside starts here; one that is never closed is plain text."""

    def parts(self, begin: int, end: int, depth: int) -> Iterator[str | Reference]:
        """Literal parts and references between two places."""
        at = begin
        while found := _OPENING.search(self.text, at, end):
            start, at = found.end() - 2, found.end()
            closing = self.closings.get(at)
            # `$${X}` is the text ${X}: only an odd number of dollar signs opens a reference.
            if closing is None or closing >= end or len(found[0]) % 2 or depth >= _DEEPEST:
                continue
            if start > begin:
                yield self.text[begin:start]
            yield self._reference(start, closing, depth)
            begin = at = closing + 1
        if begin < end:
            yield self.text[begin:end]

    def _reference(self, start: int, closing: int, depth: int) -> Reference:
        body = self.text[start + 2 : closing]
        found = _SCHEME.fullmatch(body)
        # `${X}` is `${env:X}`, but `${X:-d}` looks for a source named X.
        scheme, rest = (found["scheme"], found["rest"]) if found else ("env", body)
        target, default = rest, None
        if scheme == "env":
            target, separator, after = rest.partition(":-")
            default = after if separator else None
        parts = self.parts(start + 2, closing, depth + 1)
        inner = tuple(part for part in parts if isinstance(part, Reference))
        return Reference(self.text[start : closing + 1], scheme, target, default, inner)


def _closings(text: str) -> Mapping[int, int]:
    found: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "${":
            opened.append(brace.end())
        elif opened:
            found[opened.pop()] = brace.start()
    return found
