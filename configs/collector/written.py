"""PURE. Differences with the names that the texts use: models know components by their names of 2026 alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from configs.collector.difference import EXTENSIONS, PIPELINES, Change
from configs.collector.model import Model
from configs.collector.names import Kind
from configs.collector.values import Path, Value

_ROLE_AT: Final = len(PIPELINES) + 1


def as_written(change: Change, before: Model, after: Model) -> Change:
    """The change in the words of its texts: the place in those of the text that has it, `after` if both do."""
    return replace(
        change,
        path=_place(change.path, before, after),
        before=_members(change.path, change.before, before),
        after=_members(change.path, change.after, after),
    )


def member_as_written(model: Model, role: str, member: str) -> str:
    """The name of a pipeline's member in the text: of the role's own section, or a connector's."""
    sections = (role, Kind.CONNECTOR.value)
    names = (str(model.as_written((section, member))[1]) for section in sections)
    return next((name for name in names if name != member), member)


def _place(path: Path, before: Model, after: Model) -> Path:
    is_gone = path[0] in set(Kind) and path[1] not in after.components[Kind(str(path[0]))]
    return (before if is_gone else after).as_written(path)


def _members(path: Path, value: Value, model: Model) -> Value:
    """Lists of ids: a pipeline's members, in one role or in all, and the extensions of the service."""
    if path == EXTENSIONS:
        return _ids(value, Kind.EXTENSION.value, model)
    if path[: len(PIPELINES)] != PIPELINES:
        return value
    if isinstance(value, Mapping):
        return {role: _ids(ids, role, model) for role, ids in value.items()}
    return _ids(value, str(path[_ROLE_AT]), model) if len(path) > _ROLE_AT else value


def _ids(value: Value, role: str, model: Model) -> Value:
    if not isinstance(value, tuple):
        return value
    return tuple(member_as_written(model, role, str(one)) for one in value)
