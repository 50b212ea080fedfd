"""Filters by many ids (`agent_id__in=uids`): on PostgreSQL one array instead of a parameter for each.

Five hundred parameters take Django, the driver and PostgreSQL's parser a millisecond each to go through, in every
statement about a batch of agents. Importing this module puts the array in their place.
"""

from typing import Any
from uuid import UUID

from django.db.models import UUIDField
from django.db.models.fields.related import ForeignObject
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import In


class _AsArray(In):
    """`in` as Django has it, unless it is given UUIDs."""

    _uids: list[UUID] | None = None

    def get_prep_lookup(self) -> Any:
        """UUIDs go as they are."""
        if self.rhs_is_direct_value():
            self.rhs = list(self.rhs)
            if self.rhs and all(type(value) is UUID for value in self.rhs):
                self._uids = self.rhs
                return self.rhs
        return super().get_prep_lookup()

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """= ANY of an array that is written as text; the driver would take several times as long for a list."""
        if self._uids is None:
            return self.as_sql(compiler, connection)
        column, params = self.process_lhs(compiler, connection)
        array = "{" + ",".join([uid.hex for uid in self._uids]) + "}"
        return f"{column} = ANY(%s::uuid[])", (*params, array)


@UUIDField.register_lookup
class UuidIn(_AsArray):
    """`in` of ids."""


@ForeignObject.register_lookup
class RelatedUuidIn(_AsArray, RelatedIn):
    """`in` of what rows refer to."""
