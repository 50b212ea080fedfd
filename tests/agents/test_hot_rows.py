"""Heartbeats are most of what is written: they must not touch an index, or PostgreSQL writes all of them anew."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

TABLE = "agents_agentstatus"
BEFORE, AFTER = "0006_connection_settings", "0007_hot_status_rows"


def indexed() -> set[str]:
    """The columns of all indexes of status rows."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, TABLE)
    return {column for one in found.values() if one["index"] for column in one["columns"]}


@pytest.mark.django_db
def test_what_a_heartbeat_writes_is_in_no_index() -> None:
    assert indexed().isdisjoint({"last_seen_at", "sequence_num"})


@pytest.fixture
def migrated() -> Iterator[None]:
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def go_to(name: str) -> None:
    MigrationExecutor(connection).migrate([("agents", name)])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("migrated")
def test_the_index_goes_and_comes_back() -> None:
    go_to(BEFORE)
    assert "last_seen_at" in indexed()
    go_to(AFTER)
    assert "last_seen_at" not in indexed()
