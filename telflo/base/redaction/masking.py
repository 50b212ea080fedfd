"""PURE. Replacing parts of a text by the mask, keeping lines, indentation, quotes and references."""

import re
from collections.abc import Iterator

MASK = "<redacted>"

Span = tuple[int, int]
"""Start and end offset in a text."""

_REFERENCE = re.compile(r"(\$\{(?:env:)?[A-Za-z_]\w*(?::-[^${}\n]*)?\}|\$\{file:[^${}\n]+\})")
_SCHEME = re.compile(r"(?i)^((?:bearer|basic|token|apikey|digest)\s+)(\S.*)$")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[^\n]*\n")
_KEPT = {"true", "false", "null", "~", MASK}


def mask_spans(text: str, spans: list[Span]) -> str:
    """The text with each span masked; spans may overlap."""
    if not spans:
        return text
    parts: list[str] = []
    position = 0
    for start, end in merged(spans):
        parts += [text[position:start], _mask(text[start:end])]
        position = end
    return "".join([*parts, text[position:]])


def mask_line(line: str) -> str:
    """One line of a secret: blanks around it, an authentication scheme before it, and references in it stay."""
    body = line.strip()
    if not body or body.lower() in _KEPT:
        return line
    at = line.index(body)
    return line[:at] + _mask_body(body) + line[at + len(body) :]


def masked_parts(piece: str) -> Iterator[str]:
    """What of a piece the mask takes the place of: line by line, without quotes, schemes and references."""
    header = _BLOCK_HEADER.match(piece)
    body = piece[header.end() :] if header else piece
    if len(body) >= 2 and body[0] == body[-1] and body[0] in "\"'":
        body = body[1:-1]
    for line in map(str.strip, body.split("\n")):
        if line and line.lower() not in _KEPT:
            yield from _literals(line)


def merged(spans: list[Span]) -> Iterator[Span]:
    """The spans in order, those that overlap as one."""
    current: Span | None = None
    for start, end in sorted(spans):
        if current is not None and start < current[1]:
            current = current[0], max(end, current[1])
            continue
        if current is not None:
            yield current
        current = start, end
    if current is not None:
        yield current


def _mask(piece: str) -> str:
    """A block scalar keeps its header, a quoted value its quotes, each line its indentation."""
    header = _BLOCK_HEADER.match(piece)
    if header:
        return header[0] + _mask_lines(piece[header.end() :])
    if len(piece) >= 2 and piece[0] == piece[-1] and piece[0] in "\"'":
        return piece[0] + _mask_lines(piece[1:-1]) + piece[-1]
    return _mask_lines(piece)


def _mask_lines(text: str) -> str:
    return "\n".join(mask_line(line) for line in text.split("\n"))


def _mask_body(body: str) -> str:
    scheme = _SCHEME.match(body)
    if scheme:
        return scheme[1] + _mask_body(scheme[2])
    # One group in the pattern: the odd parts are the references.
    parts = enumerate(_REFERENCE.split(body))
    return "".join(_mask_default(part) if at % 2 else _mask_literal(part) for at, part in parts)


def _literals(body: str) -> Iterator[str]:
    """The parts of one line that _mask_body masks."""
    scheme = _SCHEME.match(body)
    if scheme:
        yield from _literals(scheme[2])
        return
    for at, part in enumerate(_REFERENCE.split(body)):
        hidden = part.partition(":-")[2].strip("}") if at % 2 else part
        if hidden and (at % 2 or _mask_literal(part) == MASK):
            yield hidden


def _mask_default(reference: str) -> str:
    """`${env:TOKEN:-hunter2}` keeps the name and loses the default."""
    name, separator, default = reference.partition(":-")
    return f"{name}{separator}{MASK}}}" if default.strip("}") else reference


def _mask_literal(part: str) -> str:
    kept = not part.strip(" :@,;/&=\t\"'") or part.strip().lower() in {"bearer", "basic", "token"}
    return part if kept else MASK
