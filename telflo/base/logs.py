"""Log lines: text for people or one JSON object each, where they come from, and no credential in any.

What a line is about (a request, a task) is kept in a context that threads of the same work inherit.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from telflo.base.ids import new_id
from telflo.base.redaction import redact_line, redact_mapping

REQUEST: Final = "request"
"""The field with the id of an HTTP request, which is also the reference that the page of a failure shows."""
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_ABOUT_AGENTS: Final = "opamp."
"""Loggers whose only UUIDs are those of collectors."""

_nothing: Final[Mapping[str, str]] = {}
_context: ContextVar[Mapping[str, str]] = ContextVar("log_context", default=_nothing)
_part: list[str] = []


def speak_as(part: str) -> None:
    """Say which part of an installation this process is, e.g. "web". Called once at its start."""
    _part[:] = [part]


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """Every line of the block carries these fields."""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def reference() -> str:
    """The id under which the present request's lines are found in the log; without a request one is made up."""
    known = _context.get().get(REQUEST)
    if known is None:
        known = new_request_id()
        _context.set({**_context.get(), REQUEST: known})
    return known


def new_request_id() -> str:
    """12 hex digits: short enough to be read out."""
    return new_id().hex[-12:]


class RefusedHandshakes(logging.Filter):
    """Drops uvicorn's error about a handshake that was refused with an HTTP answer: it is no error."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for that one message."""
        return "without completing handshake" not in record.getMessage()


class TextFormatter(logging.Formatter):
    """A record as text for people: what it is about in brackets, credentials masked in message and traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The first line."""
        context = " ".join(f"{name}={value}" for name, value in _context.get().items())
        return super().formatMessage(record) + (f" [{context}]" if context else "")

    def format(self, record: logging.LogRecord) -> str:
        """The text, without the end of the line."""
        return redact_line(super().format(record))


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: docs/interfaces.md lists the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact_line(record.getMessage()),
            "process": ":".join([*_part, str(record.process)]),
            **_agent_of(record),
            **redact_mapping({**_extra(record), **_context.get()}),
        }
        if record.exc_info:
            line["exception"] = redact_line(self.formatException(record.exc_info))
        return json.dumps(line, default=_masked, ensure_ascii=False)


def _agent_of(record: logging.LogRecord) -> dict[str, str]:
    arguments = record.args if isinstance(record.args, tuple) else ()
    if not record.name.startswith(_ABOUT_AGENTS):
        return {}
    return next(({"agent": str(value)} for value in arguments if isinstance(value, UUID)), {})


def _extra(record: logging.LogRecord) -> dict[str, object]:
    """What the caller added. Django adds its request object, of which the context has what matters."""
    extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    return {key: value for key, value in extra.items() if key != REQUEST or isinstance(value, str)}


def _masked(value: object) -> str:
    """A value that is no JSON, as text: its own words may hold an address with a code."""
    return redact_line(str(value))
