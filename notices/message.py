"""PURE. A notice as it is written to its receivers: the body of a webhook, a Slack text, an e-mail."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

_SUBJECT_LENGTH: Final = 150


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: title is a sentence, text says more (or nothing), url leads to the page ("": unknown)."""

    id: UUID
    kind: str
    at: datetime
    title: str
    text: str = ""
    url: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def standard_body(message: Message) -> bytes:
    """JSON as Standard Webhooks recommends it: type, timestamp, data."""
    said = {"title": message.title, "text": message.text, "url": message.url or None}
    body = {
        "type": message.kind,
        "timestamp": message.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {**said, **message.data},
    }
    return json.dumps(body, separators=(",", ":")).encode()


def slack_body(message: Message) -> bytes:
    """{"text": …}, which Slack and many others take. The three characters that Slack reads as marks are escaped."""
    lines = [f"*{_escaped(message.title)}*", _escaped(message.text), message.url]
    return json.dumps({"text": "\n".join(line for line in lines if line)}).encode()


def subject(message: Message) -> str:
    """One line for an e-mail's head."""
    line = " ".join(message.title.split())
    return line if len(line) <= _SUBJECT_LENGTH else f"{line[: _SUBJECT_LENGTH - 1]}…"


def mail_text(message: Message, *, why: str) -> str:
    """An e-mail's text. why: which subscription it comes from."""
    parts = [message.title, message.text, message.url, f"-- \n{why}"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
