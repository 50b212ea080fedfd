"""PURE. What service::telemetry takes: the collector's own logs, metrics and traces, as 0.149 to 0.158 decode it."""

from typing import Final

from configs.collector.catalog_types import Component, Field, FieldType
from configs.collector.names import Kind

_TEXT: Final = Field(FieldType.TEXT)
_INT: Final = Field(FieldType.INTEGER)
_LEVEL: Final = Field(FieldType.TEXT, enum=("none", "basic", "normal", "detailed"), is_loose=True)
"""In any case, or as a number."""
_TRUTH: Final = Field(FieldType.TRUTH)
_TEXTS: Final = Field(FieldType.LIST, items=_TEXT)
_OPEN: Final = Field(FieldType.MAP, is_open=True)
_ANY: Final = Field()


def _map(**fields: Field) -> Field:
    return Field(FieldType.MAP, fields=fields)


def _open(**fields: Field) -> Field:
    """A map that takes others too."""
    return Field(FieldType.MAP, fields=fields, is_open=True)


def _list(**fields: Field) -> Field:
    return Field(FieldType.LIST, items=_map(**fields))


_PARTS: Final = _map(included=_TEXTS, excluded=_TEXTS)
_OTLP: Final = {
    **dict.fromkeys(
        ("certificate", "client_certificate", "client_key", "compression", "endpoint"), _TEXT
    ),
    **dict.fromkeys(("headers_list", "protocol"), _TEXT),
    # A list, or a map as it was before.
    "headers": Field(FieldType.MAP, items=_TEXT, is_loose=True),
    "insecure": _TRUTH,
    "timeout": _INT,
}
_OTLP_METRICS: Final = {
    **_OTLP,
    "default_histogram_aggregation": _TEXT,
    "temporality_preference": _TEXT,
}
_SENDER: Final = _open(
    otlp=_map(**_OTLP),
    console=_OPEN,
    zipkin=_map(endpoint=_TEXT, timeout=_INT),
)
_METRIC_SENDER: Final = _open(otlp=_map(**_OTLP_METRICS), console=_OPEN)
_PROCESSORS: Final = Field(
    FieldType.LIST,
    items=_map(
        batch=_map(
            exporter=_SENDER,
            export_timeout=_INT,
            max_export_batch_size=_INT,
            max_queue_size=_INT,
            schedule_delay=_INT,
        ),
        simple=_map(exporter=_SENDER),
    ),
)
_PULLED: Final = _open(
    prometheus=_map(
        host=_TEXT,
        port=_INT,
        with_resource_constant_labels=_PARTS,
        without_scope_info=_TRUTH,
        without_type_suffix=_TRUTH,
        without_units=_TRUTH,
        translation_strategy=_TEXT,
    ),
)
_READERS: Final = _list(
    pull=_map(exporter=_PULLED),
    periodic=_map(exporter=_METRIC_SENDER, interval=_INT, timeout=_INT),
    producers=_ANY,
)
_AGGREGATIONS: Final = (
    *("base2_exponential_bucket_histogram", "default", "drop", "explicit_bucket_histogram"),
    *("last_value", "sum"),
)
_VIEWS: Final = _list(
    selector=_map(
        **dict.fromkeys(
            ("instrument_name", "instrument_type", "meter_name", "meter_schema_url"), _TEXT
        ),
        **dict.fromkeys(("meter_version", "unit"), _TEXT),
    ),
    stream=_map(
        aggregation=_map(**dict.fromkeys(_AGGREGATIONS, _OPEN)),
        attribute_keys=_ANY,
        description=_TEXT,
        name=_TEXT,
    ),
)
_RESOURCE: Final = {
    **dict.fromkeys(("attributes", "detectors", "detection/development"), _ANY),
    **dict.fromkeys(("attributes_list", "schema_url"), _TEXT),
}
"""What is no attribute of the resource itself."""
TELEMETRY: Final = Component(
    Kind.EXTENSION,
    "telemetry",
    is_verified=True,
    config=_map(
        resource=Field(FieldType.MAP, fields=_RESOURCE, items=_TEXT),
        logs=_map(
            **dict.fromkeys(("level", "encoding"), _TEXT),
            **dict.fromkeys(
                ("development", "disable_caller", "disable_stacktrace", "disable_zap_resource"),
                _TRUTH,
            ),
            **dict.fromkeys(("output_paths", "error_output_paths"), _TEXTS),
            initial_fields=_OPEN,
            processors=_PROCESSORS,
            sampling=_map(
                enabled=_TRUTH, tick=Field(FieldType.DURATION), initial=_INT, thereafter=_INT
            ),
        ),
        # address went in 0.128: rule L12 knows of which versions.
        metrics=_map(level=_LEVEL, readers=_READERS, views=_VIEWS, address=_TEXT),
        traces=_map(
            level=_LEVEL, propagators=_TEXTS, processors=_PROCESSORS, sampler=_OPEN, limits=_OPEN
        ),
    ),
)
"""As a component's settings, so that they are looked at in the same way."""
