"""What a supervisor quotes of its collector's log, without the lines that say that all went well. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

QUOTED: Final = "Collector log tail:"
"""Stands before it (supervisor 0.158.0, collector_crash_log_snippet_kib)."""
_BAD: Final = frozenset({"error", "dpanic", "panic", "fatal"})
_IN_COLUMNS: Final = re.compile(r"\S+\t(\w+)\t.")
"""The other of zap's two encodings: time, level, caller, message, fields, with tabs between them."""


def gist_of(error: str) -> str:
    """The part of a failure that says why it failed; the same text where nothing stands out.

    Of the log that is quoted stays what the collector printed beside it (`Error: …` is its last word), and where there
    is none of that the errors in the log. The rest says how it started and stopped, with all attributes of the host.
    """
    head, mark, log = error.partition(QUOTED)
    entries = list(_entries(log))
    said = [line for line, level in entries if not level]
    said = said or [_words(line) for line, level in entries if level in _BAD]
    return "\n".join([f"{head}{mark}", *said]) if said else error


def own_words(error: str) -> str:
    """Of a failure with a quoted log what the collector itself said; else all of it. For where there is one line."""
    return gist_of(error).partition(QUOTED)[2].strip() or error


def _entries(log: str) -> Iterator[tuple[str, str]]:
    """Each line with its level, "" for what is no line of a log. The first may begin in the middle: it is left out."""
    lines = [line for line in log.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        columns = _IN_COLUMNS.match(line)
        level = columns[1] if columns else str(_read(line).get("level", ""))
        if level or number or not line.endswith("}"):
            yield line, level.lower()


def _read(line: str) -> dict[str, Any]:
    try:
        read = json.loads(line) if line.startswith("{") else None
    except ValueError:
        read = None
    return read if isinstance(read, dict) else {}


def _words(line: str) -> str:
    read = _read(line)
    return ": ".join(str(read[key]) for key in ("msg", "error") if read.get(key)) or line
