"""One row for a whole group, where the database would answer thousands."""

from typing import Any

from django.db.models import Aggregate, TextField


class Gathered(Aggregate):
    """Every value of a group, as the text of a JSON list."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        """As SQLite calls it."""
        return super().as_sql(compiler, connection, function="JSON_GROUP_ARRAY")

    def as_postgresql(
        self, compiler: Any, connection: Any, **_: Any
    ) -> tuple[str, tuple[Any, ...]]:
        """As PostgreSQL calls it."""
        return super().as_sql(compiler, connection, template="JSON_AGG(%(expressions)s)::text")
