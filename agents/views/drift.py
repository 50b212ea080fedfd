"""What a collector runs against what it should run, for people: in words, redacted."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from agents.snapshot import ConfigFile
from configs.collector.difference import EXTENSIONS, PIPELINES, Change, Deed
from configs.collector.drift import Standing, effective_model, standing
from configs.collector.errors import ParseError
from configs.collector.model import Model, model_of
from configs.collector.parse import parse
from configs.collector.values import Value
from configs.collector.written import as_written
from configs.masking import masked_at
from fleets.models import Membership

_LONGEST: Final = 300
_PARTS: Final = {
    "receivers": "receiver",
    "processors": "processor",
    "exporters": "exporter",
    "connectors": "connector",
    "extensions": "extension",
}


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One difference: what part it is about, where in it, and both values in words."""

    part: str
    place: str
    should_be: str
    runs: str


@dataclass(frozen=True, slots=True)
class Drift:
    """drifted: intended parts that differ · additions: what files on the host add · missing: pipelines that are not
    there · runs_nothing: no pipeline moves data.
    """

    drifted: list[DriftRow]
    additions: list[DriftRow]
    missing: tuple[str, ...]
    runs_nothing: bool


def drift_of(membership: Membership | None, effective: Iterable[ConfigFile]) -> Drift | None:
    """How a member stands to what it should run; None when one of the two is missing or cannot be compared."""
    if membership is None or membership.desired is None:
        return None
    try:
        intended = model_of(parse(membership.desired.version.yaml))
        running = effective_model((file.name, file.body.decode()) for file in effective)
    except (ParseError, UnicodeDecodeError):
        return None
    return None if running is None else _shown(intended, standing(intended, running))


def _shown(intended: Model, found: Standing) -> Drift:
    return Drift(
        drifted=[_row(intended, change) for change in found.drifted],
        additions=[_row(intended, change) for change in found.additions],
        missing=found.missing,
        runs_nothing=found.runs_nothing,
    )


def _row(intended: Model, change: Change) -> DriftRow:
    change = as_written(change, intended, intended)
    path = change.path
    part, inside = _part(path)
    in_words = _members if path[:2] == PIPELINES else _in_words
    should_be, runs = in_words(path, change.before), in_words(path, change.after)
    if change.deed is Deed.REMOVED:
        runs = "missing"
    elif change.deed is Deed.ADDED:
        should_be = ""
    elif change.deed is Deed.REORDERED:
        runs = f"{runs} (another order)"
    return DriftRow(part, ".".join(map(str, inside)), should_be, runs)


def _part(path: tuple[str | int, ...]) -> tuple[str, tuple[str | int, ...]]:
    """What a path is about, in words, and the rest of it."""
    if path[:2] == PIPELINES:
        return f"Pipeline {path[2]}", path[3:]
    if path[:2] == EXTENSIONS:
        return f"Extension {path[2]}", ("in use",)
    if path[0] in _PARTS:
        return f"{_PARTS[str(path[0])].capitalize()} {path[1]}", path[2:]
    return "Service", path[1:]


def _in_words(path: tuple[str | int, ...], value: Value) -> str:
    """A value on one line, secrets masked by the keys that lead to it."""
    masked = masked_at(path, value)
    text = masked if isinstance(masked, str) else json.dumps(masked, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _members(path: tuple[str | int, ...], value: Value) -> str:
    """The members of a pipeline in one role, or of all roles in the order in which data passes them."""
    if isinstance(value, Mapping):
        roles = (_members((*path, role), ids) for role, ids in value.items() if ids)
        return " → ".join(roles)
    return ", ".join(map(str, value if isinstance(value, tuple) else ())) or "none"
