"""What agents and people say of agents, read in the database: one value of a JSON column, as text."""

import json
from typing import Any, Final

from django.db.models import TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

_BY_WEIGHT: Final = ("labels", "identifying", "non_identifying")


def said(key: str, place: str) -> Cast:
    """The value of a key in one of an agent's JSON columns; null without one."""
    return Cast(_Key(key, place), TextField())


def selected_value(key: str, agent: str = "") -> Coalesce:
    """What selectors look at: labels win, then identifying attributes (decision 18).

    agent: the way there from what is asked, such as `agent__`.
    """
    return Coalesce(*(said(key, f"{agent}{place}") for place in _BY_WEIGHT))


class _Key(KeyTextTransform):
    """A key and nothing else: Django takes "7" for a place in a list."""

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        """By a path; what has no text of its own is named, as Django does."""
        lhs, params, _keys = self.preprocess_lhs(compiler, connection)
        path = f"$.{json.dumps(self.key_name)}"
        words = ", ".join(map(repr, connection.ops.jsonfield_datatype_values))
        kind, value = f"JSON_TYPE({lhs}, %s)", f"JSON_EXTRACT({lhs}, %s)"
        sql = f"(CASE WHEN {kind} IN ({words}) THEN {kind} ELSE {value} END)"
        return sql, (*params, path) * 3

    def as_postgresql(
        self, compiler: Any, connection: Any, **_: Any
    ) -> tuple[str, tuple[Any, ...]]:
        """By a text, whatever it looks like."""
        lhs, params, _keys = self.preprocess_lhs(compiler, connection)
        return f"({lhs} ->> %s::text)", (*params, self.key_name)
