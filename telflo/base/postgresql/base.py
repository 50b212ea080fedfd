"""Where Django looks for an engine."""

from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as Django

from telflo.base.silence import HeardConnection


class DatabaseWrapper(Django):
    """Django's. A pool makes its connections itself: of the class that its options name."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection from the pool, where there is one, or of its own."""
        if self.settings_dict["OPTIONS"].get("pool"):
            return super().get_new_connection(conn_params)
        return HeardConnection.connect(**conn_params)
