"""PURE. Settings that schemas tell one level too high: upstream's generator took a part with a name of its own for an
embedded one, up to 0.155. Source: upstream's config.go of these components, and the schemas of 0.158.0.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from configs.collector.catalog_types import Component, Field, FieldType
from configs.collector.names import Kind

_RETRY: Final = frozenset(
    {
        *("enabled", "initial_interval", "max_interval", "max_elapsed_time", "multiplier"),
        "randomization_factor",
    }
)
_PARTS: Final[Mapping[tuple[Kind, str], tuple[str, frozenset[str]]]] = {
    (Kind.RECEIVER, "jaeger"): (
        "protocols",
        frozenset({"grpc", "thrift_binary", "thrift_compact", "thrift_http"}),
    )
}
"""The part, and what stands in it."""
_OF_EXPORTERS: Final = ("retry_on_failure", _RETRY)


def regrouped(component: Component, settings: Field) -> Field:
    """The settings with what belongs into a part in it; as they are where the part is there, or not all of it."""
    usual = _OF_EXPORTERS if component.kind is Kind.EXPORTER else None
    found = _PARTS.get((component.kind, component.type), usual)
    if found is None:
        return settings
    part, names = found
    if part in settings.fields or not names <= settings.fields.keys():
        return settings
    inner = {name: field for name, field in settings.fields.items() if name in names}
    others = {name: field for name, field in settings.fields.items() if name not in names}
    fields = {**others, part: Field(FieldType.MAP, fields=inner)}
    return replace(settings, fields=dict(sorted(fields.items())))
