"""A catalog held against a collector of its version: defaults, keys that it refuses, what is certain."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from configs.catalog.building.defaults import with_defaults
from configs.catalog.building.trials import verified
from configs.catalog.building.untold import AS_SERVING, SERVING, UNTOLD, together
from configs.catalog.errors import CatalogError
from configs.catalog.sources.collector import Collector
from configs.collector.catalog_types import Catalog, Component, Field, FieldType
from configs.collector.names import Kind

_HOST_METRICS: Final = ((Kind.RECEIVER, "host_metrics"), (Kind.RECEIVER, "hostmetrics"))
_SCRAPERS: Final = UNTOLD[_HOST_METRICS[0]].fields["scrapers"].fields
_BASES: Final[Mapping[tuple[Kind, str], dict[str, Any]]] = {
    (Kind.RECEIVER, "otlp"): {"protocols": {"grpc": {"endpoint": "localhost:0"}}},
    (Kind.RECEIVER, "file_log"): {"include": ["telflo.log"]},
    **{one: {"scrapers": {name: {} for name in _SCRAPERS}} for one in _HOST_METRICS},
    (Kind.PROCESSOR, "memory_limiter"): {"check_interval": "1s", "limit_mib": 100},
    (Kind.PROCESSOR, "attributes"): {"actions": [{"key": "a", "action": "delete"}]},
    (Kind.PROCESSOR, "resource"): {"attributes": [{"key": "a", "action": "delete"}]},
    (Kind.EXPORTER, "otlp_grpc"): {"endpoint": "localhost:4317"},
    (Kind.EXPORTER, "otlp_http"): {"endpoint": "http://localhost:4318"},
    (Kind.EXPORTER, "file"): {"path": "telflo.json"},
    (Kind.EXTENSION, "opamp"): {"server": {"ws": {"endpoint": "ws://localhost:4320"}}},
}
"""What a component needs to be valid."""


def held_against(catalog: Catalog, collector: Collector, tell: Callable[[str], None]) -> Catalog:
    """The catalog with what the collector says of the components that it has.

    Raises CatalogError when it is of another version.
    """
    if collector.version != catalog.version:
        raise CatalogError(
            f"The collector is of version {collector.version}, the catalog of {catalog.version}."
        )
    held = {(one.kind, one.type): one for one in _held(catalog, collector, tell)}
    components = {
        kind: {name: held.get((kind, name), one) for name, one in members.items()}
        for kind, members in catalog.components.items()
    }
    told = f"a collector of {collector.version}: defaults, keys and types of {len(held)} components"
    by_hand = f"config.go of {len(held.keys() & UNTOLD.keys())} components, written down by hand"
    sources = dict.fromkeys((*catalog.sources, by_hand, told))
    return replace(catalog, components=components, sources=tuple(sources))


def _held(
    catalog: Catalog, collector: Collector, tell: Callable[[str], None]
) -> Iterator[Component]:
    for one in catalog.every():
        name = _name_of(one, collector)
        if name:
            tell(f"Asking the collector about {one.kind} {name}.")
            yield _asked(one, _told(one, catalog), name, collector)


def _name_of(one: Component, collector: Collector) -> str:
    """The name by which the collector knows it; "" when it does not."""
    listed = next(
        (name for name in (one.type, *one.aliases) if name in collector.types[one.kind]), ""
    )
    # Older ones do not list the types that have an alias.
    return listed or (one.type if one.aliases and collector.has(one.kind, one.type) else "")


def _asked(one: Component, told: Field, name: str, collector: Collector) -> Component:
    base = _BASES.get((one.kind, one.type), {})
    settings = _completed(told, partial(collector.printed, one.kind, name), base)
    found = verified(settings, partial(collector.answer, one.kind, name), base)
    return replace(one, config=found.settings, is_verified=found.is_certain, settings_from="")


def _told(one: Component, catalog: Catalog) -> Field:
    """What is known of its settings before it is asked about."""
    told, key = one.config or Field(FieldType.MAP), (one.kind, one.type)
    serving = catalog.find(*AS_SERVING)
    if key in SERVING and serving is not None and serving.config is not None:
        told = together(told, serving.config)
    return together(told, UNTOLD[key]) if key in UNTOLD else told


def _completed(settings: Field, printed: Callable[[Any], Any], base: Mapping[str, Any]) -> Field:
    """With what the collector prints: of the base, and of all maps where it takes them without more."""
    for given in (base, _everything(settings)):
        settings = with_defaults(settings, printed(given))
    return settings


def _everything(field: Field) -> Any:
    """Settings in which every map is there, so that all of it is printed."""
    if field.type is not FieldType.MAP:
        return None
    inner = {name: _everything(one) for name, one in field.fields.items()}
    return {name: one for name, one in inner.items() if one is not None}
