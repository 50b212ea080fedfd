"""PURE. Expressions of log operators (expr-lang): what is certainly none of them, without their grammar."""

import re
from typing import Final

_PIECE: Final = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<open>[(\[{])|(?P<close>[)\]}])"""
    r"""|(?P<quote>["'`])|(?P<operator>==|!=|<=|>=|&&|\|\||\*\*|[-+*/%<>=,]|\b(?:and|or|not|in|matches|contains)\b)"""
    r"""|(?P<word>[\w.$?:#|!]+)|(?P<space>\s+)|(?P<other>.)""",
    re.DOTALL,
)
_CODES: Final = r"[0-3][0-7]{2}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]+\}|U[0-9a-fA-F]{8}"
_ESCAPES: Final = {
    quote: re.compile(rf"\\(?:[abfnrtv\\{quote}]|{_CODES})|\\(?P<bad>.)", re.DOTALL)
    for quote in "\"'"
}
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_LONGEST: Final = 5_000


def expression_fault(text: str) -> str:
    """What is wrong with it, as a part of a sentence; "" where nothing is certain."""
    if len(text) > _LONGEST:
        return ""
    opened: list[str] = []
    last = ""
    for piece in _PIECE.finditer(text):
        kind = piece.lastgroup or ""
        if kind == "quote":
            return "a quote is never closed"
        fault = _escape_fault(piece[0]) if kind == "text" else ""
        if fault:
            return fault
        if kind == "open":
            opened.append(piece[0])
        elif kind == "close" and (not opened or opened.pop() != _PAIRS[piece[0]]):
            return f"a {piece[0]} closes nothing"
        last = last if kind in ("space", "comment") else kind
    if opened:
        return f"a {opened[-1]} is never closed"
    return "it ends too early" if last == "operator" else ""


def _escape_fault(text: str) -> str:
    """Of a text in quotes; in backticks a backslash is itself."""
    escapes = _ESCAPES.get(text[0])
    found = (one["bad"] for one in escapes.finditer(text)) if escapes else ()
    bad = next((one for one in found if one), None)
    return (
        "" if bad is None else f"\\{bad} is no escape, write \\\\{bad} or put the text in backticks"
    )
