"""Custom messages as people see them: text with secrets masked, or hexadecimal."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from agents.models import AgentMessage
from telflo.base.redaction import redact_text

MOST_HEX_BYTES: Final = 512
_BLANKS: Final = "\n\r\t"


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """One message. note: what text leaves out; "" when it is whole."""

    id: UUID
    at: datetime
    capability: str
    type: str
    size: int
    text: str
    is_text: bool
    note: str


def shown_message(message: AgentMessage) -> ShownMessage:
    """A message for people."""
    data = base64.b64decode(message.body)
    text = _text_of(data)
    shown = len(data) if text is not None else min(len(data), MOST_HEX_BYTES)
    return ShownMessage(
        id=message.pk,
        at=message.at,
        capability=message.capability,
        type=message.type,
        size=message.size,
        text=_hexadecimal(data[:MOST_HEX_BYTES]) if text is None else redact_text(text),
        is_text=text is not None,
        note=f"the first {shown} of {message.size} bytes" if shown < message.size else "",
    )


def _hexadecimal(data: bytes) -> str:
    """Lines of 16 bytes."""
    return "\n".join(data[start : start + 16].hex(" ") for start in range(0, len(data), 16))


def _text_of(data: bytes) -> str | None:
    """The bytes as text; None when they are none. A character that was cut off at the end does not count."""
    for length in range(len(data), max(len(data) - 4, -1), -1):
        try:
            text = data[:length].decode()
        except UnicodeDecodeError:
            continue
        is_text = all(letter.isprintable() or letter in _BLANKS for letter in text)
        return text if is_text else None
    return None
