"""DATABASE_URL to Django's DATABASES: SQLite (WAL, immediate transactions) or PostgreSQL.

Connections are not persistent (CONN_MAX_AGE 0): under ASGI each request has a thread context of its own, so a kept
connection would never be used again and only be closed by the garbage collector. In a server process on PostgreSQL a
closed connection goes back to a small pool instead, and whoever works next has it.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from telflo.base.silence import HeardConnection, patience

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;"
)


# libpq's. The kernel finds a peer that acknowledges nothing: after 15 s of what was sent, and 25 s of silence.
# One that acknowledges everything and never answers is given up by telflo.base.silence.
_TIMES: Final = {
    "connect_timeout": 5,
    "tcp_user_timeout": 15_000,  # milliseconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_STOPPING_S: Final = 10.0
"""A process that stops waits no longer for an answer."""
# How long a start waits for a database that is started with it.
_TRIES = 15
_PAUSE_S = 1.0
# Compiling a statement takes longer than any of ours runs: 150 of 170 ms of what gateways compare.
_SESSION = "-c jit=off"
PAGES: Final = 6
"""So many pages and calls of the API of one process have a connection at once; more wait for their turn."""
# The reporter, and /readyz.
_BESIDE = 2
# timeout: how long one waits for a connection to come back.
# reconnect_timeout: then the pool gives up, and the next who asks tries anew; longer pauses would outlive an outage.
_POOL: Final = {
    "min_size": 2,
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


def expect_answers() -> None:
    """From now on a statement that is not answered for TELFLO_DATABASE_ANSWER_S fails, and its connection is closed.

    For processes that serve and work, and those that they fork. Commands wait as long as it takes.
    """
    patience.seconds = django_settings.DATABASE_ANSWER_S


def hurry() -> None:
    """This process stops: what is not answered soon is given up, what is waited for already too."""
    patience.seconds = min(patience.seconds, _STOPPING_S)


def pool_of(threads: int) -> dict[str, Any]:
    """How the pool of so many threads is set up."""
    return {**_POOL, "max_size": threads + _BESIDE, "connection_class": HeardConnection}


def use_pool(threads: int) -> None:
    """Keep PostgreSQL connections in a pool of this process. Call it in the process that serves, behind its fork.

    threads: so many may use the database at once; each has its connection, so none waits for another's.
    A prefork worker has none: Celery closes everything around each task, a pool too.
    """
    close_connections()
    expect_answers()
    settings = connections.settings["default"]
    if settings["ENGINE"].endswith("postgresql"):
        # A connection that died while it lay in the pool is noticed before it is used.
        settings["CONN_HEALTH_CHECKS"] = True
        settings["OPTIONS"]["pool"] = pool_of(threads)


class Connecting(Protocol):
    """The part of a database connection that is used for waiting."""

    def ensure_connection(self) -> None:
        """Connect, or raise a database error."""


def wait_for(database: Connecting, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """Wait a little for a database that is not up yet; yields a line when it has to wait.

    Raises ImproperlyConfigured for one that stays away.
    """
    for tried in range(_TRIES + 1):
        try:
            database.ensure_connection()
        except DatabaseError as error:
            words = why_unusable(error)
        else:
            return
        if tried == _TRIES:
            break
        if not tried:
            yield f"Waiting for the database. {words}"
        sleep(_PAUSE_S)
    raise ImproperlyConfigured(words)


def why_unusable(error: DatabaseError) -> str:
    """The error of a connection that cannot be had in one line. Drivers name host and user, never the password."""
    first, *_ = str(error).strip().splitlines() or [type(error).__name__]
    return f"DATABASE_URL: the database cannot be used: {first}"


def database_from_url(url: str, *, data: Path) -> dict[str, Any]:
    """One entry of DATABASES. "" means SQLite in the data folder. Raises ImproperlyConfigured for other schemes."""
    if not url:
        return _sqlite(data / "telflo.sqlite3")
    parts = _split(url)
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path.removeprefix("/"))))
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "telflo.base.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "OPTIONS": {
                **_TIMES,
                "options": _SESSION,
                **dict(parse_qsl(parts.query)),
            },
        }
    raise ImproperlyConfigured(
        f"DATABASE_URL: the scheme {parts.scheme!r} is not postgres or sqlite."
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL: this is not a URL.") from None
    try:
        _ = parts.port
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL: the port is not a number up to 65535.") from None
    return parts


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
