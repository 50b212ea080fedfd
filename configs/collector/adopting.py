"""PURE. From what a collector runs to a text that can be a version.

What was intended is the base, since it has the references, secrets and parts that collectors do not print; what
differs and what was added on the host is put in.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from configs.collector.difference import EXTENSIONS, PIPELINES, Change, Deed
from configs.collector.drift import is_supervisors, standing
from configs.collector.equality import HIDDEN
from configs.collector.model import Model
from configs.collector.names import Kind, trimmed
from configs.collector.references import escaped
from configs.collector.values import Path, Value, entries_of, plain

_WIDTH: Final = 120
_NO_NAME: Final = re.compile(r"\W+")
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Adopted:
    """The text, how many changes it holds, and the secrets that collectors hide: place -> the environment variable that
    stands there instead.
    """

    text: str
    changes: int
    secrets: Mapping[str, str]


def adopt(intended: Model, effective: Model) -> Adopted:
    """The text of what runs, without what the supervisor added. Comments and formatting are lost."""
    tree: Tree = plain(intended.values)
    found = standing(intended, effective)
    changes = (*found.drifted, *found.additions)
    for change in changes:
        _apply(tree, change, intended.as_written(change.path), effective)
    secrets: dict[str, str] = {}
    shown = _without_hidden(tree, (), secrets)
    return Adopted(_dumped(shown), len(changes), secrets)


def adopt_alone(effective: Model) -> Adopted:
    """The text of what runs where nothing was intended, without what the supervisor added. Comments are not known.

    changes: how many pipelines it has; without one it runs nothing that is worth a text.
    """
    tree: Tree = {}
    for kind in Kind:
        section = {
            name: plain(_as_printed(one))
            for name, one in entries_of(effective.values.get(kind)).items()
            if not is_supervisors(kind, trimmed(name))
        }
        tree.update({kind.value: section} if section else {})
    pipelines = _own_pipelines(entries_of(effective.values.get("service")))
    tree["service"] = _own_service(entries_of(effective.values.get("service")), pipelines)
    secrets: dict[str, str] = {}
    return Adopted(_dumped(_without_hidden(tree, (), secrets)), len(pipelines), secrets)


def _own_service(service: Mapping[str, Value], pipelines: Tree) -> Tree:
    """Extensions that are not the supervisor's, telemetry without the resource that it names, pipelines."""
    listed = service.get("extensions")
    extensions = [
        str(one)
        for one in (listed if isinstance(listed, tuple) else ())
        if not is_supervisors(Kind.EXTENSION, trimmed(str(one)))
    ]
    telemetry = plain(_as_printed(service.get("telemetry"))) or {}
    telemetry.pop("resource", None)
    parts = {"extensions": extensions, "telemetry": telemetry, "pipelines": pipelines}
    return {name: part for name, part in parts.items() if part}


def _own_pipelines(service: Mapping[str, Value]) -> Tree:
    """Those that move data, with the members that are not the supervisor's."""
    found: Tree = {}
    for name, body in entries_of(service.get("pipelines")).items():
        members = {
            kind.value: [str(one) for one in ids if not is_supervisors(kind, trimmed(str(one)))]
            for kind in (Kind.RECEIVER, Kind.PROCESSOR, Kind.EXPORTER)
            if isinstance(ids := entries_of(body).get(kind.value), tuple)
        }
        if members.get(Kind.RECEIVER.value) and members.get(Kind.EXPORTER.value):
            found[name] = {role: ids for role, ids in members.items() if ids}
    return found


def _dumped(tree: Tree) -> str:
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _apply(tree: Tree, change: Change, path: Path, effective: Model) -> None:
    if change.path[:2] == EXTENSIONS:
        _apply_extension(tree, change)
        return
    if change.deed is Deed.REMOVED:
        _holder(tree, path).pop(path[-1], None)
    elif change.path[:2] == PIPELINES:
        name, *role = change.path[2:]
        printed = entries_of(entries_of(effective.values["service"])["pipelines"])
        found = {trimmed(key): value for key, value in printed.items()}[str(name)]
        members = entries_of(found)
        _holder(tree, path)[path[-1]] = plain(members[str(role[0])] if role else members)
    else:
        _holder(tree, path)[path[-1]] = plain(_as_printed(change.after))


def _apply_extension(tree: Tree, change: Change) -> None:
    service = tree.setdefault("service", {})
    rest = [one for one in service.get("extensions") or () if trimmed(one) != change.path[-1]]
    added = [change.path[-1]] if change.deed is Deed.ADDED else []
    service["extensions"] = [*rest, *added]


def _holder(tree: Any, path: Path) -> Any:
    """The map or list that holds the end of the path; made where it is missing."""
    for part in path[:-1]:
        if isinstance(tree, dict) and tree.get(part) is None:
            tree[part] = {}
        tree = tree[part]
    return tree


def _as_printed(value: Value) -> Value:
    """A printed value as it has to be written: nothings left out, dollar signs doubled."""
    if isinstance(value, Mapping):
        return {key: _as_printed(one) for key, one in value.items() if one is not None}
    if isinstance(value, tuple):
        return tuple(map(_as_printed, value))
    return escaped(value) if isinstance(value, str) else value


def _without_hidden(value: Any, path: Path, secrets: dict[str, str]) -> Any:
    """The same with a reference to the environment wherever a secret is hidden."""
    if isinstance(value, dict):
        return {key: _without_hidden(one, (*path, key), secrets) for key, one in value.items()}
    if isinstance(value, list):
        label = _labels(value)
        return [_without_hidden(one, (*path, next(label)), secrets) for one in value]
    if value not in HIDDEN:
        return value
    name = _NO_NAME.sub("_", "_".join(map(str, path[1:]))).strip("_").upper()
    secrets["::".join(map(str, path))] = name
    return f"${{env:{name}}}"


def _labels(items: list[Any]) -> Iterator[str | int]:
    """What to call items: by their names where they have one."""
    for at, item in enumerate(items):
        yield str(item["name"]) if isinstance(item, dict) and item.get("name") else at
