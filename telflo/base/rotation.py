"""Encrypted texts and their keys: whether the keys open what is stored, and storing all again under the first one."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models.functions import Cast

from telflo.base.encryption import EncryptedTextField, decrypt, rotate

BATCH = 200


def encrypted_fields() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """Every encrypted column of every app."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field


def check_keys() -> None:
    """Open the newest text of each encrypted column, past the field.

    Raises ImproperlyConfigured when none of the keys opens it, DatabaseError when it cannot be read.
    """
    for model, field in encrypted_fields():
        for cipher in _newest(model, field):
            decrypt(cipher)


def _newest(model: type[models.Model], field: EncryptedTextField) -> list[bytes]:
    rows: models.QuerySet[Any] = models.QuerySet(model)
    stored = rows.filter(**{f"{field.name}__isnull": False}).order_by("-pk")
    raw = Cast(field.name, models.BinaryField[bytes, bytes]())
    return [bytes(cipher) for cipher in stored.annotate(raw=raw).values_list("raw", flat=True)[:1]]


def rotate_field(model: type[models.Model], field: EncryptedTextField) -> int:
    """Rotate one column in short transactions of BATCH rows; answers how many. Safe to run again."""
    last: Any = None
    count = 0
    while rows := _rotate_batch(model, field, last):
        last, count = rows[-1][0], count + len(rows)
    return count


@transaction.atomic
def _rotate_batch(
    model: type[models.Model], field: EncryptedTextField, after: Any
) -> list[tuple[Any, bytes]]:
    """Cipher texts are read and written past the field, so that no text is decoded or compressed again."""
    names = (model._meta.db_table, model._meta.pk.column, field.column)
    table, key, column = (connection.ops.quote_name(str(name)) for name in names)
    where = f"WHERE {key} > %s AND" if after is not None else "WHERE"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {column} FROM {table} {where} {column} IS NOT NULL"  # noqa: S608 - names of our models
            f" ORDER BY {key} LIMIT {BATCH}",
            [after] if after is not None else [],
        )
        rows = [(row[0], bytes(row[1])) for row in cursor.fetchall()]
        # The old cipher text in the condition: a row that changed meanwhile has the first key already.
        cursor.executemany(
            f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s",  # noqa: S608
            [(rotate(cipher), row_key, cipher) for row_key, cipher in rows],
        )
    return rows
