"""PURE. What a collector runs against what it should run.

A collector does not print what it was given: it fills defaults in, resolves references, hides secrets, writes lists of
names where there were maps, and leaves out what it cannot print (scrapers, policies, operators). So only what both
sides say is compared; and what one side alone says is a difference where it makes the service: components, pipelines,
their members.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import Final

from configs.collector.difference import (
    EXTENSIONS,
    PIPELINES,
    TELEMETRY,
    Change,
    Deed,
    member_change,
)
from configs.collector.equality import is_same
from configs.collector.model import Model, Pipeline, model_from
from configs.collector.names import Kind, type_of
from configs.collector.parse import parse
from configs.collector.references import unescaped
from configs.collector.values import Expansion, Path, Value, entries_of, key_of, merged, value_of

OPAMP: Final = "opamp"
"""The extension by which a supervisor speaks with its collector."""
_NOP: Final = "nop"
_OF_HOST: Final = "service.instance.id"
_NAMED: Final = frozenset({"name", "value"})


class Runs(StrEnum):
    """What became of the intended configuration on a collector."""

    INTENDED = "intended"
    DRIFTED = "drifted"
    """It runs, and differs in intended parts."""
    LACKING = "lacking"
    """Intended pipelines are not there."""
    UNKNOWN = "unknown"
    """What it says it runs cannot be compared."""


@dataclass(frozen=True, slots=True)
class Standing:
    """drifted: intended parts that differ · additions: parts that nobody here intended and that change none of those,
    as files on the host add them · missing: intended pipelines that are not there · runs_nothing: no pipeline moves
    any data, though some are intended.
    """

    drifted: tuple[Change, ...] = ()
    additions: tuple[Change, ...] = ()
    missing: tuple[str, ...] = ()
    runs_nothing: bool = False

    @property
    def runs(self) -> Runs:
        """The word for it."""
        if self.missing:
            return Runs.LACKING
        return Runs.DRIFTED if self.drifted else Runs.INTENDED


def effective_model(files: Iterable[tuple[str, str]]) -> Model | None:
    """The model of reported files (name, text), merged as supervisors do: by name, "" last. None when all are empty.

    Raises ParseError for what is no collector configuration.
    """
    ordered = sorted(files, key=lambda file: (not file[0], file[0]))
    values = [value_of(parse(text).root) for _, text in ordered if text.strip()]
    return model_from(entries_of(reduce(merged, values))) if values else None


def standing(intended: Model, effective: Model) -> Standing:
    """How what runs stands to what should run."""
    missing = tuple(
        name for name, one in intended.pipelines.items() if _is_missing(one, effective.pipelines)
    )
    return Standing(
        drifted=tuple(_drifted(intended, effective)),
        additions=tuple(_additions(intended, effective)),
        missing=missing,
        runs_nothing=bool(missing) and not moves_data(effective),
    )


def moves_data(model: Model) -> bool:
    """Whether a pipeline of it is more than nop; what references stand for may be."""
    is_open = not model.open.isdisjoint({"service", "pipelines"})
    return is_open or any(not _is_nop(pipeline) for pipeline in model.pipelines.values())


def is_supervisors(kind: Kind, component_id: str) -> bool:
    """Whether a component is one that supervisors add themselves."""
    kinds = {OPAMP: {Kind.EXTENSION}, _NOP: {Kind.RECEIVER, Kind.EXPORTER}}
    return kind in kinds.get(type_of(component_id), ())


def printed_as(value: Value, like: Value) -> Value:
    """A value in the form of another, where collectors print it in a form of their own: lists of name and value
    for maps, lists for texts with commas.
    """
    if isinstance(value, tuple) and isinstance(like, Mapping) and all(map(_is_named, value)):
        pairs = map(entries_of, value)
        return {str(pair["name"]): pair.get("value") for pair in pairs}
    if (
        isinstance(value, tuple)
        and isinstance(like, str)
        and all(isinstance(one, str) for one in value)
    ):
        return ",".join(map(str, value)) if len(value) > 1 else value
    return value


def _is_named(value: Value) -> bool:
    return isinstance(value, Mapping) and "name" in value and value.keys() <= _NAMED


def _is_missing(intended: Pipeline, effective: Mapping[str, Pipeline]) -> bool:
    found = effective.get(intended.id)
    return found is None or (_is_nop(found) and not _is_nop(intended))


def _is_nop(pipeline: Pipeline) -> bool:
    return all(type_of(one) == _NOP for one in (*pipeline.receivers, *pipeline.exporters))


def _drifted(intended: Model, effective: Model) -> Iterator[Change]:
    closed = [kind for kind in Kind if kind not in intended.open | effective.open]
    for kind in closed:
        running = effective.components[kind]
        for name, body in intended.components[kind].items():
            here = (kind.value, name)
            if kind is Kind.EXTENSION and type_of(name) == OPAMP:
                continue
            if name in running:
                yield from _fields(here, body, running[name])
            else:
                yield Change(Deed.REMOVED, here, before=body)
    if not {"service", "pipelines"} & (intended.open | effective.open):
        yield from _pipelines(intended, effective)
        yield from _extensions(intended.extensions, effective.extensions)
        yield from _fields(TELEMETRY, _telemetry(intended), _telemetry(effective))


def _pipelines(intended: Model, effective: Model) -> Iterator[Change]:
    for name, one in intended.pipelines.items():
        here, other = (*PIPELINES, name), effective.pipelines.get(name)
        if other is None:
            yield Change(Deed.REMOVED, here, before=one.members)
            continue
        for role in one.members:
            wanted, runs = one.members[role], other.members[role]
            is_open = any("${" in member for member in (*wanted, *runs))
            change = None if is_open else member_change((*here, role), wanted, runs)
            yield from () if change is None else (change,)


def _extensions(intended: Sequence[str], effective: Sequence[str]) -> Iterator[Change]:
    """Those that are listed besides the intended ones are additions; the others have to be there, in any order."""
    wanted = [one for one in intended if type_of(one) != OPAMP and "${" not in one]
    for one in wanted:
        if one not in effective:
            yield Change(Deed.REMOVED, (*EXTENSIONS, one), before=one)


def _telemetry(model: Model) -> Mapping[str, Value]:
    """service::telemetry with its resource as a map: collectors take a list of names and values too."""
    telemetry = entries_of(model.telemetry)
    resource = entries_of(telemetry.get("resource"))
    attributes = printed_as(resource.get("attributes", ()), like={})
    plain = entries_of(attributes) if "attributes" in resource else resource
    shown = {key: value for key, value in plain.items() if key != _OF_HOST}
    return {**telemetry, "resource": shown}


def _fields(path: Path, intended: Value, effective: Value) -> Iterator[Change]:
    """Where both say something and it cannot be the same. What only one of them says proves nothing."""
    effective = printed_as(effective, like=intended)
    if intended is None or effective is None or _is_same(intended, effective, key_of(path)):
        return
    if isinstance(intended, Mapping) and isinstance(effective, Mapping):
        for name, value in intended.items():
            if name in effective:
                yield from _fields((*path, name), value, effective[name])
    elif isinstance(intended, tuple) and isinstance(effective, tuple):
        yield from _items(path, intended, effective)
    elif not isinstance(intended, tuple | Mapping) and not isinstance(effective, tuple | Mapping):
        yield Change(Deed.CHANGED, path, intended, effective)


def _is_same(intended: Value, effective: Value, key: str) -> bool:
    """A collector prints `$$` as the one dollar sign that it stands for."""
    if is_same(intended, effective, key):
        return True
    return isinstance(intended, str) and is_same(unescaped(intended), effective, key)


def _items(
    path: Path, intended: tuple[Value, ...], effective: tuple[Value, ...]
) -> Iterator[Change]:
    is_open = any(isinstance(one, Expansion) and one.is_whole for one in intended)
    if len(intended) == len(effective):
        for at, (one, other) in enumerate(zip(intended, effective, strict=True)):
            yield from _fields((*path, at), one, other)
    elif not is_open:
        yield Change(Deed.CHANGED, path, intended, effective)


def _additions(intended: Model, effective: Model) -> Iterator[Change]:
    for kind in Kind:
        for name, body in effective.components[kind].items():
            is_known = name in intended.components[kind] or kind in intended.open
            if not is_known and not is_supervisors(kind, name):
                yield Change(Deed.ADDED, (kind.value, name), after=body)
    for name, pipeline in effective.pipelines.items():
        if name not in intended.pipelines and not _is_nop(pipeline):
            yield Change(Deed.ADDED, (*PIPELINES, name), after=pipeline.members)
    for one in effective.extensions:
        if one not in intended.extensions and type_of(one) != OPAMP:
            yield Change(Deed.ADDED, (*EXTENSIONS, one), after=one)
