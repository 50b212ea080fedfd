"""PURE. Statements and conditions in OTTL, wherever components take them (rule C25)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from configs.collector.findings import Severity
from configs.collector.names import Kind
from configs.collector.ottl.check import Place, faults
from configs.collector.ottl.contexts import OUTER, SIGNALS
from configs.collector.rules import routing
from configs.collector.rules.demands import when_built
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import Rule, contrib, rule
from configs.collector.rules.subject import Component, Subject
from configs.collector.values import Expansion, Path, Time, Value, entries_of

_ERROR_MODES: Final = ("ignore", "silent", "propagate")
_FILTERS: Final = {
    "traces": {"resource": "resource", "span": "span", "spanevent": "spanevent"},
    "metrics": {"resource": "resource", "metric": "metric", "datapoint": "datapoint"},
    "logs": {"resource": "resource", "log_record": "log"},
    "profiles": {"resource": "resource", "profile": "profile"},
}
"""What filter calls the contexts of its conditions."""
_COUNTED: Final = {
    "spans": "span",
    "spanevents": "spanevent",
    "metrics": "metric",
    "datapoints": "datapoint",
    "logs": "log",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Statements that belong together. path: of their list · conditions: what stands beside them in `conditions`."""

    path: Path
    texts: Value
    place: Place
    conditions: Value = None


@rule("C25", Severity.ERROR, "Statements and conditions", contrib("processor/transformprocessor"))
def statements(subject: Subject) -> Iterator[Hit]:
    """They can be read, and name functions, paths and words that there are."""
    yield from _error_modes(subject)
    for component in subject.of_type(Kind.PROCESSOR, "transform"):
        if component.settings.get("flatten_data") is True:
            message = "flatten_data needs a feature gate that is off. Remove it."
            yield Hit(message, (*component.path, "flatten_data"))
        yield from _of_transform(subject, component)
    for component in subject.of_type(Kind.PROCESSOR, "filter"):
        yield from _inferred(subject, component)
        for group in _of_filter(subject, component):
            yield from _hits(group, "condition")
    for component in subject.of_type(Kind.PROCESSOR, "tail_sampling"):
        for group in _of_sampling(subject, component):
            yield from when_built(subject, component, _hits(group, "condition"))
    for component in subject.of_type(Kind.CONNECTOR, "count"):
        for group in _of_counting(subject, component):
            yield from _hits(group, "condition")
    for component in subject.of_type(Kind.CONNECTOR, "routing"):
        yield from routing.choices(subject, component)


RULES: Final[tuple[Rule, ...]] = (statements,)


def _error_modes(subject: Subject) -> Iterator[Hit]:
    """How components take errors of theirs."""
    processors = subject.of_type(Kind.PROCESSOR, "transform", "filter")
    for component in (*processors, *subject.of_type(Kind.CONNECTOR, "routing")):
        yield from _error_mode(component.path, component.settings.get("error_mode"))
    for one in subject.named("ottl_condition", below=Kind.PROCESSOR):
        yield from _error_mode(one.path, entries_of(one.value).get("error_mode"))


def _of_transform(subject: Subject, component: Component) -> Iterator[Hit]:
    for signal in SIGNALS:
        place = Place(signal=signal, version=subject.version)
        yield from _of_signal(subject, component, place, "statement")


def _of_filter(subject: Subject, component: Component) -> Iterator[Group]:
    for signal, contexts in _FILTERS.items():
        for key, context in contexts.items():
            path = (*component.path, signal, key)
            yield Group(path, subject.at(*path), _condition(subject, context))


def _inferred(subject: Subject, component: Component) -> Iterator[Hit]:
    """Conditions of filter whose context is taken from their paths, or stands beside them."""
    for signal in SIGNALS:
        place = Place(signal=signal, is_condition=True, version=subject.version)
        yield from _of_signal(subject, component, place, "condition")


