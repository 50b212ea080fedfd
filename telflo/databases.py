"""DATABASE_URL to Django's DATABASES: SQLite (WAL, immediate transactions) or PostgreSQL.

Connections are not persistent (CONN_MAX_AGE 0): under ASGI each request has a thread context of its own, so a kept
connection would never be used again and only be closed by the garbage collector.
"""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;"
)


def database_from_url(url: str, *, data: Path) -> dict[str, Any]:
    """One entry of DATABASES. "" means SQLite in the data folder. Raises ImproperlyConfigured for other schemes."""
    if not url:
        return _sqlite(data / "telflo.sqlite3")
    parts = urlsplit(url)
    _check_port(parts)
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path.removeprefix("/"))))
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    raise ImproperlyConfigured(
        f"DATABASE_URL: the scheme {parts.scheme!r} is not postgres or sqlite."
    )


def _check_port(parts: SplitResult) -> None:
    try:
        _ = parts.port
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL: the port is not a number up to 65535.") from None


def _sqlite(path: Path) -> dict[str, Any]:
    # Immediate transactions are the lock: select_for_update does nothing on SQLite.
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": _SQLITE_PRAGMAS,
        },
    }
