"""PURE. What OTTL's paths may lead to: contexts, their fields and words."""

from collections.abc import Mapping
from typing import Final

SIGNALS: Final[Mapping[str, tuple[str, ...]]] = {
    "trace": ("spanevent", "span", "scope", "resource"),
    "metric": ("exemplar", "datapoint", "metric", "scope", "resource"),
    "log": ("log", "scope", "resource"),
    "profile": ("profile", "scope", "resource"),
}
"""The contexts of a signal, the innermost first: it is taken when a statement names several."""
OUTER: Final[Mapping[str, tuple[str, ...]]] = {
    "resource": (),
    "scope": ("resource",),
    "log": ("scope", "resource"),
    "span": ("scope", "resource"),
    "spanevent": ("span", "scope", "resource"),
    "metric": ("scope", "resource"),
    "datapoint": ("metric", "scope", "resource"),
    "exemplar": ("datapoint", "metric", "scope", "resource"),
    "profile": ("scope", "resource"),
}
"""What may be named from within a context, besides itself."""
ALIASES: Final = {"instrumentation_scope": "scope"}
OPEN: Final = frozenset({"profile", "otelcol"})
"""Contexts that are new or for the collector itself: what they have is not looked at."""


def is_known(context: str) -> bool:
    """Whether paths and words of a context can be looked at."""
    return context in FIELDS


_TIMES: Final = ("time", "time_unix_nano")
FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "resource": frozenset({"attributes", "dropped_attributes_count", "schema_url"}),
    "scope": frozenset({"attributes", "dropped_attributes_count", "name", "schema_url", "version"}),
    "log": frozenset(
        {
            *_TIMES,
            *("observed_time", "observed_time_unix_nano", "severity_number", "severity_text"),
            *("body", "attributes", "dropped_attributes_count", "flags", "trace_id", "span_id"),
            "event_name",
        }
    ),
    "span": frozenset(
        {
            *("trace_id", "span_id", "trace_state", "parent_span_id", "name", "kind"),
            *("start_time", "start_time_unix_nano", "end_time", "end_time_unix_nano", "flags"),
            *("attributes", "dropped_attributes_count", "events", "dropped_events_count"),
            *("links", "dropped_links_count", "status"),
        }
    ),
    "spanevent": frozenset(
        {*_TIMES, "name", "attributes", "dropped_attributes_count", "event_index"}
    ),
    "metric": frozenset(
        {
            *("name", "description", "unit", "type", "aggregation_temporality", "is_monotonic"),
            *("data_points", "metadata"),
        }
    ),
    "datapoint": frozenset(
        {
            *_TIMES,
            *("attributes", "start_time", "start_time_unix_nano", "value_double", "value_int"),
            *("exemplars", "flags", "count", "sum", "bucket_counts", "explicit_bounds", "scale"),
            *("zero_count", "positive", "negative", "quantile_values"),
        }
    ),
    "exemplar": frozenset(
        {*_TIMES, "double_value", "int_value", "trace_id", "span_id", "filtered_attributes"}
    ),
}
BELOW: Final[Mapping[str, frozenset[str]]] = {
    "body": frozenset({"string"}),
    "trace_id": frozenset({"string"}),
    "span_id": frozenset({"string"}),
    "parent_span_id": frozenset({"string"}),
    "kind": frozenset({"string", "deprecated_string"}),
    "status": frozenset({"code", "message"}),
    "positive": frozenset({"offset", "bucket_counts"}),
    "negative": frozenset({"offset", "bucket_counts"}),
}
"""Fields with parts of their own. What stands below another one is not looked at by collectors."""
_SEVERITIES: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_OF_METRICS: Final = frozenset(
    {
        *(f"AGGREGATION_TEMPORALITY_{one}" for one in ("UNSPECIFIED", "DELTA", "CUMULATIVE")),
        *(f"METRIC_DATA_TYPE_{one}" for one in ("NONE", "GAUGE", "SUM", "HISTOGRAM", "SUMMARY")),
        "METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM",
    }
)
_OF_POINTS: Final = frozenset({"FLAG_NONE", "FLAG_NO_RECORDED_VALUE"})
_OF_SPANS: Final = frozenset(
    {
        *(f"SPAN_KIND_{one}" for one in ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT")),
        *("SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"),
        *(f"STATUS_CODE_{one}" for one in ("UNSET", "OK", "ERROR")),
    }
)
ENUMS: Final[Mapping[str, frozenset[str]]] = {
    "log": frozenset(
        {
            "SEVERITY_NUMBER_UNSPECIFIED",
            *(
                f"SEVERITY_NUMBER_{one}{number}"
                for one in _SEVERITIES
                for number in ("", 2, 3, 4)
            ),
        }
    ),
    "span": _OF_SPANS,
    "spanevent": _OF_SPANS,
    "metric": _OF_METRICS,
    "datapoint": _OF_METRICS | _OF_POINTS,
}  # fmt: skip
"""Words in capital letters, by context."""
