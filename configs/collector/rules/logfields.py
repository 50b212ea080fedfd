"""PURE. What the settings of operators on log lines take (rule C19).

Source: `pkg/stanza/operator` of upstream, the same in 0.149.0 and 0.158.0. Keys that are not here are taken too.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from configs.collector.catalog_types import Component, Field, FieldType
from configs.collector.names import Kind
from configs.collector.rules.hit import Hit
from configs.collector.rules.schema import SchemaWalk
from configs.collector.rules.subject import Subject
from configs.collector.values import Path, Value, entries_of

_Fields = Mapping[str, Field]


def _all(words: str, field: Field) -> _Fields:
    return dict.fromkeys(words.split(), field)


def _map(fields: _Fields) -> Field:
    return Field(FieldType.MAP, fields=fields, is_open=True)


_TEXT: Final = Field(FieldType.TEXT)
_TEXTS: Final = Field(FieldType.LIST, items=_TEXT)
_TRUTH, _WHOLE = Field(FieldType.TRUTH), Field(FieldType.INTEGER)
_PLACE: Final = _map({"parse_from": _TEXT})
_TIME: Final = _all("parse_from layout layout_type location", _TEXT)
_SEVERITY: Final = {
    **_all("parse_from preset", _TEXT),
    "mapping": Field(FieldType.MAP),
    "overwrite_text": _TRUTH,
}
_TRACE: Final = _all("trace_id span_id trace_flags", _PLACE)
_EVERY: Final = {**_all("id type on_error if", _TEXT), "output": _TEXTS}
_PARSING: Final = {
    **_all("parse_from parse_to body", _TEXT),
    "timestamp": _map(_TIME),
    "severity": _map(_SEVERITY),
    "trace": _map(_TRACE),
    "scope_name": _PLACE,
}
_FIELD: Final = {"field": _TEXT}
_FROM_TO: Final = _all("from to", _TEXT)
_ROUTE: Final = _map({"expr": _TEXT, "output": _TEXTS, "attributes": Field(FieldType.MAP)})
_OWN: Final[Mapping[str, _Fields]] = {
    "add": _FIELD,
    "assign_keys": {**_FIELD, "keys": _TEXTS},
    "container": {**_PARSING, "format": _TEXT, "add_metadata_from_filepath": _TRUTH},
    "copy": _FROM_TO,
    "csv_parser": {
        **_PARSING,
        **_all("header header_delimiter header_attribute delimiter", _TEXT),
        **_all("lazy_quotes ignore_quotes", _TRUTH),
    },
    "filter": {"expr": _TEXT, "drop_ratio": Field(FieldType.NUMBER)},
    "flatten": _FIELD,
    "json_array_parser": {**_PARSING, "header": _TEXT},
    "json_parser": {**_PARSING, "parse_ints": _TRUTH},
    "key_value_parser": {**_PARSING, **_all("delimiter pair_delimiter", _TEXT)},
    "move": _FROM_TO,
    "noop": {},
    "recombine": {
        **_all("is_first_entry is_last_entry combine_field combine_with", _TEXT),
        **_all("source_identifier overwrite_with", _TEXT),
        **_all("max_batch_size max_unmatched_batch_size max_sources", _WHOLE),
        "force_flush_period": Field(FieldType.DURATION),
    },
    "regex_parser": {
        **_PARSING,
        "regex": _TEXT,
        "cache": _map({"size": Field(FieldType.UNSIGNED)}),
    },
    "regex_replace": {**_FIELD, **_all("regex_name regex replace_with", _TEXT)},
    "remove": _FIELD,
    "retain": {"fields": Field(FieldType.LIST)},
    "router": {"routes": Field(FieldType.LIST, items=_ROUTE), "default": _TEXTS},
    "scope_name_parser": _all("parse_from", _TEXT),
    "severity_parser": _SEVERITY,
    "syslog_parser": {
        **_PARSING,
        **_all("protocol location non_transparent_framing_trailer", _TEXT),
        **_all("enable_octet_counting allow_skip_pri_header", _TRUTH),
        "max_octets": _WHOLE,
    },
    "time_parser": _TIME,
    "trace_parser": _TRACE,
    "unquote": _FIELD,
    "uri_parser": _PARSING,
}
_KNOWN: Final[Mapping[str, Component]] = {
    kind: Component(Kind.RECEIVER, kind, config=_map({**_EVERY, **own}), is_verified=True)
    for kind, own in _OWN.items()
}


_PLACES: Final = frozenset(
    ["parse_from", "parse_to", "body", "field", "from", "to", "combine_field", "source_identifier"]
)
"""Fields of an entry: a struct in Go, so that any map is taken, too."""


def wrong_types(subject: Subject, path: Path, operator: Value) -> Iterator[Hit]:
    """Values that the settings of an operator do not take."""
    known = _KNOWN.get(str(entries_of(operator).get("type")))
    if known is None:
        return
    for _, hit in SchemaWalk(known, subject.edits).faults(operator, path):
        is_map = isinstance(subject.at(*hit.path), Mapping)
        if not (is_map and hit.path[-1] in _PLACES):
            yield hit
