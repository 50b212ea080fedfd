"""Log lines: one JSON object each where asked for, and no bearer token in any."""

import json
import logging
from datetime import UTC, datetime

from telflo.base.redaction import redact_line, redact_mapping

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class RefusedHandshakes(logging.Filter):
    """Drops uvicorn's error about a handshake that was refused with an HTTP answer: it is no error."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for that one message."""
        return "without completing handshake" not in record.getMessage()


class TextFormatter(logging.Formatter):
    """A record as text for people, with credentials masked in message and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The text, without the end of the line."""
        return redact_line(super().format(record))


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time (RFC 3339, UTC), level, logger, message, `extra` fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact_line(record.getMessage()),
        }
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        line |= redact_mapping(extra)
        if record.exc_info:
            line["exception"] = redact_line(self.formatException(record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)
