"""The configurations that are judged: bases as people write them, each changed in one place, each rule broken once, and
our templates.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.e2e.verdicts import mutations
from tests.e2e.verdicts.broken import BROKEN, BY_TEXT
from tests.e2e.verdicts.templates import cut_templates

BASES: Final = Path(__file__).parent / "bases"
VERSIONS: Final = ("0.149.0", "0.158.0")
ONLY: Final = {"routing": ("0.149.0",), "counting": ("0.158.0",), "host-metrics": ("0.158.0",)}
"""Bases and templates with components, or settings, that one of the collectors does not have."""
_SHARE: Final = 6
"""Of the changes, one in so many is asked about when not all are."""
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
REMOVED: Final = "REMOVED"
"""In what is laid over a base: the key goes."""


@dataclass(frozen=True, slots=True)
class Case:
    """A configuration. name: of the base, and what was done to it · rule: the one that it breaks on purpose ·
    is_changed: by code, in one place.
    """

    name: str
    text: str
    versions: tuple[str, ...] = VERSIONS
    rule: str = ""
    is_changed: bool = False


@cache
def corpus() -> tuple[Case, ...]:
    """All of them, in the same order every time, each text once."""
    made = [*_bases(), *templates(), *_broken(), *_changed()]
    once: dict[tuple[str, tuple[str, ...]], Case] = {}
    for case in made:
        once.setdefault((case.text, case.versions), case)
    return tuple(once.values())


def cases_for(version: str, *, all_of_them: bool) -> list[Case]:
    """Those that a version's binary has the components for; else the bases, what breaks a rule on purpose, and a share
    of the changes, which is another one for the other version.
    """
    turn = VERSIONS.index(version)
    fitting = [case for case in corpus() if version in case.versions]
    changed = [case for case in fitting if case.is_changed]
    some = changed if all_of_them else changed[turn::_SHARE]
    return [case for case in fitting if not case.is_changed] + some


def bases() -> dict[str, str]:
    """The texts of the bases by name."""
    return {file.stem: file.read_text() for file in sorted(BASES.glob("*.yaml"))}


def _bases() -> Iterator[Case]:
    for name, text in bases().items():
        yield Case(name, text, ONLY.get(name, VERSIONS))


def templates() -> Iterator[Case]:
    """Those of the gallery."""
    for name, value in cut_templates(_loaded):
        yield Case(f"template {name}", _dumped(value), ONLY.get(name, VERSIONS))


def _broken() -> Iterator[Case]:
    values = {name: _loaded(text) for name, text in bases().items()}
    for rule, base, over in BROKEN:
        value = _laid_over(values[base], _loaded(over))
        yield Case(f"{rule} in {base}: {over}", _dumped(value), ONLY.get(base, VERSIONS), rule)
    for rule, name, text in BY_TEXT:
        yield Case(f"{rule}: {name}", text, rule=rule)


def _changed() -> Iterator[Case]:
    seen: set[str] = set()
    for name, text in bases().items():
        base = _loaded(text)
        changes = [
            *mutations.sections_changed(base),
            *mutations.pipelines_rewired(base),
            *mutations.settings_changed(base, seen),
        ]
        for deed, value in changes:
            yield Case(f"{name}: {deed}", _dumped(value), ONLY.get(name, VERSIONS), is_changed=True)


def _loaded(text: str) -> Any:
    return yaml.load(text, Loader=_LOADER)


def _dumped(value: Any) -> str:
    return yaml.dump(value, Dumper=_DUMPER, sort_keys=False, width=1000, allow_unicode=True)


def _laid_over(value: Any, over: Any) -> Any:
    """Maps merge, all else is replaced."""
    if not isinstance(value, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    merged = {**value, **{key: _laid_over(value.get(key), one) for key, one in over.items()}}
    return {key: one for key, one in merged.items() if one != REMOVED}
