"""PURE. What is wrong with a collector configuration's text."""

from telflo.base.errors import DomainError, Finding


class ParseError(DomainError):
    """The text is no configuration. Line and column count from 1; 0 means that the whole text is at fault."""

    def __init__(self, message: str, *, code: str, line: int = 0, column: int = 0) -> None:
        place = f"Line {line}, column {column}: " if line else ""
        super().__init__(
            place + message,
            field="yaml",
            code=code,
            findings=[Finding(message, code, line, column)],
        )
        self.line = line
        self.column = column
