"""What a version needs of the hosts and builds that run it: components, variables, and text that holds. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from configs.collector.errors import ParseError
from configs.collector.model import Model, environment_names, model_of
from configs.collector.names import Kind, renamed
from configs.collector.parse import parse

Component = tuple[str, str]
"""Kind and type: ("exporters", "debug"); names that were changed in 2026 stand as the new ones."""

_CONNECTING: Final = frozenset({Kind.RECEIVER, Kind.EXPORTER})
_ROLES: Final = {
    "receivers": Kind.RECEIVER,
    "processors": Kind.PROCESSOR,
    "exporters": Kind.EXPORTER,
}


@dataclass(frozen=True, slots=True)
class Needs:
    """environment: variables without a default · faults: why no collector can run the text · model: None then."""

    components: frozenset[Component] = frozenset()
    environment: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()
    model: Model | None = None

    def called(self, component: Component) -> str:
        """As people and the text call it: "exporter kafka"."""
        kind, name = component
        written = self.model.type_as_written(Kind(kind), name) if self.model else name
        return f"{kind.removesuffix('s')} {written}"


def needs_of(text: str) -> Needs:
    """What a version's text needs. Only components that a pipeline or the service uses are ever built."""
    try:
        model = model_of(parse(text))
    except ParseError as problem:
        return Needs(faults=(str(problem),))
    used = {(kind.value, name) for kind, types in model.used_types().items() for name in types}
    variables = {one.name for one in environment_names(model) if not one.has_default}
    return Needs(frozenset(used), frozenset(variables), tuple(_undefined(model)), model)


def offered_by(tree: Mapping[str, Any]) -> frozenset[Component]:
    """What a build has, by AvailableComponents; nothing for one that tells nothing."""
    return frozenset(
        (kind.value, renamed(kind, name)) for kind in Kind for name in _below(tree.get(kind.value))
    )


def missing_in(needed: Collection[Component], offered: Collection[Component]) -> list[Component]:
    """What of it a build lacks, in order."""
    return sorted(set(needed) - set(offered))


def _below(node: Any) -> Iterable[str]:
    below = node.get("components") if isinstance(node, Mapping) else None
    return below if isinstance(below, Mapping) else ()


def _undefined(model: Model) -> Iterable[str]:
    """Ids that are used and defined nowhere: every collector refuses them."""
    for pipeline in model.pipelines.values():
        for role, members in pipeline.members.items():
            for member in members:
                if not _is_defined(model, _ROLES[role], member):
                    yield f"The pipeline {pipeline.id} uses {member}, and {role} does not define it."
    for extension in model.extensions:
        if not _is_defined(model, Kind.EXTENSION, extension):
            yield f"The service uses {extension}, and extensions does not define it."


def _is_defined(model: Model, kind: Kind, member: str) -> bool:
    """What a reference stands for is known on the host alone, and may define anything."""
    kinds = {kind, Kind.CONNECTOR} if kind in _CONNECTING else {kind}
    is_open = "$" in member or any(one in model.open for one in kinds)
    return is_open or any(member in model.components[one] for one in kinds)
