"""PURE. What a collector's complaint names of a configuration, and what our findings name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from configs.collector.findings import Finding, Severity

_SECTIONS: Final = {
    **{f"{one}s": f"{one}s" for one in ("receiver", "processor", "exporter", "connector", "extension")},
    **{one: f"{one}s" for one in ("receiver", "processor", "exporter", "connector", "extension")},
    **{one: one for one in ("service", "pipelines", "telemetry")},
}  # fmt: skip
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_NAMES: Final = re.compile(
    r"\(valid values: [^)]*\)|(?:failed|due) to|pipelines:|the following error"
)
"""What is in a complaint and not about it: all types there are, and when it was made."""
_SHORTEST: Final = 2
"""Characters of a name that is not taken for a word."""
_TOKEN: Final = re.compile(r"[\w/.+-]+")


def is_same_place(words: str, text: str, findings: tuple[Finding, ...]) -> bool:
    """Whether an error of ours names a component or a key that the complaint names; sections count where it names
    nothing smaller, and where it names nothing at all any error will do. A text that cannot be read has no components.
    """
    errors = [one for one in findings if one.severity is Severity.ERROR]
    ours = {name for one in errors for name in _named_by(one, text)}
    small, sections = _named(words, text)
    wanted = small or sections
    is_text = any(not one.path for one in errors)
    return bool(errors) and (not wanted or is_text or bool(wanted & ours))


def _named(words: str, text: str) -> tuple[set[str], set[str]]:
    tokens = set(_tokens(_NO_NAMES.sub("", words)))
    return tokens & _vocabulary(text), {_SECTIONS[one] for one in tokens if one in _SECTIONS}


def _named_by(finding: Finding, text: str) -> Iterator[str]:
    yield from (str(one) for one in finding.path)
    yield from _tokens(text[finding.span.start : finding.span.end])
    yield from finding.component.split("/", 1)[1:]


def _vocabulary(text: str) -> set[str]:
    """Keys and ids of the configuration, without the names of sections."""
    try:
        names = set(_names_in(yaml.load(text, Loader=_LOADER)))
    except (yaml.YAMLError, RecursionError):  # no text at all, or one that stands in itself
        return set()
    return {one for one in names if len(one) >= _SHORTEST} - set(_SECTIONS)


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from (str(key), *str(key).split("::"))
            yield from _names_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from [one] if isinstance(one, str) else _names_in(one)


def _tokens(words: str) -> Iterator[str]:
    for token in _TOKEN.findall(words):
        yield token
        yield from token.split(".")
