"""PURE. A configuration as rules look at it: as written, with ids trimmed and nothing renamed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Final, NamedTuple

from configs.collector.catalog_types import Catalog
from configs.collector.catalog_types import Component as Known
from configs.collector.files import Files
from configs.collector.model import Model, model_from
from configs.collector.names import Kind, renamed, trimmed, type_of
from configs.collector.rules.edits import Edits
from configs.collector.rules.hit import Hit
from configs.collector.rules.schema import SchemaWalk
from configs.collector.target import Target
from configs.collector.telemetry import TELEMETRY
from configs.collector.values import Expansion, Path, Value, entries_of, key_of

ROLES: Final[Mapping[str, Kind]] = {
    "receivers": Kind.RECEIVER,
    "processors": Kind.PROCESSOR,
    "exporters": Kind.EXPORTER,
}
_MOST_FAULTS: Final = 400
"""How many faults are looked for against the catalog."""
_KINDS: Final = frozenset(Kind)
_CONNECTING: Final = frozenset({Kind.RECEIVER, Kind.EXPORTER})


@dataclass(frozen=True, slots=True)
class Component:
    """A defined component. id: trimmed, as the collector reads it."""

    kind: Kind
    id: str
    body: Value
    path: Path

    @property
    def type(self) -> str:
        """The type, as written."""
        return type_of(self.id)

    @property
    def settings(self) -> Mapping[str, Value]:
        """Its settings; none when it has none, or a reference stands for them."""
        return entries_of(self.body)


class Member(NamedTuple):
    """An id in a list of service."""

    id: str
    path: Path

    @property
    def is_open(self) -> bool:
        """Whether a reference stands in it: it may be any id."""
        return "${" in self.id


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline as written. members: by role, in order, doubles and all."""

    id: str
    path: Path
    body: Value
    members: Mapping[str, tuple[Member, ...]]

    @property
    def signal(self) -> str:
        """traces, metrics, logs or profiles; another word when it is written wrongly."""
        return type_of(self.id)


class Setting(NamedTuple):
    """One value of the whole, with its path."""

    path: Path
    value: Value

    @property
    def key(self) -> str:
        """The key it stands under; in a list, the list's."""
        return key_of(self.path)


