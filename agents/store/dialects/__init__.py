"""Writing many rows, each with values of its own, in one statement: one interface, one module per database.

Models and querysets cost more per row than the database does: here a row is a tuple.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Field, JSONField, Model

from agents.store.dialects import postgresql, sqlite

_UPDATES = {"postgresql": postgresql.update, "sqlite": sqlite.update}
_INSERTS = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_CURSORS = {"postgresql": postgresql.open_cursor, "sqlite": sqlite.open_cursor}
_PLAIN = frozenset({"CharField", "TextField", "BooleanField", "BigIntegerField"})
_NATIVE = _PLAIN | {"UUIDField", "DateTimeField"}

AnyField = Field[Any, Any]


def update_rows(
    model: type[Model],
    *,
    match: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    in_order: bool = False,
) -> int:
    """Set `columns` in the rows where all of `match` are equal; answers how many rows matched.

    Each of `rows` holds the values of `match`, then those of `columns` (attribute names of the model's fields).
    in_order: the rows are not locked yet; lock them in the order of the first of `match`, as all others do.
    """
    if not rows or not columns:
        return 0
    fields = _fields(model, (*match, *columns))
    values = _prepared(fields, rows)
    update = _UPDATES[connection.vendor]
    with _CURSORS[connection.vendor]() as cursor:
        return update(cursor, model._meta.db_table, fields, len(match), values, in_order=in_order)


def insert_rows(
    model: type[Model],
    *,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    others: Model | None = None,
    ignore_conflicts: bool = False,
) -> None:
    """Append rows; `columns` (attribute names) are all of the model's columns, each row's values in their order.

    others: an instance that has the same values for all rows in the columns that are not named.
    ignore_conflicts: leave out rows that are there already.
    """
    if not rows:
        return
    fields = _fields(model, columns)
    same = [field for field in model._meta.concrete_fields if field not in fields] if others else []
    row = [getattr(others, field.attname) for field in same]
    with _CURSORS[connection.vendor]() as cursor:
        _INSERTS[connection.vendor](
            cursor,
            model._meta.db_table,
            fields + same,
            _prepared(fields, rows),
            [value for (value,) in _prepared(same, [row])],
            ignore_conflicts=ignore_conflicts,
        )


def _fields(model: type[Model], names: Sequence[str]) -> list[AnyField]:
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    return [by_name[name] for name in names]


def _prepared(fields: Sequence[AnyField], rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """The values column by column, as the database takes them."""
    columns: list[Sequence[Any]] = []
    for field, column in zip(fields, zip(*rows, strict=True), strict=True):
        prepare = _preparing(field)
        columns.append(column if prepare is None else [prepare(value) for value in column])
    return columns


def _preparing(field: AnyField) -> Callable[[Any], Any] | None:
    """How a value of this field is made ready; None when it goes as it stands, which saves most of the cost."""
    kind = getattr(field, "target_field", field).get_internal_type()
    if isinstance(field, JSONField):
        return partial(_json_text, field.encoder)
    if kind == "BinaryField":
        return field.get_prep_value
    as_it_stands = _NATIVE if connection.features.has_native_uuid_field else _PLAIN
    return None if kind in as_it_stands else partial(field.get_db_prep_save, connection=connection)


def _json_text(encoder: Any, value: Any) -> str | None:
    return None if value is None else json.dumps(value, cls=encoder)
