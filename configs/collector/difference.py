"""PURE. What two configurations mean differently: components, fields, pipelines, service."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from configs.collector.catalog_types import Catalog
from configs.collector.defaults import is_default
from configs.collector.equality import is_same
from configs.collector.model import Model
from configs.collector.names import Kind
from configs.collector.values import Path, Value, entries_of, is_map, key_of

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


Catalogs = tuple[Catalog, Catalog]
"""Of the collectors that are to run the one and the other."""


def difference(
    before: Model, after: Model, *, catalogs: Catalogs | None = None
) -> tuple[Change, ...]:
    """All that differs. Order of keys, comments, formatting, names of 2026 and other ways to write a value do not.

    catalogs: with them a setting that says what is so anyhow is no difference either.
    """
    return tuple(_Comparison(catalogs).of_models(before, after))


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
    """How a list of ids differs; None when it does not."""
    if before == after:
        return None
    deed = Deed.REORDERED if sorted(before) == sorted(after) else Deed.CHANGED
    return Change(deed, path, before, after)


@dataclass(frozen=True, slots=True)
class _Comparison:
    catalogs: Catalogs | None

    def of_models(self, before: Model, after: Model) -> Iterator[Change]:
        """All changes, in the order of the sections."""
        unknown = before.open | after.open
        for kind in Kind:
            if kind in unknown:
                yield from _open_part((kind.value,), before, after)
            else:
                yield from self._sections(
                    (kind.value,), before.components[kind], after.components[kind]
                )
        if "service" in unknown:
            yield from _open_part(("service",), before, after)
            return
        if "pipelines" in unknown:
            yield from _open_part(PIPELINES, before, after)
        else:
            yield from _pipelines(before, after)
        change = member_change(EXTENSIONS, before.extensions, after.extensions)
        yield from () if change is None else (change,)
        yield from self._fields(TELEMETRY, before.telemetry, after.telemetry)

    def _sections(
        self, path: Path, before: Mapping[str, Value], after: Mapping[str, Value]
    ) -> Iterator[Change]:
        for name in {**before, **after}:
            here = (*path, name)
            if name not in after:
                if not self._is_default(here, before[name], side=1):
                    yield Change(Deed.REMOVED, here, before=before[name])
            elif name not in before:
                if not self._is_default(here, after[name], side=0):
                    yield Change(Deed.ADDED, here, after=after[name])
            else:
                yield from self._fields(here, before[name], after[name])

    def _fields(self, path: Path, before: Value, after: Value) -> Iterator[Change]:
        """What differs inside one value: fields of maps one by one, items of lists of equal length one by one."""
        if is_same(before, after, key_of(path), is_certain=True):
            return
        if isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
            for at, (one, other) in enumerate(zip(before, after, strict=True)):
                yield from self._fields((*path, at), one, other)
        elif is_map(before) and is_map(after):
            yield from self._sections(path, entries_of(before), entries_of(after))
        else:
            yield Change(Deed.CHANGED, path, before, after)

    def _is_default(self, path: Path, value: Value, *, side: int) -> bool:
        """side: of the configuration that does not say it, 0 or 1."""
        return self.catalogs is not None and is_default(path, value, self.catalogs[side])


def _open_part(path: Path, before: Model, after: Model) -> Iterator[Change]:
    """A part that a reference stands for in one of them: what is in it is known on the host alone."""
    one, other = (_at(path, model) for model in (before, after))
    if not is_same(one, other, is_certain=True):
        yield Change(Deed.CHANGED, path, one, other)


def _at(path: Path, model: Model) -> Value:
    value: Value = model.values
    for step in path:
        value = entries_of(value).get(str(step))
    return value


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
