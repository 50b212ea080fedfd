"""PURE. Differences with the names that the texts use: models know components by their names of 2026 alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from configs.collector.difference import EXTENSIONS, PIPELINES, Change
from configs.collector.model import Model
from configs.collector.names import Kind, renamed, trimmed
from configs.collector.values import Path, Value, entries_of

_ROLE_AT: Final = len(PIPELINES) + 1


def as_written(change: Change, before: Model, after: Model) -> Change:
    """The change in the words of its texts: the place in those of the text that has it, `after` if both do."""
    return replace(
        change,
        path=_place(change.path, before, after),
        before=_members(change.path, change.before, before),
        after=_members(change.path, change.after, after),
    )


def _place(path: Path, before: Model, after: Model) -> Path:
    if len(path) < 2:
        return path
    is_gone = path[0] in set(Kind) and path[1] not in after.components[Kind(str(path[0]))]
    return (before if is_gone else after).as_written(path)


def _members(path: Path, value: Value, model: Model) -> Value:
    """Lists of ids: a pipeline's members, in one role or in all, and the extensions of the service."""
    if path == EXTENSIONS:
        return _ids(value, path, Kind.EXTENSION, model)
    if path[: len(PIPELINES)] != PIPELINES or path == PIPELINES:
        return value
    if isinstance(value, Mapping):
        return {role: _ids(ids, (*path, role), Kind(role), model) for role, ids in value.items()}
    return _ids(value, path, Kind(str(path[_ROLE_AT])), model) if len(path) > _ROLE_AT else value


def _ids(value: Value, path: Path, kind: Kind, model: Model) -> Value:
    """A list of ids of this kind, or of connectors, that stands at a path: as the list itself has them, which may name
    what no section defines; those that are not in it, as the section has them.
    """
    if not isinstance(value, tuple):
        return value
    kinds, listed = (kind, Kind.CONNECTOR), _listed(model, path)
    names = {renamed(one, member): member for member in listed for one in kinds}
    names.update({member: member for member in listed})
    return tuple(names.get(str(one)) or _defined(str(one), kinds, model) for one in value)


def _defined(member: str, kinds: tuple[Kind, ...], model: Model) -> str:
    names = (str(model.as_written((kind.value, member))[1]) for kind in kinds)
    return next((name for name in names if name != member), member)


def _listed(model: Model, path: Path) -> tuple[str, ...]:
    """The ids that the text has in a list."""
    value: Value = model.values
    for step in path:
        names = (one for one in entries_of(value) if trimmed(one) == step)
        value = entries_of(value).get(next(names, str(step)))
    return tuple(trimmed(str(one)) for one in value) if isinstance(value, tuple) else ()
