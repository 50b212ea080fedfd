"""PURE. The functions of OTTL: what each takes, in which contexts there are more, and since when.

A line is a function and its parameters in order. `?` stands before those that may be left out, and behind a colon
stands what has to be written there: a path, a text (filled: one that is not empty), a number, true or false, a list,
texts (a list of them), a function's name, or one of some words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Parameter:
    """wants: what has to be written there; "" for any value."""

    name: str
    wants: str
    is_optional: bool


Signature = tuple[Parameter, ...]

_STANDARD: Final = """
All source predicate:lambda
Any source predicate:lambda
Base64Decode target
Base64Encode target ?variant
Bool target
Coalesce values:list
CommunityID source_ip source_port destination_ip destination_port ?protocol ?seed
Concat vals:list delimiter
ContainsValue target item
ConvertAttributesToElementsXML target ?x_path:text
ConvertCase target to_case:lower|upper|snake|camel
ConvertTextToElementsXML target ?x_path:text ?element_name:text
Day time
Decode target encoding
Double target
Duration duration
ExtractGrokPatterns target pattern ?named_captures_only:bool ?pattern_definitions:texts
ExtractPatterns target pattern
FNV target
Filter source predicate:lambda
Find source predicate:lambda ?mapper:lambda
Format format:text vals:list
FormatTime time format:filled
GetXML target x_path:text
HasPrefix target prefix
HasSuffix target suffix
Hex target
Hour time
Hours duration
Index target value
InsertXML target x_path:text sub_document
Int target
IsBool target
IsDouble target
IsEmpty target
IsInCIDR target networks:strings
IsInt target
IsList target
IsMap target
IsMatch target pattern
IsString target
IsValidLuhn target
Keys target
Len target
Log target
MD5 target
MapEach source mapper:lambda
MapKeys source key_mapper:lambda
Microseconds duration
Milliseconds duration
Minute time
Minutes duration
Month time
Murmur3Hash target
Murmur3Hash128 target
Nanosecond time
Nanoseconds duration
Now
ParseCSV target header ?delimiter:text ?header_delimiter:text ?mode:strict|lazyQuotes|ignoreQuotes
ParseInt target base
ParseJSON target
ParseKeyValue target ?delimiter:text ?pair_delimiter:text
ParseSeverity target mapping
ParseSimplifiedXML target
ParseXML target
ProfileID target
Reduce source seed accumulator:lambda
RemoveXML target x_path:text
SHA1 target
SHA256 target
SHA512 target
Second time
Seconds duration
SliceToMap target ?key_path:texts ?value_path:texts
Sort target ?order:asc|desc
SpanID target
Split target delimiter
String target
Substring target start length ?utf8_safe:bool
Time time format:filled ?location:text ?locale:text
ToCamelCase target
ToKeyValueString target ?delimiter:text ?pair_delimiter:text ?sort_output:bool
ToLowerCase target
ToSnakeCase target
ToUpperCase target
TraceID target
Trim target ?replacement:text
TrimPrefix target prefix
TrimSuffix target suffix
TruncateTime time duration
URL uri
UUID
UUIDv7
Unix seconds ?nanoseconds
UnixMicro time
UnixMilli time
UnixNano time
UnixSeconds time
UserAgent user_agent
Values target
Weekday time
When condition:lambda true_value false_value
XXH128 target
XXH3 target
Year time
append target:path ?value ?values:list
delete_index target:path start_index ?end_index
delete_key target:path key
delete_matching_keys target:path pattern
flatten target:path ?prefix:text ?depth:int ?resolve_conflicts:bool
keep_keys target:path keys:strings
keep_matching_keys target:path pattern
limit target:path limit:int priority_keys:texts
merge_maps target:path source strategy:insert|update|upsert
replace_all_matches target:path pattern replacement ?function:name ?replacement_format
replace_all_patterns target:path mode:key|value regex_pattern replacement ?function:name ?replacement_format
replace_match target:path pattern replacement ?function:name ?replacement_format
replace_pattern target:path regex_pattern replacement ?function:name ?replacement_format
set target:path value
stringify_all target:path
truncate_all target:path limit:int ?utf8_safe:bool ?truncation_marker:text
"""
"""Of transform; conditions have those with a capital letter."""
_MORE: Final = {
    "metric": """