class Subject:
    """All that rules may ask. root: as the collector reads it, without what it drops (P13) · catalog: None when no
    collector version was named.
    """

    def __init__(
        self,
        files: Files,
        *,
        catalog: Catalog | None = None,
        target: Target | None = None,
        version: str | None = None,
    ) -> None:
        self.files = files
        self.root = _without_dropped(files.root)
        self.catalog = catalog
        self.target = target or Target()
        self.is_version_named = bool(version)
        self.version = _version(version or (catalog.version if catalog else ""))
        self.edits = Edits(files)

    @cached_property
    def model(self) -> Model:
        """What it makes, under present names."""
        return model_from(self.root)

    @cached_property
    def service(self) -> Mapping[str, Value]:
        """The section service."""
        return entries_of(self.root.get("service"))

    @cached_property
    def components(self) -> Mapping[Kind, Mapping[str, Component]]:
        """The defined components, by kind and id."""
        return {kind: {one.id: one for one in self._defined(kind)} for kind in Kind}

    @cached_property
    def pipelines(self) -> tuple[Pipeline, ...]:
        """The pipelines in order."""
        return tuple(self._pipelines())

    @cached_property
    def extensions(self) -> tuple[Member, ...]:
        """The extensions that the service starts."""
        path = ("service", "extensions")
        return tuple(_members(self.service.get("extensions"), path))

    @cached_property
    def used(self) -> Mapping[Kind, frozenset[str]]:
        """The ids that pipelines and service use, by kind: what is built and started."""
        used: dict[Kind, set[str]] = {kind: set() for kind in Kind}
        for pipeline in self.pipelines:
            for role, members in pipeline.members.items():
                for member in members:
                    found = self.component(role, member.id)
                    used[found.kind if found else ROLES[role]].add(member.id)
        used[Kind.EXTENSION].update(member.id for member in self.extensions)
        return {kind: frozenset(ids) for kind, ids in used.items()}

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Every value below the root, those above before those inside."""
        return tuple(_settings((), self.root))

    @cached_property
    def texts(self) -> tuple[Setting, ...]:
        """Every value that is a text, or a text with references: those of what is dropped too, which are resolved."""
        is_whole = self.root is self.files.root
        settings = self.settings if is_whole else tuple(_settings((), self.files.root))
        return tuple(one for one in settings if isinstance(one.value, str | Expansion))

    @cached_property
    def _by_key(self) -> Mapping[str, list[Setting]]:
        found: dict[str, list[Setting]] = {}
        for one in self.settings:
            if isinstance(one.path[-1], str):
                found.setdefault(one.path[-1], []).append(one)
        return found

    def named(self, *keys: str, below: Kind | None = None) -> Iterator[Setting]:
        """The settings of components under these keys; below: of one kind alone."""
        sections = _KINDS if below is None else {below}
        for key in keys:
            for one in self._by_key.get(key, ()):
                if len(one.path) > 2 and one.path[0] in sections:
                    yield one

    def at(self, *path: str | int) -> Value:
        """The value at a path; None when there is none."""
        value: Value = self.root
        for step in path:
            if isinstance(value, tuple) and isinstance(step, int):
                value = value[step] if step < len(value) else None
            else:
                value = entries_of(value).get(str(step))
        return value

    def component(self, role: str, member: str) -> Component | None:
        """What a pipeline means by an id in a role: a connector counts as receiver and as exporter."""
        kind = ROLES[role]
        found = self.components[kind].get(member)
        if found is None and kind in _CONNECTING:
            return self.components[Kind.CONNECTOR].get(member)
        return found

    def every(self, *kinds: Kind) -> Iterator[Component]:
        """The components of these kinds, of all when none is named."""
        for kind in kinds or tuple(Kind):
            yield from self.components[kind].values()

    def of_type(self, kind: Kind, *types: str) -> Iterator[Component]:
        """The components of a kind that are of one of these types."""
        yield from (one for one in self.components[kind].values() if one.type in types)

    def owner(self, path: Path) -> Component | None:
        """The component that a path leads into."""
        if len(path) < 2 or path[0] not in _KINDS:
            return None
        return self.components[Kind(str(path[0]))].get(trimmed(str(path[1])))

    def is_used(self, component: Component) -> bool:
        """Whether a pipeline or the service uses it, so that it is built and started."""
        return component.id in self.used[component.kind]

    def is_open(self, *sections: str) -> bool:
        """Whether a reference stands for one of these sections: it may hold anything."""
        return any(isinstance(self.root.get(one), Expansion) for one in sections)

    def known(self, component: Component) -> Known | None:
        """What the catalog says about it; None without a catalog, and for what it does not list."""
        return self.catalog.find(component.kind, component.type) if self.catalog else None

    def is_of_version(self, known: Known) -> bool:
        """Whether what the catalog says of signals and stability is of the collector's own version."""
        is_own = self.catalog is not None and self.version == _version(self.catalog.version)
        return is_own and not known.facts_from

    def has(self, component: Component) -> bool:
        """Whether the catalog lists the type, or some build says that it has it."""
        present = renamed(component.kind, component.type)
        is_reported = (component.kind.value, present) in self.target.reported
        return is_reported or self.known(component) is not None

    def lacks(self, component: Component) -> bool:
        """Whether collectors certainly do not have the type."""
        catalog = self.catalog
        is_certain = catalog is not None and not catalog.may_have(component.kind, component.type)
        return is_certain and not self.has(component)

    def since(self, *version: int) -> bool:
        """Whether the collector is of this version or later; False when its version is not known."""
        return bool(self.version) and self.version >= version

    def before(self, *version: int) -> bool:
        """Whether the collector is of an earlier version; False when its version is not known."""
        return bool(self.version) and self.version < version

    def schema_faults(self, rule_id: str) -> Iterator[Hit]:
        """What does not fit the catalog's settings, of one rule."""
        yield from (hit for found, hit in self._schema_faults if found == rule_id)

    @cached_property
    def _schema_faults(self) -> tuple[tuple[str, Hit], ...]:
        found = (
            fault
            for component in self.every()
            if (known := self.known(component)) and known.config
            for fault in SchemaWalk(known, self.edits).faults(component.body, component.path)
        )
        telemetry = SchemaWalk(TELEMETRY, self.edits).faults(
            self.service.get("telemetry"), ("service", "telemetry")
        )
        return tuple(islice(chain(found, telemetry), _MOST_FAULTS))

    def _defined(self, kind: Kind) -> Iterator[Component]:
        for name, body in entries_of(self.root.get(kind)).items():
            yield Component(kind, trimmed(name), body, (kind.value, name))

    def _pipelines(self) -> Iterator[Pipeline]:
        for name, body in entries_of(self.service.get("pipelines")).items():
            path = ("service", "pipelines", name)
            members = {
                role: tuple(_members(entries_of(body).get(role), (*path, role))) for role in ROLES
            }
            yield Pipeline(trimmed(name), path, body, members)


def dropped(root: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Section and id of what a collector drops: it trims blanks off an id, looks for the body under what is left, and
    finds none (otelcol/internal/configunmarshaler). The component runs on its defaults.
    """
    for kind in Kind:
        for name, body in entries_of(root.get(kind)).items():
            if name != trimmed(name) and isinstance(body, Mapping | Expansion) and body:
                yield kind.value, name


def _without_dropped(root: Mapping[str, Value]) -> Mapping[str, Value]:
    found = set(dropped(root))
    sections = {
        section: {
            name: None if (section, name) in found else body
            for name, body in entries_of(root[section]).items()
        }
        for section in {section for section, _ in found}
    }
    return {**root, **sections} if sections else root


def _members(value: Value, path: Path) -> Iterator[Member]:
    if isinstance(value, Expansion):
        yield Member(value.text, path)
    for at, one in enumerate(value if isinstance(value, tuple) else ()):
        yield Member(trimmed(str(one)), (*path, at))


def _settings(path: Path, value: Value) -> Iterator[Setting]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value)  # type: ignore[arg-type]
    for step, one in items:
        here = (*path, step)
        yield Setting(here, one)
        if isinstance(one, Mapping | tuple):
            yield from _settings(here, one)


def _version(text: str) -> tuple[int, ...]:
    parts = text.removeprefix("v").split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()
