"""PURE. From offsets in a text to the lines and columns that editors show."""

import re
from bisect import bisect_right

from configs.collector.nodes import Span

_BREAK = re.compile(r"\r\n?|\n")


class Places:
    """Lines and columns of one text. Lines end with LF, CRLF or CR; columns count characters."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in _BREAK.finditer(text))]

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a place; the reverse of `at`."""
        return self._starts[line - 1] + column - 1

    def span(self, start: int, end: int) -> Span:
        """The place of text[start:end]."""
        return Span(start, end, *self.at(start), *self.at(end))
