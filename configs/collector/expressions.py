"""PURE. Expressions of log operators (expr-lang): what is certainly none of them, without their grammar."""

import re
from typing import Final

_PIECE: Final = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<open>[(\[{])|(?P<close>[)\]}])"""
    r"""|(?P<quote>["'`])|(?P<operator>==|!=|<=|>=|&&|\|\||\*\*|[-+*/%<>=,]|\b(?:and|or|not|in|matches|contains)\b)"""
    r"""|(?P<word>[\w.$?:#|!]+)|(?P<space>\s+)|(?P<other>.)""",
    re.DOTALL,
)
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
        if kind == "open":
            opened.append(piece[0])
        elif kind == "close" and (not opened or opened.pop() != _PAIRS[piece[0]]):
            return f"a {piece[0]} closes nothing"
        last = last if kind == "space" else kind
    if opened:
        return f"a {opened[-1]} is never closed"
    return "it ends too early" if last == "operator" else ""
