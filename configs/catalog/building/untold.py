"""PURE. Settings that no schema tells, and collectors seldom print: they are asked about beside the others.

Source: upstream's config.go files of 0.149.0 and 0.158.0. What a collector refuses is taken out again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from configs.catalog.building.gotypes import TAKES
from configs.catalog.building.places import CONTRIB, Place
from configs.collector.catalog_types import Field, FieldType
from configs.collector.names import Kind

_TEXT, _TRUTH = Field(FieldType.TEXT), Field(FieldType.TRUTH)
_TEXTS: Final = Field(FieldType.LIST, items=_TEXT)


def _map(**fields: Field) -> Field:
    return Field(FieldType.MAP, fields=fields)


def _matching(name: str) -> Field:
    """A list of names or patterns, as `filterset.Config` has them."""
    cache = _map(cacheenabled=_TRUTH, cachemaxnumentries=Field(FieldType.INTEGER))
    return _map(match_type=_TEXT, regexp=cache, **{name: _TEXTS})


_SCRAPERS: Final[Mapping[str, Field]] = {
    **dict.fromkeys(("cpu", "memory", "nfs", "paging", "processes", "system"), _map()),
    "disk": _map(include=_matching("devices"), exclude=_matching("devices")),
    "filesystem": _map(
        include_virtual_filesystems=_TRUTH,
        **{
            f"{way}_{name}": _matching(name)
            for way in ("include", "exclude")
            for name in ("devices", "fs_types", "mount_points")
        },
    ),
    "load": _map(cpu_average=_TRUTH),
    "network": _map(include=_matching("interfaces"), exclude=_matching("interfaces")),
    "process": _map(
        include=_matching("names"),
        exclude=_matching("names"),
        scrape_process_delay=Field(FieldType.DURATION),
        **{
            f"mute_process_{name}_error{'s' if name == 'all' else ''}": _TRUTH
            for name in ("all", "name", "io", "cgroup", "exe", "user")
        },
    ),
}
_HOST_METRICS: Final = _map(scrapers=_map(**_SCRAPERS))
_HEALTH_CHECK: Final = _map(
    path=_TEXT,
    response_body=_map(healthy=_TEXT, unhealthy=_TEXT),
    check_collector_pipeline=_map(
        enabled=_TRUTH, interval=_TEXT, exporter_failure_threshold=Field(FieldType.INTEGER)
    ),
    use_v2=_TRUTH,
    **dict.fromkeys(("transport", "grpc", "http", "component_health"), Field()),
)
_ERROR_MODE: Final = TAKES[Place(f"{CONTRIB}/pkg/ottl", "error_mode")]
_IN_CONTEXT: Final = Field(
    FieldType.LIST,
    items=replace(_map(context=_TEXT, conditions=_TEXTS, error_mode=_ERROR_MODE), is_loose=True),
)
"""A text is enough, too."""
UNTOLD: Final[Mapping[tuple[Kind, str], Field]] = {
    (Kind.RECEIVER, "hostmetrics"): _HOST_METRICS,
    (Kind.RECEIVER, "host_metrics"): _HOST_METRICS,
    (Kind.EXTENSION, "health_check"): _HEALTH_CHECK,
    (Kind.PROCESSOR, "filter"): _map(
        **{f"{one}_conditions": _IN_CONTEXT for one in ("log", "metric", "trace", "profile")}
    ),
    (Kind.PROCESSOR, "transform"): _map(
        **{f"{one}_statements": _IN_CONTEXT for one in ("log", "metric", "trace", "profile")}
    ),
}
SERVING: Final = frozenset({(Kind.EXTENSION, "health_check")})
"""Those that take all of `confighttp.ServerConfig` beside."""
AS_SERVING: Final = (Kind.EXTENSION, "zpages")
"""A component that takes little more than that, and publishes it."""


def together(one: Field, other: Field) -> Field:
    """The keys of both, all the way down; of a key that both have the first says what it takes.

    What the other tells of a map, with what the first does, is taken to be all of it.
    """
    if one.type is FieldType.ANY:
        return other
    if one.type is FieldType.LIST and other.items is not None:
        return replace(one, items=together(one.items or Field(), other.items))
    if other.type is not FieldType.MAP:
        return one
    fields = {
        **one.fields,
        **{
            name: together(one.fields[name], field) if name in one.fields else field
            for name, field in other.fields.items()
        },
    }
    return replace(one, fields=fields, is_open=other.is_open)
