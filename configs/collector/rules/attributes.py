"""PURE. Attributes that are changed, and what is chosen by attributes (rules C17 and C26)."""

from collections.abc import Iterator, Mapping
from typing import Final

from configs.collector.findings import Severity
from configs.collector.goregex import group_names, regex_fault
from configs.collector.names import Kind
from configs.collector.rules.demands import regexes, when_built
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import Rule, contrib, rule
from configs.collector.rules.subject import Component, Subject
from configs.collector.values import Expansion, Path, Time, Value, entries_of

_ACTIONS: Final = frozenset({"insert", "update", "upsert", "delete", "hash", "extract", "convert"})
_SETS: Final = frozenset({"insert", "update", "upsert"})
_SOURCES: Final = ("value", "from_attribute", "from_context")
_CONVERTED: Final = ("int", "double", "string")
_CHOICES: Final = ("include", "exclude")
_MATCH_TYPES: Final = ("strict", "regexp")
_LEVELS: Final = ("trace", "debug", "info", "warn", "error", "fatal")
_SEVERITIES: Final = frozenset(
    {
        "",
        *map(str, range(1, 25)),
        *(f"{one}{number}" for one in _LEVELS for number in ("", 2, 3, 4)),
    }
)
_KINDS: Final = tuple(
    f"SPAN_KIND_{one}" for one in ("CLIENT", "CONSUMER", "INTERNAL", "PRODUCER", "SERVER")
)
_OF_SPANS: Final = ("services", "span_names", "span_kinds", "attributes", "libraries", "resources")
_OF_LOGS: Final = (
    *("log_bodies", "log_severity_texts", "log_severity_number"),
    *("attributes", "libraries", "resources"),
)
_NAMES: Final = (
    *("metric_names", "bodies", "log_bodies", "severity_texts", "log_severity_texts"),
    *("services", "span_names", "span_kinds"),
)
_ATTRIBUTES: Final = ("attributes", "resources", "resource_attributes", "record_attributes")
_CONDITIONS: Final = {
    "traces": ("resource", "span", "spanevent"),
    "metrics": ("resource", "metric", "datapoint"),
    "logs": ("resource", "log_record"),
}


@rule("C17", Severity.ERROR, "Actions on attributes", contrib("processor/attributesprocessor"))
def actions(subject: Subject) -> Iterator[Hit]:
    """Known actions, each with what it needs and nothing else."""
    for component in subject.of_type(Kind.PROCESSOR, "attributes", "resource"):
        yield from when_built(subject, component, _of_component(subject, component))


@rule("C26", Severity.ERROR, "What is chosen", contrib("processor/filterprocessor"))
def choices(subject: Subject) -> Iterator[Hit]:
    """Include and exclude say how they compare, and name something."""
    for component in subject.of_type(Kind.PROCESSOR, "filter"):
        yield from _both_ways(component)
        yield from when_built(subject, component, _of_filter(component))
    for component in subject.of_type(Kind.PROCESSOR, "attributes"):
        if subject.is_used(component):
            yield from _of_attributes(subject, component)


RULES: Final[tuple[Rule, ...]] = (actions, choices)


def _of_component(subject: Subject, component: Component) -> Iterator[Hit]:
    key = "actions" if component.type == "attributes" else "attributes"
    path = (*component.path, key)
    found = component.settings.get(key)
    if not found and not isinstance(component.body, Expansion):
        yield Hit(f"The processor does nothing. Add {key}: with one action at least.", path, True)
    for at, one in enumerate(found if isinstance(found, tuple) else ()):
        if not isinstance(one, Expansion):
            yield from _action((*path, at), entries_of(one))


