"""PURE. A statement's text in pieces, as OTTL's lexer cuts it."""

import re
from dataclasses import dataclass
from typing import Final

from configs.collector.ottl.fault import OttlError

_RULES: Final = (
    ("bytes", r"0x[a-fA-F0-9]+"),
    ("float", r"(?:\d+\.\d*|\d*\.\d+)(?:[eE][-+]?\d+)?"),
    ("int", r"\d+"),
    ("text", r'"(?:\\.|[^\\"])*"'),
    ("nil", r"\bnil\b"),
    ("not", r"\bnot\b"),
    ("or", r"\bor\b"),
    ("and", r"\band\b"),
    ("compare", r"==|!=|>=|<=|>|<"),
    ("arrow", r"=>"),
    ("add", r"[+-]"),
    ("multiply", r"[/*]"),
    ("bool", r"\b(?:true|false)\b"),
    ("equal", r"="),
    ("sign", r"[(){}:,.\[\]]"),
    ("upper", r"[A-Z][A-Z0-9_]*"),
    ("lower", r"[a-z][a-z0-9_]*"),
    ("space", r"\s+"),
    ("blank", r"\b_\b"),
)
"""In this order: the first that fits counts."""
_TOKEN: Final = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _RULES), re.ASCII)

_ESCAPED: Final = re.compile(
    r'"(?:[^\\]|\\(?:[abfnrtv\\"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))*"'
)
"""A text whose backslashes Go reads."""


@dataclass(frozen=True, slots=True)
class Token:
    """kind: as in the lexer's rules · at: its offset."""

    kind: str
    text: str
    at: int


def tokens_of(text: str) -> list[Token]:
    """The tokens without blanks. Raises OttlError where none begins."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise OttlError(_odd(text, at), at)
        if match.lastgroup == "text" and not _ESCAPED.fullmatch(match[0]):
            raise OttlError("a backslash is followed by something that is no escape", at)
        at = match.end()
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup or "", match[0], match.start()))
    return found


def _odd(text: str, at: int) -> str:
    if text[at] == '"':
        return "a quote is never closed"
    if text[at] == "'":
        return "texts stand in double quotes"
    return f'"{text[at]}" cannot stand here'
