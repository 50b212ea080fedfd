"""PostgreSQL: one statement over unnest of one array per column (11-15 ms per 1,000 status rows)."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import Field

Fields = Sequence["Field[Any, Any]"]
Columns = Sequence[Sequence[Any]]


def open_cursor() -> Any:
    """A cursor whose values travel beside the statement. Django's puts them into its text, megabytes that the driver
    has to quote and PostgreSQL to read once more.
    """
    connection.ensure_connection()
    cursor: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return wrap(cursor)


def update(
    cursor: Any, table: str, fields: Fields, matched: int, columns: Columns, *, in_order: bool
) -> int:
    """Set values column by column. The first `matched` fields find the row, the others are set."""
    names = _names(fields)
    values = f"unnest({_arrays(fields)}) AS v({', '.join(names)})"
    if in_order:
        # An UPDATE alone locks rows in whatever order it comes to them.
        values = (
            f"(SELECT v.* FROM {values} JOIN {connection.ops.quote_name(table)} AS held"  # noqa: S608 - the same
            f" ON held.{names[0]} = v.{names[0]} ORDER BY v.{names[0]} FOR NO KEY UPDATE OF held) AS v"
        )
    settings = ", ".join(f"{name} = v.{name}" for name in names[matched:])
    where = " AND ".join(f"t.{name} = v.{name}" for name in names[:matched])
    cursor.execute(
        f"UPDATE {connection.ops.quote_name(table)} AS t SET {settings}"  # noqa: S608 - names of our own models
        f" FROM {values} WHERE {where}",
        _arrays_of(fields, columns),
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
    each = fields[: len(columns)]
    values = [f"%s::{_element_type(field)}" for field in fields[len(columns) :]]
    cursor.execute(
        f"INSERT INTO {connection.ops.quote_name(table)} ({', '.join(_names(fields))})"  # noqa: S608 - names of our own models
        f" SELECT {', '.join(['v.*', *values])} FROM unnest({_arrays(each)}) AS v{conflicts}",
        [*same, *_arrays_of(each, columns)],
    )


def _names(fields: Fields) -> list[str]:
    return [connection.ops.quote_name(str(field.column)) for field in fields]


def _arrays(fields: Fields) -> str:
    return ", ".join(f"{_place(field)}::{_element_type(field)}[]" for field in fields)


def _place(field: "Field[Any, Any]") -> str:
    """Bytes go as they are: as text they would be twice as long."""
    return "%b" if _element_type(field) == "bytea" else "%s"


def _element_type(field: "Field[Any, Any]") -> str:
    """The column's type without its length: a cast would cut a text that is too long without a word."""
    return re.sub(r"\(.*\)", "", field.db_type(connection) or "text")


def _arrays_of(fields: Fields, columns: Columns) -> list[Any]:
    """The columns as what stands for _arrays."""
    return [
        list(column) if _place(field) == "%b" else _literal(column)
        for field, column in zip(fields, columns, strict=True)
    ]


def _literal(values: Sequence[Any]) -> str:
    """The values as the text of an array. The driver would take several times as long for a list of them."""
    return "{" + ",".join([_TEXTS.get(type(value), _quoted)(value) for value in values]) + "}"


def _quoted(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _plain(value: object) -> str:
    return str(value)


@lru_cache(maxsize=4096)
def _moment(value: datetime) -> str:
    """One message's moment stands in several columns and rows, and isoformat() takes long."""
    return f'"{value.isoformat()}"'


# A type that is not here goes as a quoted text, which every column type reads.
_TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    type(None): lambda _: "NULL",
    bool: lambda value: "t" if value else "f",
    int: _plain,
    UUID: attrgetter("hex"),
    datetime: _moment,
}
