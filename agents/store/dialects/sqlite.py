"""SQLite: one prepared statement, run for each row within the caller's transaction (3 ms per 1,000 rows)."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Field

Fields = Sequence["Field[Any, Any]"]
Columns = Sequence[Sequence[Any]]


def open_cursor() -> Any:
    """Django's."""
    return connection.cursor()


def update(
    cursor: Any, table: str, fields: Fields, matched: int, columns: Columns, *, in_order: bool
) -> int:
    """Set values column by column. The first `matched` fields find the row, the others are set.

    in_order does nothing: whoever writes has the whole database to itself.
    """
    names = _names(fields)
    settings = ", ".join(f"{name} = %s" for name in names[matched:])
    where = " AND ".join(f"{name} = %s" for name in names[:matched])
    cursor.executemany(
        f"UPDATE {connection.ops.quote_name(table)} SET {settings} WHERE {where}",  # noqa: S608 - names of our own models
        list(zip(*columns[matched:], *columns[:matched], strict=True)),
    )
    return int(cursor.rowcount)


def insert(
    cursor: Any,
    table: str,
    fields: Fields,
    columns: Columns,
    same: Sequence[Any],
    *,
    ignore_conflicts: bool,
) -> None:
    """Append rows, given column by column; the last fields have the same value in all of them."""
    conflicts = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    places = ", ".join(["%s"] * len(fields))
    cursor.executemany(
        f"INSERT INTO {connection.ops.quote_name(table)} ({', '.join(_names(fields))}) VALUES ({places}){conflicts}",  # noqa: S608 - names of our own models
        [(*row, *same) for row in zip(*columns, strict=True)],
    )


def _names(fields: Fields) -> list[str]:
    return [connection.ops.quote_name(str(field.column)) for field in fields]
