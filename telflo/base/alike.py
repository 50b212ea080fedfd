"""Rows that are alike, read as one: what they share, and all of their ids in one value.

A row for each of ten thousand agents takes the driver and Django a tenth of a second; one long value takes nothing.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, BinaryField


class JoinedIds(Aggregate):
    """The ids (UUIDs, not null) of a group, one after the other: for ids_in()."""

    function = "STRING_AGG"
    output_field = BinaryField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """16 bytes each."""
        template = "STRING_AGG(uuid_send(%(expressions)s), ''::bytea)"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """Django keeps UUIDs as 32 hex digits there."""
        template = "GROUP_CONCAT(%(expressions)s, '')"
        return self.as_sql(compiler, connection, template=template, **extra)


def ids_in(joined: bytes | str) -> Iterator[UUID]:
    """What JoinedIds joined."""
    packed = bytes.fromhex(joined) if isinstance(joined, str) else bytes(joined)
    return (UUID(bytes=packed[at : at + 16]) for at in range(0, len(packed), 16))
