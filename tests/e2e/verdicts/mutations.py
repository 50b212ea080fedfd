"""Base configurations changed in one place each, always the same: keys misspelt, types swapped, pipelines rewired.

A change keeps its name from run to run, so that a miss can be listed by it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any, Final
from zlib import crc32

Step = str | int
Path = tuple[Step, ...]
Change = tuple[str, Any]
"""What was done, and the configuration that came of it."""

COMPONENTS: Final = ("receivers", "processors", "exporters", "connectors", "extensions")
ROLES: Final = ("receivers", "processors", "exporters")
_GONE: Final = object()
_DURATION: Final = re.compile(r"\d+(?:\.\d+)?(?:ns|us|ms|s|m|h)")
_SHARE: Final = 3
"""Of the changes that are made only here and there, one in so many is made."""


def settings_changed(base: Any, seen: set[str]) -> Iterator[Change]:
    """Each setting of components and of the telemetry with another key or another value.

    seen: the settings that were changed already, in this base or another one; it grows.
    """
    for path in _settings(base):
        setting = _label(base, path)
        if setting in seen:
            continue
        seen.add(setting)
        for deed, key, value in _changes(setting, path[-1], _at(base, path)):
            yield f"{'::'.join(map(str, path))} {deed}", _changed(base, path, key, value)


def pipelines_rewired(base: Any) -> Iterator[Change]:
    """Each pipeline with other members, another signal, or a part of it missing."""
    for name, pipeline in base["service"]["pipelines"].items():
        path: Path = ("service", "pipelines", name)
        for signal in ("traces", "metrics", "logs", "trace"):
            renamed = f"{signal}/{name.partition('/')[2] or 'rewired'}"
            yield f"{name} becomes {renamed}", _changed(base, path, renamed, pipeline)
        for role in ROLES:
            members = pipeline.get(role, [])
            for deed, value in _members(role, members, base):
                yield f"{name}::{role} {deed}", _changed(base, (*path, role), role, value)


def sections_changed(base: Any) -> Iterator[Change]:
    """Each section, and each component, missing or named otherwise."""
    for section in base:
        yield f"{section} removed", _changed(base, (section,), section, _GONE)
        yield f"{section} misspelt", _changed(base, (section,), misspelt(section), base[section])
        yield f"{section} a list", _changed(base, (section,), section, [])
    for section in (one for one in COMPONENTS if one in base):
        for name, body in base[section].items():
            path = (section, name)
            yield f"{section}::{name} removed", _changed(base, path, name, _GONE)
            yield (
                f"{section}::{name} of another type",
                _changed(base, path, misspelt(name.partition("/")[0]), body),
            )
            yield f"{section}::{name} a text", _changed(base, path, name, "text")


def misspelt(word: str) -> str:
    """The word without the letter in its middle."""
    middle = len(word) // 2
    return word[:middle] + word[middle + 1 :]


def _changes(setting: str, key: Step, value: Any) -> Iterator[tuple[str, Step, Any]]:
    """What is done, the new key, the new value."""
    if isinstance(key, str) and len(key) > 2:
        yield "misspelt", misspelt(key), value
    yield "swapped", key, _swapped(value)
    rare = [
        ("removed", key, _GONE),
        ("emptied", key, _emptied(value)),
        *((deed, key, other) for deed, other in _others(value)),
    ]
    if isinstance(key, str):
        rare.append(("in another case", key.capitalize(), value))
    for at, change in enumerate(rare):
        if crc32(f"{setting} {change[0]}".encode()) % _SHARE == 0 or at == len(rare) - 2:
            yield change


def _swapped(value: Any) -> Any:
    """A value of another type."""
    match value:
        case bool():
            return "maybe"
        case int() | float():
            return "many"
        case str():
            return {"swapped": 1}
        case list():
            return {"swapped": [1]}
        case dict():
            return ["swapped"]
        case _:
            return "swapped"


def _emptied(value: Any) -> Any:
    return type(value)() if isinstance(value, str | list | dict) else None


def _others(value: Any) -> Iterator[tuple[str, Any]]:
    """Values of the same type that seldom fit, and those that look like it."""
    if isinstance(value, bool):
        yield "a word", "yes"
    elif isinstance(value, int | float):
        yield "negative", -1
        yield "quoted", str(value)
        yield "a fraction", 1.5
    elif isinstance(value, str):
        yield "nonsense", "nonsense"
        yield "a number", 12
        if _DURATION.fullmatch(value):
            yield "negative", f"-{value}"
            yield "in parsecs", "5 parsecs"
    elif isinstance(value, list):
        yield "a text", "text"
        yield "with nothing in it", [None]
    elif isinstance(value, dict):
        yield "a text", "text"


def _members(role: str, members: list[str], base: Any) -> Iterator[tuple[str, Any]]:
    yield "with one that is not defined", [*members, "undefined"]
    other = ROLES[ROLES.index(role) - 1]
    foreign = next((one for one in base.get(other, ()) if one not in members), None)
    if foreign:
        yield f"with one of the {other}", [*members, foreign]
    yield "removed", _GONE
    yield "empty", []
    yield "a text", ", ".join(members) or "text"
    if members:
        yield "with one twice", [*members, members[0]]
        yield "the other way round", members[::-1]
        yield "without the first", members[1:]
    for connector in base.get("connectors", ()):
        if role != "processors" and connector not in members:
            yield f"with {connector}", [*members, connector]
        if connector in members:
            yield f"without {connector}", [one for one in members if one != connector]


def _settings(base: Any) -> Iterator[Path]:
    """The paths of all settings below components, and of those of the telemetry."""
    for section in (one for one in COMPONENTS if one in base):
        for name in base[section]:
            yield from _below(base, (section, name))
    if "telemetry" in base["service"]:
        yield from _below(base, ("service", "telemetry"))


def _below(base: Any, path: Path) -> Iterator[Path]:
    value = _at(base, path)
    steps = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for step in steps:
        yield (*path, step)
        yield from _below(base, (*path, step))


def _label(base: Any, path: Path) -> str:
    """The setting, whatever the component is called: an item of a list by its type, since that decides the others."""
    steps = [str(path[0]), str(path[1]).partition("/")[0]]
    for end in range(3, len(path) + 1):
        value, step = _at(base, path[:end]), path[end - 1]
        kind = value.get("type", "*") if isinstance(value, dict) else "*"
        steps.append(step if isinstance(step, str) else str(kind))
    return "::".join(steps)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _changed(base: Any, path: Path, key: Step, value: Any) -> Any:
    """A copy in which the last step of the path is this key with this value; the order stays."""
    changed = copy.deepcopy(base)
    parent, last = _at(changed, path[:-1]), path[-1]
    if isinstance(parent, list):
        assert isinstance(last, int)
        parent[last : last + 1] = [] if value is _GONE else [value]
        return changed
    entries = list(parent.items()) if last in parent else [*parent.items(), (last, None)]
    parent.clear()
    for name, before in entries:
        if name != last:
            parent[name] = before
        elif value is not _GONE:
            parent[key] = value
    return changed
