"""The log of everything that the agents said: JSON lines, only added to, independent of what a server believes."""

import json
from pathlib import Path
from typing import TextIO

from opamp.simulator.report import Message


class Journal:
    """Writes one line per message that says something, and one per connection that begins or ends.

    Lines have t (Unix time), uid, kind, and what the message says. A line stands in the file when the message is
    handed to the socket: whether it arrived is for the reader to judge. "heard" is the first answer on a
    connection; the messages until `upto` waited for it.
    """

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)

    def said(self, message: Message, now: float) -> None:
        """A message; heartbeats say nothing and are left out."""
        if message.kind == "heartbeat":
            return
        line = {
            "t": round(now, 6),
            "uid": str(message.uid),
            "seq": message.number,
            "kind": message.kind,
        }
        if message.hash or message.status:
            line |= {"hash": message.hash, "status": message.status, "error": message.error}
        if message.healthy is not None:
            line |= {"healthy": message.healthy, "health": message.health}
            if message.health_error:
                line["health_error"] = message.health_error
        if message.settings:
            line["settings"] = message.settings
        self._write(line)

    def happened(self, kind: str, uid: object, now: float, **more: object) -> None:
        """Something that is no message: a connection, an offer that arrived."""
        self._write({"t": round(now, 6), "uid": str(uid), "kind": kind, **more})

    def close(self) -> None:
        """Write what is left."""
        self._file.close()

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
