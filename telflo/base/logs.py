"""Log lines: one JSON object each where asked for, and no bearer token in any."""

import json
import logging
from datetime import UTC, datetime

from telflo.base.redaction import redact_line

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class RedactingFilter(logging.Filter):
    """Masks credentials in the message before any handler formats it. Put it on handlers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with its text masked."""
        record.msg, record.args = redact_line(record.getMessage()), ()
        return True


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
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = redact_line(self.formatException(record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)
