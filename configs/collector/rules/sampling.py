"""PURE. Sampling of traces and logs (rules C14 and C21)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isinf
from typing import Final

from configs.collector.findings import Severity
from configs.collector.names import Kind
from configs.collector.rules.demands import one_of
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import Rule, contrib, rule
from configs.collector.rules.settings import items
from configs.collector.rules.shared import number
from configs.collector.rules.subject import Subject
from configs.collector.values import Path, Value, entries_of

_POLICIES: Final = frozenset(
    {
        *(
            "always_sample",
            "latency",
            "numeric_attribute",
            "probabilistic",
            "status_code",
            "string_attribute",
        ),
        *(
            "rate_limiting",
            "bytes_limiting",
            "span_count",
            "boolean_attribute",
            "trace_state",
            "trace_flags",
        ),
        *("ottl_condition", "and", "not", "drop", "composite"),
    }
)
_POLICY: Final = _POLICIES | {"name", "type"}
_STATUS_CODES: Final = ("OK", "ERROR", "UNSET")
_INSIDE: Final = {
    "and": "and_sub_policy",
    "drop": "drop_sub_policy",
    "composite": "composite_sub_policy",
}
"""Policies that are made of policies."""
_STRATEGIES: Final = ("trace-complete", "span-ingest")
_MODES: Final = ("hash_seed", "proportional", "equalizing", "")
_SOURCES: Final = ("traceID", "record", "")
_LEAST_PERCENTAGE: Final = 100 / 2**56
_MOST_DIGITS: Final = 14


@rule(
    "C14", Severity.ERROR, "Policies of tail sampling", contrib("processor/tailsamplingprocessor")
)
def policies(subject: Subject) -> Iterator[Hit]:
    """Known types; names once."""
    for component in subject.of_type(Kind.PROCESSOR, "tail_sampling"):
        yield from one_of(component.path, component.settings, "sampling_strategy", _STRATEGIES)
        if component.settings.get("tail_storage") is not None:
            message = "tail_storage needs a feature gate that is off. Remove it."
            yield Hit(message, (*component.path, "tail_storage"), True)
        severity = None if subject.is_used(component) else Severity.WARNING
        names: set[str] = set()
        for path, policy in items(subject, (*component.path, "policies")):
            name = entries_of(policy).get("name")
            if isinstance(name, str) and name in names:
                message = f"Another policy is called {shown(name)} too. Rename one."
                yield Hit(message, (*path, "name"), severity=severity)
            names.add(str(name))
            for hit in _policies(path, entries_of(policy)):
                yield hit if hit.severity else replace(hit, severity=severity)


@rule(
    "C21", Severity.ERROR, "Sampling by chance", contrib("processor/probabilisticsamplerprocessor")
)
def chances(subject: Subject) -> Iterator[Hit]:
    """How much, and how exactly."""
    for component in subject.of_type(Kind.PROCESSOR, "probabilistic_sampler"):
        path, settings = component.path, component.settings
        share = number(settings.get("sampling_percentage"))
        if share is not None and (share < 0 or isinf(share) or 0 < share < _LEAST_PERCENTAGE):
            message = "sampling_percentage is 0, or a number that is not too small, such as 15.3."
            yield Hit(message, (*path, "sampling_percentage"))
        digits = number(settings.get("sampling_precision"))
        if digits is not None and not (digits < 0 or 1 <= digits <= _MOST_DIGITS):
            yield Hit(f"sampling_precision is 1 to {_MOST_DIGITS}.", (*path, "sampling_precision"))
        yield from one_of(path, settings, "mode", _MODES)
        yield from one_of(path, settings, "attribute_source", _SOURCES)


RULES: Final[tuple[Rule, ...]] = (policies, chances)


def _policies(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """A policy with those inside of it."""
    yield from _policy(path, settings)
    for holder, key in _INSIDE.items():
        below = entries_of(settings.get(holder)).get(key)
        for at, one in enumerate(below if isinstance(below, tuple) else ()):
            yield from _policies((*path, holder, key, at), entries_of(one))


def _policy(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    for key, value in settings.items():
        if key not in _POLICY and value is not None and not isinstance(value, Mapping):
            yield Hit(f"A policy knows no key {shown(key)}.", (*path, key), True, Severity.ERROR)
    kind = settings.get("type")
    if isinstance(kind, str) and kind not in _POLICIES:
        yield Hit(f"There is no policy type {shown(kind)}.", (*path, "type"))
    codes = entries_of(settings.get("status_code")).get("status_codes")
    for at, code in enumerate(codes if isinstance(codes, tuple) else ()):
        if isinstance(code, str) and code not in _STATUS_CODES:
            message = f"A status code is one of {', '.join(_STATUS_CODES)}."
            yield Hit(message, (*path, "status_code", "status_codes", at))
