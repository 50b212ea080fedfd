"""Times as PostgreSQL writes them, read by Python's own parser: Django's loader takes ten times as long.

A batch of five hundred status rows holds some thousands. Importing this module puts the loader in Django's place.
"""

from datetime import UTC, datetime
from typing import Any, Final

from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from django.db.backends.signals import connection_created
from django.dispatch import receiver


class MomentLoader(BaseTzLoader):  # type: ignore[misc]  # it has no types
    """Reads a timestamptz of a session in UTC. What Python has no time for, as infinity, is left to Django."""

    timezone: Final = UTC

    def load(self, data: Any) -> datetime:
        """The time of the text that came."""
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            moment: datetime = super().load(data)
            return moment


@receiver(connection_created)
def _read_moments(connection: Any, **_: Any) -> None:
    """Django puts its own loader in place again where the time zone is another one."""
    if connection.vendor == "postgresql":
        connection.connection.adapters.register_loader("timestamptz", MomentLoader)