def _action(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    action = settings.get("action")
    if isinstance(action, Expansion):
        return
    name = str(action).lower()
    if name not in _ACTIONS:
        named = shown(str(action)) if action else "without a name"
        message = f"There is no action {named}. Known are {', '.join(sorted(_ACTIONS))}."
        yield Hit(message, (*path, "action"), not action)
        return
    has_pattern = bool(settings.get("pattern"))
    if not settings.get("key") and not (has_pattern and name in {"delete", "hash"}):
        yield Hit(f"The action {name} needs a key. Add it.", (*path, "key"), True)
    yield from _sources(path, settings, name)
    yield from _pattern(path, settings, name)
    yield from _conversion(path, settings, name)


def _sources(path: Path, settings: Mapping[str, Value], name: str) -> Iterator[Hit]:
    given = [key for key in _SOURCES if settings.get(key) not in (None, "")]
    if settings.get("value") == "":
        given.insert(0, "value")
    if name in _SETS and isinstance(settings.get("value"), Time):
        yield Hit(
            "Without quotes this is a date, which is no value. Put it in quotes.", (*path, "value")
        )
    if name in _SETS and not given and settings.get("default_value") is None:
        yield Hit(f"The action {name} needs value, from_attribute or from_context.", path, True)
    elif name in _SETS and len(given) > 1:
        yield Hit(
            f"{given[0]} and {given[1]} exclude each other. Keep one.", (*path, given[1]), True
        )
    elif (
        name not in _SETS
        and given
        and not (name in {"delete", "hash"} and given == ["from_context"])
    ):
        yield Hit(f"The action {name} takes no {given[0]}. Remove it.", (*path, given[0]), True)


def _pattern(path: Path, settings: Mapping[str, Value], name: str) -> Iterator[Hit]:
    pattern, here = settings.get("pattern"), (*path, "pattern")
    if not pattern:
        if name == "extract":
            yield Hit("The action extract needs a pattern. Add it.", here, True)
    elif name in _SETS or name == "convert":
        yield Hit(f"The action {name} takes no pattern. Remove it.", here, True)
    elif isinstance(pattern, str):
        fault, groups = regex_fault(pattern), group_names(pattern)
        if fault:
            yield Hit(f"The pattern is no regular expression: {fault}.", here)
        elif name == "extract" and (not groups or not all(groups)):
            yield Hit(
                "The pattern needs groups with names, such as (?P<user>.+), and no others.", here
            )


def _conversion(path: Path, settings: Mapping[str, Value], name: str) -> Iterator[Hit]:
    wanted, here = settings.get("converted_type"), (*path, "converted_type")
    if name == "convert":
        if isinstance(wanted, str | None) and wanted not in _CONVERTED:
            yield Hit(f"converted_type is one of {', '.join(_CONVERTED)}.", here, wanted is None)
    elif wanted:
        yield Hit(f"The action {name} takes no converted_type. Remove it.", here, True)


def _both_ways(component: Component) -> Iterator[Hit]:
    """Conditions and include or exclude in one section."""
    for signal, keys in _CONDITIONS.items():
        listed = entries_of(component.settings.get("spans" if signal == "traces" else signal))
        given = [
            key for key in keys if entries_of(component.settings.get(signal)).get(key) is not None
        ]
        chosen = [key for key in _CHOICES if listed.get(key) is not None]
        inferred = f"{signal.removesuffix('s')}_conditions"
        if given and chosen:
            message = f"Conditions of {signal} and {chosen[0]} exclude each other. Keep one."
            yield Hit(message, (*component.path, signal, given[0]), True)
        older = given or (chosen if signal != "traces" else [])
        if older and component.settings.get(inferred) is not None:
            message = f"{inferred} and {signal}::{older[0]} exclude each other. Keep one."
            yield Hit(message, (*component.path, inferred), True)


def _of_filter(component: Component) -> Iterator[Hit]:
    for signal in ("metrics", "logs", "spans"):
        for key in _CHOICES:
            path = (*component.path, signal, key)
            found = entries_of(component.settings.get(signal)).get(key)
            settings = entries_of(found)
            if not isinstance(found, Mapping) or not (settings or signal == "spans"):
                continue
            known = (*_MATCH_TYPES, "expr") if signal == "metrics" else _MATCH_TYPES
            yield from _match_type(path, settings, known)
            if signal == "spans":
                yield from _something(path, settings, _OF_SPANS, "spans")
    for key in _CHOICES:
        path = (*component.path, "logs", key, "severity_number")
        least = entries_of(_inside(component.settings, *path[2:])).get("min")
        if isinstance(least, str) and least.lower() not in _SEVERITIES:
            yield Hit(f"There is no severity {shown(least)}.", (*path, "min"))


def _of_attributes(subject: Subject, component: Component) -> Iterator[Hit]:
    signals = {
        pipeline.signal
        for pipeline in subject.pipelines
        for member in pipeline.members["processors"]
        if member.id == component.id
    }
    for key in _CHOICES:
        settings, path = entries_of(component.settings.get(key)), (*component.path, key)
        if not isinstance(component.settings.get(key), Mapping):
            continue
        yield from _match_type(path, settings, _MATCH_TYPES)
        if "logs" in signals:
            yield from _something(path, settings, _OF_LOGS, "logs")
        if "traces" in signals:
            yield from _something(path, settings, _OF_SPANS, "spans")


def _match_type(path: Path, settings: Mapping[str, Value], known: tuple[str, ...]) -> Iterator[Hit]:
    value = settings.get("match_type")
    if isinstance(value, Expansion):
        return
    if value not in known:
        message = f"match_type is one of {', '.join(known)}."
        yield Hit(message, (*path, "match_type"), value is None)
    if value == "expr" and settings.get("resource_attributes"):
        yield Hit("expr does not compare resource_attributes. Remove them.", (*path, "match_type"))
    yield from _pairs(path, settings)
    if value != "regexp":
        return
    for key in _NAMES:
        yield from regexes(path, settings, key)


def _pairs(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """Attributes that are compared: each has a key, and a text where patterns are compared."""
    for key in _ATTRIBUTES:
        listed = settings.get(key)
        for at, one in enumerate(listed if isinstance(listed, tuple) else ()):
            pair, here = entries_of(one), (*path, key, at)
            if not isinstance(one, Expansion) and pair.get("key") in (None, ""):
                yield Hit("An attribute needs a key. Add it.", (*here, "key"), True)
            value = pair.get("value")
            if settings.get("match_type") == "regexp" and isinstance(value, int | float):
                yield Hit("Patterns compare texts. Put the value in quotes.", (*here, "value"))


def _something(
    path: Path, settings: Mapping[str, Value], known: tuple[str, ...], what: str
) -> Iterator[Hit]:
    foreign = [
        key
        for key in (*_OF_SPANS, *_OF_LOGS, "metric_names")
        if key not in known and settings.get(key)
    ]
    if foreign:
        yield Hit(f"{foreign[0]} is not for {what}. Remove it.", (*path, foreign[0]), True)
    elif not any(settings.get(key) for key in known):
        yield Hit(f"This chooses nothing. Add one of {', '.join(known)}.", path, True)
    kinds = settings.get("span_kinds")
    if what == "spans" and settings.get("match_type") == "strict" and isinstance(kinds, tuple):
        for at, kind in enumerate(kinds):
            if not isinstance(kind, Expansion) and kind not in _KINDS:
                yield Hit(f"A span kind is one of {', '.join(_KINDS)}.", (*path, "span_kinds", at))


def _inside(settings: Mapping[str, Value], *steps: str | int) -> Value:
    value: Value = settings
    for step in steps:
        value = entries_of(value).get(str(step))
    return value
