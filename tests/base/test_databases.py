"""DATABASE_URL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections

from telflo.databases import close_connections, database_from_url, use_pool


@pytest.mark.parametrize("url", ["", "sqlite:////data/x.sqlite3", "postgres://u:p@db:5432/telflo"])
def test_no_connection_outlives_its_request(url: str) -> None:
    # Under ASGI nobody would ever use it again.
    assert database_from_url(url, data=Path("/data")).get("CONN_MAX_AGE", 0) == 0


def test_an_escaped_password_is_read_as_it_was() -> None:
    found = database_from_url("postgres://u:p%40ss@db/telflo?sslmode=require", data=Path())
    assert (found["PASSWORD"], found["OPTIONS"]) == (
        "p@ss",
        {"connect_timeout": 5, "options": "-c jit=off", "sslmode": "require"},
    )


@pytest.mark.parametrize("url", ["mysql://u@db/x", "postgres://u@db:notaport/x"])
def test_what_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        database_from_url(url, data=Path())


@pytest.fixture
def pooled() -> Iterator[None]:
    use_pool()
    yield
    close_connections()
    settings = connections.settings["default"]
    settings["OPTIONS"].pop("pool", None)
    settings["CONN_HEALTH_CHECKS"] = False


@pytest.mark.django_db(transaction=True)
def test_threads_of_a_server_share_connections(pooled: None) -> None:
    """Each thread works, and on PostgreSQL they take turns with connections that stay open."""

    def work(_: int) -> object:
        with connection.cursor() as cursor:
            name = "pg_backend_pid()" if connection.vendor == "postgresql" else "1"
            cursor.execute(f"SELECT {name}")
            answer = cursor.fetchone()[0]
        connection.close()
        return answer

    with ThreadPoolExecutor(8) as threads:
        backends = set(threads.map(work, range(64)))
    assert 1 <= len(backends) <= 10
