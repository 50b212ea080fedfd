"""Indexes that are built while others write."""

import pytest
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader

from telflo.base.online import AddIndexOnline

NAME = "agent_by_host_name"


def is_there() -> bool:
    with connection.cursor() as cursor:
        return NAME in connection.introspection.get_constraints(cursor, "agents_agent")


@pytest.mark.django_db(transaction=True)
def test_a_build_that_was_interrupted_is_simply_done_again_and_can_be_undone() -> None:
    adding = AddIndexOnline("agent", models.Index(fields=["host_name"], name=NAME))
    before = MigrationLoader(connection).project_state()
    after = before.clone()
    adding.state_forwards("agents", after)
    with connection.schema_editor(atomic=False) as editor:
        for _ in range(2):
            adding.database_forwards("agents", editor, before, after)
            assert is_there()
        adding.database_backwards("agents", editor, after, before)
    assert not is_there()
