"""Between values of agents/snapshot.py and what the columns hold."""

import base64
import json
from collections.abc import Iterable

from agents.snapshot import ConfigFile


def files_to_text(files: Iterable[ConfigFile]) -> str:
    """Files as JSON text: name, content_type, and text, or base64 when the body is not UTF-8."""
    return json.dumps([_file(entry) for entry in files], ensure_ascii=False)


def files_from_text(text: str) -> tuple[ConfigFile, ...]:
    """The inverse of files_to_text."""
    return tuple(
        ConfigFile(
            name=entry["name"],
            body=entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"]),
            content_type=entry["content_type"],
        )
        for entry in json.loads(text)
    )


def _file(entry: ConfigFile) -> dict[str, str]:
    head = {"name": entry.name, "content_type": entry.content_type}
    try:
        return {**head, "text": entry.body.decode()}
    except UnicodeDecodeError:
        return {**head, "base64": base64.b64encode(entry.body).decode()}
