"""Updating many rows, each with values of its own, in one statement: one interface, one module per database."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

from agents.store.dialects import postgresql, sqlite

_RUNNERS = {"postgresql": postgresql.run, "sqlite": sqlite.run}


def update_rows(
    model: type[Model],
    *,
    match: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> int:
    """Set `columns` in the rows where all of `match` are equal; answers how many rows matched.

    Each of `rows` holds the values of `match`, then those of `columns` (attribute names of the model's fields).
    """
    if not rows or not columns:
        return 0
    table = model._meta
    by_name = {field.attname: field for field in table.concrete_fields}
    fields = [by_name[name] for name in (*match, *columns)]
    values = [
        [
            field.get_db_prep_save(value, connection)
            for field, value in zip(fields, row, strict=True)
        ]
        for row in rows
    ]
    runner = _RUNNERS[connection.vendor]
    with connection.cursor() as cursor:
        return runner(cursor, table.db_table, fields, len(match), values)
