"""PURE. `${env:X:-default}`, `${file:…}` and what is nested in them, as they stand in a value (rules X01 to X06).

Nothing is resolved here: what a reference stands for is known on the host alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_OPENING: Final = re.compile(r"\$+\{")
_SCHEME: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<rest>.*)", re.DOTALL)
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
    return list(_parts(text, 0)) if "${" in text else [text]


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


def _parts(text: str, depth: int) -> Iterator[str | Reference]:
    begin = at = 0
    while found := _OPENING.search(text, at):
        start, at = found.end() - 2, found.end()
        end = _closing(text, at)
        # `$${X}` is the text ${X}: only an odd number of dollar signs opens a reference.
        if end < 0 or len(found[0]) % 2 or depth >= _DEEPEST:
            continue
        if start > begin:
            yield text[begin:start]
        yield _reference(text[start : end + 1], depth)
        begin = at = end + 1
    if begin < len(text):
        yield text[begin:]


def _closing(text: str, start: int) -> int:
    """Where the reference ends whose inside starts here; -1 when it is never closed, and therefore plain text."""
    nested, at = 0, start
    while at < len(text):
        if text.startswith("${", at):
            nested, at = nested + 1, at + 2
            continue
        if text[at] == "}":
            if not nested:
                return at
            nested -= 1
        at += 1
    return -1


def _reference(text: str, depth: int) -> Reference:
    body = text[2:-1]
    found = _SCHEME.fullmatch(body)
    # ":-" after a name is its default, in `${X:-d}` as in `${env:X:-d}`.
    is_named = found is not None and not found["rest"].startswith("-")
    scheme, rest = (found["scheme"], found["rest"]) if found and is_named else ("env", body)
    target, default = rest, None
    if scheme == "env":
        target, separator, after = rest.partition(":-")
        default = after if separator else None
    inner = tuple(part for part in _parts(body, depth + 1) if isinstance(part, Reference))
    return Reference(text, scheme, target, default, inner)
