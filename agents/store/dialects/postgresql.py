"""PostgreSQL: UPDATE … FROM unnest of one array per column (11-15 ms per 1,000 status rows)."""

import re
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Field

Fields = Sequence["Field[Any, Any]"]


def run(cursor: Any, table: str, fields: Fields, matched: int, values: list[list[Any]]) -> int:
    """One statement. The first `matched` fields find the row, the others are set."""
    names = [connection.ops.quote_name(str(field.column)) for field in fields]
    arrays = ", ".join(f"%s::{_element_type(field)}[]" for field in fields)
    settings = ", ".join(f"{name} = v.{name}" for name in names[matched:])
    where = " AND ".join(f"t.{name} = v.{name}" for name in names[:matched])
    cursor.execute(
        f"UPDATE {connection.ops.quote_name(table)} AS t SET {settings}"  # noqa: S608 - names of our own models
        f" FROM unnest({arrays}) AS v({', '.join(names)}) WHERE {where}",
        [list(column) for column in zip(*values, strict=True)],
    )
    return int(cursor.rowcount)


def _element_type(field: "Field[Any, Any]") -> str:
    """The column's type without its length: a cast would cut a text that is too long without a word."""
    return re.sub(r"\(.*\)", "", field.db_type(connection) or "text")
