"""DATABASE_URL to Django's DATABASES: SQLite (WAL, immediate transactions) or PostgreSQL.

Connections are not persistent (CONN_MAX_AGE 0): under ASGI each request has a thread context of its own, so a kept
connection would never be used again and only be closed by the garbage collector. In a server process on PostgreSQL a
closed connection goes back to a small pool instead, and whoever works next has it.
"""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.db import connections

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;"
)


_CONNECT_S = 5
# Compiling a statement takes longer than any of ours runs: 150 of 170 ms of what gateways compare.
_SESSION = "-c jit=off"
# Seven threads of a gateway and some pages at once. timeout: how long one waits for a connection to come back.
# reconnect_timeout: then the pool gives up, and the next who asks tries anew; longer pauses would outlive an outage.
_POOL = {
    "min_size": 2,
    "max_size": 10,
    "timeout": 10.0,
    "max_idle": 120.0,
    "reconnect_timeout": 3.0,
}


def close_connections() -> None:
    """Close what this process has: before it forks, or its children would speak on the parent's connections."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if "pool" in connection.settings_dict["OPTIONS"]:
            connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's


def use_pool() -> None:
    """Keep PostgreSQL connections in a pool of this process. Call it in the process that serves, behind its fork.

    A prefork worker has none: Celery closes everything around each task, a pool too.
    """
    close_connections()
    settings = connections.settings["default"]
    if settings["ENGINE"].endswith("postgresql"):
        # A connection that died while it lay in the pool is noticed before it is used.
        settings["CONN_HEALTH_CHECKS"] = True
        settings["OPTIONS"]["pool"] = dict(_POOL)


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
            "OPTIONS": {
                "connect_timeout": _CONNECT_S,
                "options": _SESSION,
                **dict(parse_qsl(parts.query)),
            },
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
