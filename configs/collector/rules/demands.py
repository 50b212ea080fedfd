"""PURE. What single settings have to be: one of some words, within a range, a regular expression."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from configs.collector.findings import Severity
from configs.collector.goregex import regex_fault
from configs.collector.rules.hit import Hit
from configs.collector.rules.shared import below, number
from configs.collector.rules.subject import Component, Subject
from configs.collector.values import Path, Value


def when_built(subject: Subject, component: Component, hits: Iterable[Hit]) -> Iterator[Hit]:
    """What collectors look at while they build a component: of one that nothing uses it does no harm."""
    is_built = subject.is_used(component)
    for hit in hits:
        yield hit if is_built else replace(hit, severity=Severity.WARNING)


def one_of(
    path: Path, settings: Mapping[str, Value], key: str, known: Sequence[str]
) -> Iterator[Hit]:
    """One of these words, where a text stands; "" among them allows an empty one."""
    value = settings.get(key)
    if isinstance(value, str) and value not in known:
        yield Hit(f"{key} is one of {', '.join(filter(None, known))}.", (*path, key))


def at_least(path: Path, settings: Mapping[str, Value], key: str, least: int) -> Iterator[Hit]:
    """A number that is not below."""
    value = number(settings.get(key))
    if value is not None and value < least:
        yield Hit(f"{key} is at least {least}.", (*path, key))


def not_negative(path: Path, settings: Mapping[str, Value], *keys: str) -> Iterator[Hit]:
    """Numbers or durations."""
    for key in keys:
        if below(settings.get(key), 0):
            yield Hit(f"{key} must not be negative.", (*path, key))


def regex(path: Path, settings: Mapping[str, Value], key: str) -> Iterator[Hit]:
    """A regular expression, where a text stands."""
    value = settings.get(key)
    fault = regex_fault(value) if isinstance(value, str) else ""
    if fault:
        yield Hit(f"{key} is no regular expression: {fault}.", (*path, key))


def regexes(path: Path, settings: Mapping[str, Value], key: str) -> Iterator[Hit]:
    """A list of them."""
    values = settings.get(key)
    for at, one in enumerate(values if isinstance(values, tuple) else ()):
        fault = regex_fault(one) if isinstance(one, str) else ""
        if fault:
            yield Hit(f"This is no regular expression: {fault}.", (*path, key, at))
