"""PURE. What two configurations mean differently: components, fields, pipelines, service."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from configs.collector.equality import is_same
from configs.collector.model import Model
from configs.collector.names import Kind
from configs.collector.values import Path, Value, entries_of, is_map

PIPELINES: Final = ("service", "pipelines")
EXTENSIONS: Final = ("service", "extensions")
TELEMETRY: Final = ("service", "telemetry")


class Deed(StrEnum):
    """What became of a part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"
    """The same members in another order."""


class Impact(StrEnum):
    """What a collector has to do for a change. Supervisors restart the whole collector for any."""

    NOTHING = "nothing"
    RECEIVERS = "receivers"
    """Receivers alone change: with the gate service.partialReload only these are restarted."""
    COLLECTOR = "collector"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. path: where, from the root · before and after: None where there is nothing."""

    deed: Deed
    path: Path
    before: Value = None
    after: Value = None

    @property
    def place(self) -> str:
        """The path as collectors write it: `exporters::otlp_grpc::endpoint`."""
        return "::".join(map(str, self.path))


def difference(before: Model, after: Model) -> tuple[Change, ...]:
    """All that differs. Order of keys, comments, formatting, names of 2026 and other ways to write a value do not."""
    return tuple(_differences(before, after))


def impact_of(changes: Iterable[Change]) -> Impact:
    """What the changes mean for the collector that runs."""
    impact = Impact.NOTHING
    for change in changes:
        is_receiver = change.path[0] == Kind.RECEIVER and change.deed is Deed.CHANGED
        if not is_receiver:
            return Impact.COLLECTOR
        impact = Impact.RECEIVERS
    return impact


def member_change(path: Path, before: tuple[str, ...], after: tuple[str, ...]) -> Change | None:
    """How a list of ids differs; None when it does not, or when a reference stands in one of them."""
    if before == after or any("${" in one for one in (*before, *after)):
        return None
    deed = Deed.REORDERED if sorted(before) == sorted(after) else Deed.CHANGED
    return Change(deed, path, before, after)


def _differences(before: Model, after: Model) -> Iterator[Change]:
    unknown = before.open | after.open
    for kind in Kind:
        if kind not in unknown:
            yield from _sections((kind.value,), before.components[kind], after.components[kind])
    if not unknown & {"service", "pipelines"}:
        yield from _pipelines(before, after)
    if "service" not in unknown:
        change = member_change(EXTENSIONS, before.extensions, after.extensions)
        yield from () if change is None else (change,)
        yield from field_changes(TELEMETRY, before.telemetry, after.telemetry)


def _sections(
    path: Path, before: Mapping[str, Value], after: Mapping[str, Value]
) -> Iterator[Change]:
    for name in {**before, **after}:
        here = (*path, name)
        if name not in after:
            yield Change(Deed.REMOVED, here, before=before[name])
        elif name not in before:
            yield Change(Deed.ADDED, here, after=after[name])
        else:
            yield from field_changes(here, before[name], after[name])


def _pipelines(before: Model, after: Model) -> Iterator[Change]:
    for name in {**before.pipelines, **after.pipelines}:
        here = (*PIPELINES, name)
        one, other = before.pipelines.get(name), after.pipelines.get(name)
        if other is None and one is not None:
            yield Change(Deed.REMOVED, here, before=one.members)
        elif one is None and other is not None:
            yield Change(Deed.ADDED, here, after=other.members)
        elif one is not None and other is not None:
            for role in one.members:
                change = member_change((*here, role), one.members[role], other.members[role])
                yield from () if change is None else (change,)


def field_changes(path: Path, before: Value, after: Value) -> Iterator[Change]:
    """What differs inside one value: fields of maps one by one, items of lists of equal length one by one."""
    if is_same(before, after, _key(path)):
        return
    if isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from field_changes((*path, at), one, other)
    elif is_map(before) and is_map(after):
        yield from _sections(path, entries_of(before), entries_of(after))
    else:
        yield Change(Deed.CHANGED, path, before, after)


def _key(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")
