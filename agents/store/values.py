"""Between values of agents/snapshot.py and what the columns hold."""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from agents.snapshot import ComponentHealth, ConfigFile


def health_to_json(health: ComponentHealth) -> dict[str, Any]:
    """The tree as JSON: healthy, status, last_error, started_at, status_at, attributes, components."""
    return {
        "healthy": health.healthy,
        "status": health.status,
        "last_error": health.last_error,
        "started_at": health.started_at.isoformat() if health.started_at else None,
        "status_at": health.status_at.isoformat() if health.status_at else None,
        "attributes": dict(health.attributes),
        "components": {name: health_to_json(child) for name, child in health.components.items()},
    }


def health_from_json(tree: Mapping[str, Any]) -> ComponentHealth:
    """The inverse of health_to_json; of a root alone, without components."""
    return ComponentHealth(
        healthy=tree["healthy"],
        status=tree["status"],
        last_error=tree["last_error"],
        started_at=_time(tree["started_at"]),
        status_at=_time(tree["status_at"]),
        attributes=tree["attributes"],
        components={
            name: health_from_json(child) for name, child in tree.get("components", {}).items()
        },
    )


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


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
