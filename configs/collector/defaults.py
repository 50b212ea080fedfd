"""PURE. What settings are where a configuration does not say them."""

from collections.abc import Mapping

from configs.collector.catalog_types import Catalog, Field
from configs.collector.equality import is_same_scalar
from configs.collector.names import Kind, type_of
from configs.collector.values import Path, Value, key_of

_ENABLED = "enabled"


def is_default(path: Path, value: Value, catalog: Catalog) -> bool:
    """Whether a setting at this path is certainly so where it is not written; False where the catalog is not certain.

    A section counts where it says `enabled:` itself: others can be turned on by being written at all.
    """
    field = _field_at(path, catalog)
    return field is not None and _is_default(value, field, key_of(path))


def _is_default(value: Value, field: Field, key: str) -> bool:
    if isinstance(value, Mapping) and value:
        inside = {name: (one, field.fields.get(name)) for name, one in value.items()}
        return _ENABLED in value and all(
            known is not None and _is_default(one, known, name)
            for name, (one, known) in inside.items()
        )
    if value is None or field.default is None or isinstance(value, Mapping | tuple):
        return False
    return is_same_scalar(value, field.default, key, is_certain=True)


def _field_at(path: Path, catalog: Catalog) -> Field | None:
    """The setting, of a component that was held against a collector of this version."""
    if len(path) < 3 or path[0] not in set(Kind):
        return None
    known = catalog.find(Kind(str(path[0])), type_of(str(path[1])))
    field = known.config if known and known.is_verified else None
    for step in path[2:]:
        if field is None:
            return None
        field = field.items if isinstance(step, int) else field.fields.get(step) or field.items
    return field