def _of_signal(subject: Subject, component: Component, place: Place, word: str) -> Iterator[Hit]:
    """A list of texts, or of maps with a context each. word: what one of them is called; with an s, all of them."""
    path = (*component.path, f"{place.signal}_{word}s")
    found = subject.at(*path)
    items = found if isinstance(found, tuple) else ()
    yield from _no_list(path, found)
    yield from _mixed(path, items)
    if any(isinstance(one, str) for one in items):
        yield from _hits(Group(path, items, place), word)
        return
    for at, item in enumerate(items):
        if item is None and not place.is_condition:
            yield Hit("There is no statement here. Remove the dash.", (*path, at))
        elif not isinstance(item, Expansion):
            yield from _with_context((*path, at), item, place, f"{word}s", word)


def _of_sampling(subject: Subject, component: Component) -> Iterator[Group]:
    for one in subject.named("ottl_condition", below=Kind.PROCESSOR):
        if one.path[:2] == component.path:
            for context in ("span", "spanevent"):
                texts = entries_of(one.value).get(context)
                yield Group((*one.path, context), texts, _condition(subject, context))


def _of_counting(subject: Subject, component: Component) -> Iterator[Group]:
    for key, context in _COUNTED.items():
        for name, metric in entries_of(component.settings.get(key)).items():
            path = (*component.path, key, name, "conditions")
            texts = entries_of(metric).get("conditions")
            yield Group(path, texts, _condition(subject, context))


def _condition(subject: Subject, context: str) -> Place:
    return Place(context, is_condition=True, version=subject.version)


def _with_context(path: Path, item: Value, place: Place, key: str, word: str) -> Iterator[Hit]:
    """A map with a context, conditions and statements."""
    settings = entries_of(item)
    context = settings.get("context")
    yield from _error_mode(path, settings.get("error_mode"))
    if isinstance(context, str) and context:
        known = SIGNALS[place.signal]
        if context.lower() not in known:
            there = context.lower() in OUTER
            where = "for this signal" if there else "at all"
            message = f"There is no context {shown(context)} {where}. Known are {', '.join(known)}."
            yield Hit(message, (*path, "context"))
            return
        place = replace(place, context=context.lower())
    elif key == "statements" and not settings.get(key):
        yield Hit("Without statements there has to be a context. Add them.", (*path, key), True)
    group = Group((*path, key), settings.get(key), place, settings.get("conditions"))
    yield from _hits(group, word)
    if key != "conditions":
        conditions = replace(place, is_condition=True)
        yield from _hits(Group((*path, "conditions"), group.conditions, conditions), "condition")


def _no_list(path: Path, value: Value) -> Iterator[Hit]:
    if value is not None and not isinstance(value, tuple | Expansion):
        yield Hit(f"{path[-1]} is a list: write each on a line with a dash.", path, True)


def _mixed(path: Path, items: tuple[Value, ...]) -> Iterator[Hit]:
    """Statements and maps in one list."""
    texts = [at for at, one in enumerate(items) if isinstance(one, str)]
    maps = [
        at
        for at, one in enumerate(items)
        if one is not None and not isinstance(one, str | Expansion)
    ]
    if maps and texts and texts[0] < maps[-1]:
        message = (
            "Statements alone and maps with statements cannot stand in one list. Write maps only."
        )
        yield Hit(message, (*path, maps[-1]))


def _hits(group: Group, word: str) -> Iterator[Hit]:
    items = _listed(group.texts)
    numbers = [at for at, one in enumerate(items) if _is_text(one)]
    beside = group.conditions if isinstance(group.conditions, tuple) else ()
    texts = [str(items[at] or "") for at in numbers]
    conditions = [str(one) for one in beside if _is_text(one)]
    for at, words in faults(texts, group.place, conditions):
        where = (numbers[at],) if isinstance(group.texts, tuple) else ()
        yield Hit(f"This {word} is wrong: {words}.", (*group.path, *where))


def _listed(value: Value) -> tuple[Value, ...]:
    """A list; one text stands for those between its commas."""
    if isinstance(value, str):
        return tuple(value.split(","))
    return value if isinstance(value, tuple) else ()


def _is_text(value: Value) -> bool:
    """Nothing counts as an empty text."""
    return value is None or (isinstance(value, str) and not isinstance(value, Time))


def _error_mode(path: Path, value: Value) -> Iterator[Hit]:
    if isinstance(value, str) and value.lower() not in _ERROR_MODES:
        yield Hit(f"error_mode is one of {', '.join(_ERROR_MODES)}.", (*path, "error_mode"))
