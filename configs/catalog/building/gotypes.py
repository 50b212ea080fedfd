"""PURE. What schemas do not tell: types that read themselves from text, from several forms, or hold secrets."""

from collections.abc import Mapping
from typing import Final

from configs.catalog.building.places import CONTRIB, CORE, Place
from configs.collector.catalog_types import Field, FieldType

_SECRET: Final = Field(FieldType.TEXT, is_secret=True)
_SIZERS: Final = ("requests", "items", "bytes")

TAKES: Final[Mapping[Place, Field]] = {
    Place(f"{CORE}/config/configopaque", "string"): _SECRET,
    # A map, or a list of name and value.
    Place(f"{CORE}/config/configopaque", "map_list"): Field(
        FieldType.MAP, items=_SECRET, is_loose=True
    ),
    Place(f"{CORE}/config/configcompression", "type"): Field(
        FieldType.TEXT,
        enum=("gzip", "zlib", "deflate", "snappy", "x-snappy-framed", "zstd", "lz4", "none", ""),
    ),
    # Read without regard to case.
    Place(f"{CORE}/config/configtelemetry", "level"): Field(
        FieldType.TEXT, enum=("none", "basic", "normal", "detailed"), is_loose=True
    ),
    Place(f"{CORE}/exporter/exporterhelper/internal/request", "sizer_type"): Field(
        FieldType.TEXT, enum=_SIZERS
    ),
    Place(f"{CONTRIB}/pkg/ottl", "error_mode"): Field(
        FieldType.TEXT, enum=("ignore", "silent", "propagate"), is_loose=True
    ),
    # An int8 that reads itself from text, without regard to case.
    Place(f"{CONTRIB}/connector/spanmetricsconnector/internal/metrics", "unit"): Field(
        FieldType.TEXT, enum=("ms", "s"), is_loose=True
    ),
    # A number of bytes, or a text such as 16KiB.
    Place(f"{CONTRIB}/pkg/stanza/operator/helper", "byte_size"): Field(
        FieldType.INTEGER, is_loose=True
    ),
}
"""Definitions that are not what their schema says."""

MORE: Final = frozenset(
    {
        # Texts where the short form is enough.
        Place(f"{CONTRIB}/processor/transformprocessor/internal/common", "context_statements"),
        Place(f"{CONTRIB}/processor/filterprocessor/internal/condition", "context_conditions"),
    }
)
"""Definitions of maps that take something else too."""

CUSTOM: Final[Mapping[str, Field]] = {
    "any": Field(),
    "time.Duration": Field(FieldType.DURATION),
    f"{CORE}/component.ID": Field(FieldType.TEXT),
    f"{CORE}/exporter/exporterhelper/internal/request.SizerType": Field(
        FieldType.TEXT, enum=_SIZERS
    ),
    **dict.fromkeys(
        ("uint", "uint8", "uint16", "uint32", "uint64", "byte"), Field(FieldType.UNSIGNED)
    ),
    **dict.fromkeys(("int", "int8", "int16", "int32", "int64"), Field(FieldType.INTEGER)),
    **dict.fromkeys(("float32", "float64"), Field(FieldType.NUMBER)),
}
"""By `x-customType`, the Go type behind a field."""

WORDS: Final[Mapping[str, Field]] = {
    "string": Field(FieldType.TEXT),
    "boolean": Field(FieldType.TRUTH),
    "bool": Field(FieldType.TRUTH),
    "integer": Field(FieldType.INTEGER),
    "number": Field(FieldType.NUMBER),
    "duration": Field(FieldType.DURATION),
    "component_id": Field(FieldType.TEXT),
    "id": Field(FieldType.TEXT),
    "opaque_string": _SECRET,
    "array": Field(FieldType.LIST),
    "slice": Field(FieldType.LIST),
    "object": Field(FieldType.MAP),
    "map": Field(FieldType.MAP),
    **{name: field for name, field in CUSTOM.items() if "/" not in name and "." not in name},
}
"""By `type`: JSON Schema's words, and those of metadata.yaml, which are nearer to Go."""
