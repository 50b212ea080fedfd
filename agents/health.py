"""Health trees as JSON values, which is how the API shows them. Pure.

A node: healthy, status, last_error, started_at and status_at (ISO 8601 or null), attributes, components by name.
"""

from datetime import datetime
from typing import Any

from agents.snapshot import ComponentHealth


def health_to_json(health: ComponentHealth) -> dict[str, Any]:
    """The tree as its root's node."""
    return {
        "healthy": health.healthy,
        "status": health.status,
        "last_error": health.last_error,
        "started_at": _text(health.started_at),
        "status_at": _text(health.status_at),
        "attributes": dict(health.attributes),
        "components": {name: health_to_json(child) for name, child in health.components.items()},
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
