"""PURE. A configuration as what it makes: components, pipelines, connectors between pipelines, service."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from configs.collector.names import Kind, renamed, trimmed, type_of
from configs.collector.nodes import Document
from configs.collector.references import Variable, variables_named_by
from configs.collector.values import Expansion, Value, entries_of, scalars_in, value_of

_ROLES: Final = {
    "receivers": Kind.RECEIVER,
    "processors": Kind.PROCESSOR,
    "exporters": Kind.EXPORTER,
}
Members = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline: the ids of its members in order, as the collector reads them (a connector is both, out and in)."""

    id: str
    receivers: Members
    processors: Members
    exporters: Members

    @property
    def signal(self) -> str:
        """traces, metrics, logs or profiles."""
        return type_of(self.id)

    @property
    def members(self) -> Mapping[str, Members]:
        """Its members by their role, which is also their key in the text."""
        return {role: getattr(self, role) for role in _ROLES}


@dataclass(frozen=True, slots=True)
class Model:
    """A configuration. Names that were changed in 2026 stand as the new ones, so that both mean the same.

    open: sections that a reference stands for, which are known on the host alone · extensions: those in service,
    in order · telemetry: what service::telemetry says.
    """

    components: Mapping[Kind, Mapping[str, Value]]
    pipelines: Mapping[str, Pipeline]
    extensions: Members
    telemetry: Value
    open: frozenset[str]
    values: Mapping[str, Value]

    def used_types(self) -> Mapping[Kind, frozenset[str]]:
        """The component types that the service uses, by kind and by their present names: what is ever built.

        Parts that no pipeline and no service uses are left out, and so are names that a reference stands for.
        """
        used: dict[Kind, set[str]] = {kind: set() for kind in Kind}
        for pipeline in self.pipelines.values():
            for role, members in pipeline.members.items():
                for member in members:
                    used[self._kind(_ROLES[role], member)].add(type_of(member))
        used[Kind.EXTENSION].update(map(type_of, self.extensions))
        return {
            kind: frozenset(one for one in types if "$" not in one) for kind, types in used.items()
        }

    def as_written(self, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """A path with the name that the text has for its component: the old one where it says that."""
        if len(path) < 2 or path[0] not in set(Kind):
            return path
        kind, name = Kind(str(path[0])), path[1]
        names = entries_of(self.values.get(kind))
        exact = [one for one in names if trimmed(one) == name]
        same = exact or [one for one in names if renamed(kind, trimmed(one)) == name]
        return (kind.value, next(iter(same), name), *path[2:])

    def written_types(self) -> Mapping[Kind, frozenset[str]]:
        """The component types that the text defines, used or not, with its names for them.

        A collector has to know them all: it refuses a text with another one (run with 0.149.0 and 0.158.0).
        """
        ids = {kind: map(trimmed, entries_of(self.values.get(kind))) for kind in Kind}
        return {
            kind: frozenset(type_of(one) for one in found if "$" not in one)
            for kind, found in ids.items()
        }

    def _kind(self, kind: Kind, member: str) -> Kind:
        return Kind.CONNECTOR if member in self.components[Kind.CONNECTOR] else kind


def model_of(document: Document) -> Model:
    """The model of a parsed configuration."""
    root = value_of(document.root)
    assert isinstance(root, Mapping)
    return model_from(root)


def model_from(root: Mapping[str, Value]) -> Model:
    """The model of a configuration's value, such as several files merged."""
    service = entries_of(root.get("service"))
    components, names = {}, {}
    for kind in Kind:
        section = entries_of(root.get(kind))
        names[kind] = _present_names(kind, section)
        components[kind] = {names[kind](one): body for one, body in section.items()}
    naming = _member_naming(components, names)
    pipelines = {
        (pipeline_id := trimmed(name)): _pipeline(pipeline_id, entries_of(body), naming)
        for name, body in entries_of(service.get("pipelines")).items()
    }
    return Model(
        components=components,
        pipelines=pipelines,
        extensions=tuple(names[Kind.EXTENSION](one) for one in _members(service.get("extensions"))),
        telemetry=service.get("telemetry"),
        open=frozenset(_open_sections(root, service)),
        values=root,
    )


def environment_names(model: Model) -> tuple[Variable, ...]:
    """The environment variables that its values name, in order of first use.

    One has a default only if all its uses have one.
    """
    found: dict[str, bool] = {}
    for scalar in scalars_in(model.values):
        if isinstance(scalar, Expansion):
            for part in scalar.parts:
                for one in () if isinstance(part, str) else variables_named_by(part):
                    found[one.name] = found.get(one.name, True) and one.has_default
    return tuple(Variable(name, has_default) for name, has_default in found.items())


Naming = Callable[[str], str]


def _present_names(kind: Kind, section: Mapping[str, Value]) -> Naming:
    """From an id as written to its present name. Where both names are taken they are two components and stay two."""
    ids = {trimmed(one) for one in section}

    def name(text: str) -> str:
        component_id = trimmed(text)
        present = renamed(kind, component_id)
        return component_id if present in ids and component_id in ids else present

    return name


def _member_naming(
    components: Mapping[Kind, Mapping[str, Value]], names: Mapping[Kind, Naming]
) -> Mapping[str, Naming]:
    """How each role's members are named: a connector's name is a connector's, in both roles."""
    connectors = components[Kind.CONNECTOR]

    def naming(kind: Kind) -> Naming:
        def name(text: str) -> str:
            as_connector = names[Kind.CONNECTOR](text)
            return as_connector if as_connector in connectors else names[kind](text)

        return name

    return {role: naming(kind) for role, kind in _ROLES.items()}


def _pipeline(
    pipeline_id: str, body: Mapping[str, Value], naming: Mapping[str, Naming]
) -> Pipeline:
    members = {
        role: tuple(naming[role](one) for one in _members(body.get(role))) for role in _ROLES
    }
    # Receivers and exporters named twice are one.
    for role in ("receivers", "exporters"):
        members[role] = tuple(dict.fromkeys(members[role]))
    return Pipeline(pipeline_id, **members)


def _members(value: Value) -> Members:
    if isinstance(value, Expansion):
        return (value.text,)
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()


def _open_sections(root: Mapping[str, Value], service: Mapping[str, Value]) -> Iterator[str]:
    for name, value in root.items():
        if isinstance(value, Expansion):
            yield name
    if isinstance(service.get("pipelines"), Expansion):
        yield "pipelines"
