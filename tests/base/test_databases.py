"""DATABASE_URL."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Final

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections
from django.db.utils import load_backend

from opamp.options import GatewayOptions
from telflo.base.silence import HeardConnection, patience
from telflo.databases import PAGES, close_connections, database_from_url, pool_of, use_pool

THREADS: Final = 12
TIMES: Final = {
    "connect_timeout": 5,
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


@pytest.mark.parametrize("url", ["", "sqlite:////data/x.sqlite3", "postgres://u:p@db:5432/telflo"])
def test_no_connection_outlives_its_request(url: str) -> None:
    # Under ASGI nobody would ever use it again.
    assert database_from_url(url, data=Path("/data")).get("CONN_MAX_AGE", 0) == 0


def test_an_escaped_password_is_read_as_it_was() -> None:
    found = database_from_url("postgres://u:p%40ss@db/telflo?sslmode=require", data=Path())
    assert (found["PASSWORD"], found["OPTIONS"]) == (
        "p@ss",
        {**TIMES, "options": "-c jit=off", "sslmode": "require"},
    )


def test_the_times_of_a_connection_may_be_set() -> None:
    url = "postgres://u:p@db/telflo?tcp_user_timeout=1000&keepalives_idle=60"
    options = database_from_url(url, data=Path())["OPTIONS"]
    assert {name: options[name] for name in TIMES} == {
        **TIMES,
        "tcp_user_timeout": "1000",
        "keepalives_idle": "60",
    }


@pytest.mark.parametrize("url", ["mysql://u@db/x", "postgres://u@db:notaport/x"])
def test_what_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        database_from_url(url, data=Path())


@pytest.fixture
def pooled() -> Iterator[None]:
    use_pool(THREADS)
    yield
    close_connections()
    settings = connections.settings["default"]
    settings["OPTIONS"].pop("pool", None)
    settings["CONN_HEALTH_CHECKS"] = False
    patience.seconds = math.inf


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
    assert 1 <= len(backends) <= 8


@pytest.mark.django_db(transaction=True)
def test_no_thread_of_a_server_waits_for_anothers_connection(pooled: None) -> None:
    """All have one at the same time, on PostgreSQL from the pool."""
    all_have_one = Barrier(THREADS)

    def hold(_: int) -> None:
        try:
            connection.ensure_connection()
            all_have_one.wait(5)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        assert len(list(threads.map(hold, range(THREADS)))) == THREADS


def test_a_server_has_a_connection_for_each_thread_and_some_for_pages() -> None:
    options = GatewayOptions()
    pool = pool_of(options.all_threads + PAGES)
    working = options.threads + options.request_threads + options.control_threads
    assert pool["max_size"] > working + PAGES


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kept", [True, False])
def test_every_connection_of_a_server_and_of_a_worker_gives_up_a_silent_database(
    kept: bool, request: pytest.FixtureRequest
) -> None:
    if kept:
        request.getfixturevalue("pooled")
    connection.close()
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        assert isinstance(connection.connection, HeardConnection)
    engine = database_from_url("postgres://u:p@db/x", data=Path())["ENGINE"]
    assert load_backend(engine).DatabaseWrapper.vendor == "postgresql"