extract_sum_metric monotonic:bool ?suffix:text
extract_count_metric monotonic:bool ?suffix:text
extract_percentile_metric percentile:float ?suffix:text
convert_gauge_to_sum string_agg_temp:delta|cumulative monotonic:bool
convert_sum_to_gauge
copy_metric ?name ?description ?unit
scale_metric multiplier:float ?unit
aggregate_on_attributes aggregation_function:sum|mean|min|max|median|count ?attributes:texts
convert_exponential_histogram_to_histogram distribution_fn:upper|midpoint|random|uniform explicit_bounds:floats
aggregate_on_attribute_value aggregation_function:sum|mean|min|max|median|count attribute:text \
    values:texts new_value:text
convert_summary_quantile_val_to_gauge ?attribute_key:text ?suffix:text
""",
    "datapoint": """
convert_summary_sum_val_to_sum string_agg_temp:delta|cumulative monotonic:bool ?suffix:text
convert_summary_count_val_to_sum string_agg_temp:delta|cumulative monotonic:bool ?suffix:text
merge_histogram_buckets target_value ?method:text
""",
    "span": """
IsRootSpan
set_semconv_span_name semconv_version:text ?original_span_name_attribute:text
""",
    "filter metric": """
HasAttrKeyOnDatapoint key:text
HasAttrOnDatapoint key:text expected_val:text
""",
    "log": """
ParseCEF target
ParseCLF target
ParseELF target
ParseLEEF target
""",
}
_SINCE: Final = {
    **dict.fromkeys(
        ("All", "Any", "Coalesce", "Filter", "Find", "IsEmpty", "MapEach", "MapKeys", "Reduce"),
        (0, 158),
    ),
    **dict.fromkeys(("When", "extract_percentile_metric", "stringify_all"), (0, 158)),
}
"""The first version that is known to have it; the others are in 0.149 already."""
UNSETTLED: Final = frozenset({"merge_histogram_buckets"})
"""Functions whose parameters differ between versions."""


def since(name: str) -> tuple[int, ...]:
    """The version from which on a function is certain to be there."""
    return _SINCE.get(name, ())


def functions_of(
    context: str, *, is_condition: bool = False, is_route: bool = False
) -> Mapping[str, Signature]:
    """The functions of a context of transform, or those of conditions in filters, or of routes.

    is_condition: a condition in filters, which have no functions that change something · is_route: of the routing
    connector (connector/routingconnector/functions.go).
    """
    if is_route:
        return {**_ROUTING, **(_OF_SPANS if context == "span" else {})}
    more = _CONDITIONS if is_condition else _CONTEXTS
    standard = _CONVERTERS if is_condition else _ALL
    return {**standard, **more.get(context, {})}


def _read(text: str) -> dict[str, Signature]:
    lines = (line.split() for line in text.strip().splitlines())
    return {name: tuple(map(_parameter, parameters)) for name, *parameters in lines}


def _parameter(text: str) -> Parameter:
    name, _, wants = text.removeprefix("?").partition(":")
    return Parameter(name, wants, text.startswith("?"))


_ALL: Final = _read(_STANDARD)
_CONVERTERS: Final = {name: one for name, one in _ALL.items() if name[0].isupper()} | {
    name: _ALL[name] for name in ("append", "delete_index")
}
_CONTEXTS: Final = {context: _read(text) for context, text in _MORE.items()}
_OF_SPANS: Final = {"IsRootSpan": _CONTEXTS["span"]["IsRootSpan"]}
_CONDITIONS: Final = {"metric": _CONTEXTS["filter metric"], "span": _OF_SPANS}
_ROUTING: Final = _CONVERTERS | {
    "route": (),
    **{name: _ALL[name] for name in ("delete_key", "delete_matching_keys")},
}
