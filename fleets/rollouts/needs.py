"""What a version needs of the hosts and builds that run it: components, variables, and text that holds. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from configs.checking import checked
from configs.collector.errors import ParseError
from configs.collector.findings import Severity
from configs.collector.model import Model, environment_names, model_of
from configs.collector.names import RENAMED, Kind, renamed
from configs.collector.parse import parse

Component = tuple[str, str]
"""Kind and type: ("exporters", "debug")."""

_NOT_ASKED: Final = frozenset({"G02", "G03", "G04", "P10", "P11", "P19"})
"""No receivers, exporters or pipelines: a supervisor starts its collector so that it takes that, and moves nothing.
Component types: collectors say themselves which they have. Old names and settings: they work.
"""
_KEPT: Final = 8
_MOST_VERSIONS: Final = 20


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that the validator says of a text; its secrets are masked. line: 0 where it has no place."""

    rule: str
    message: str
    line: int = 0
    is_error: bool = False

    def __str__(self) -> str:
        """For people."""
        return f"Line {self.line}: {self.message}" if self.line else self.message

    @property
    def what(self) -> tuple[str, str, bool]:
        """The same in another text, wherever it stands there."""
        return self.rule, self.message, self.is_error


@dataclass(frozen=True, slots=True)
class Needs:
    """components: that the text defines, with its names for them · environment: variables without a default ·
    said: errors and warnings of the validator · model: None for a text that cannot be read · used: components that the
    service uses; names that were changed in 2026 stand as the new ones.
    """

    components: frozenset[Component] = frozenset()
    environment: frozenset[str] = frozenset()
    said: tuple[Said, ...] = ()
    model: Model | None = None
    used: frozenset[Component] = frozenset()

    @property
    def faults(self) -> list[Said]:
        """Why no collector runs the text."""
        return [one for one in self.said if one.is_error]

    @property
    def warnings(self) -> list[Said]:
        """What a collector takes and people may not want."""
        return [one for one in self.said if not one.is_error]


def called(component: Component) -> str:
    """As people call it: "exporter kafka"."""
    kind, name = component
    return f"{kind.removesuffix('s')} {name}"


@lru_cache(maxsize=_KEPT)
def needs_of(text: str, versions: tuple[str, ...] = ("",)) -> Needs:
    """What a version's text needs.

    versions: of the collectors that are to run it, the most frequent first; what is said of the text holds for all.
    Kept, since a plan that is being edited asks again and again.
    """
    said = _said_of_all(text, versions)
    try:
        model = model_of(parse(text))
    except ParseError:
        return Needs(said=said)
    variables = {one.name for one in environment_names(model) if not one.has_default}
    written, used = map(_components, (model.written_types(), model.used_types()))
    return Needs(written, frozenset(variables), said, model, used)


def _components(types: Mapping[Kind, Collection[str]]) -> frozenset[Component]:
    return frozenset((kind.value, name) for kind, names in types.items() for name in names)


@lru_cache(maxsize=_KEPT * _MOST_VERSIONS)
def said_of(text: str, collector_version: str = "") -> tuple[Said, ...]:
    """Errors and warnings of the validator, for collectors of this version; "" for whatever version."""
    return tuple(
        Said(one.rule, one.message, one.span.line, is_error=one.severity is Severity.ERROR)
        for one in checked(text, collector_version).findings
        if one.severity is not Severity.INFO and one.rule not in _NOT_ASKED
    )


def _said_of_all(text: str, versions: Sequence[str]) -> tuple[Said, ...]:
    first, *others = versions[:_MOST_VERSIONS]
    known = [{one.what for one in said_of(text, version)} for version in others]
    return tuple(one for one in said_of(text, first) if all(one.what in what for what in known))


def said_by_version(
    text: str, versions: Sequence[str], before: str | None = None
) -> dict[str, tuple[Said, ...]]:
    """What is wrong with a text on some of these collector versions; versions of which nothing is are left out.

    versions: as needs_of has them · before: the text that runs there, whose faults are none.
    """
    found = {}
    for version in versions[:_MOST_VERSIONS]:
        known = (*_said_of_all(text, versions), *(said_of(before, version) if before else ()))
        what = {one.what for one in known}
        if new := tuple(one for one in said_of(text, version) if one.what not in what):
            found[version] = new
    return found


def offered_by(tree: Mapping[str, Any]) -> frozenset[Component]:
    """What a build has, by AvailableComponents; nothing for one that tells nothing. Present names, as in Needs.used."""
    return frozenset((kind, renamed(Kind(kind), name)) for kind, name in _listed(tree))


def taken_by(tree: Mapping[str, Any]) -> frozenset[Component]:
    """The names of components that a build takes, by AvailableComponents.

    A build with the new name of one takes the old one too; a build of before the change does not know the new one.
    Those that take both list both (seen of 0.149.0 and 0.158.0).
    """
    listed = frozenset(_listed(tree))
    return listed | {
        (kind.value, old)
        for kind, names in RENAMED.items()
        for old, new in names.items()
        if (kind.value, new) in listed
    }


def missing_in(needed: Collection[Component], offered: Collection[Component]) -> list[Component]:
    """What of it a build lacks, in order."""
    return sorted(set(needed) - set(offered))


def _listed(tree: Mapping[str, Any]) -> Iterable[Component]:
    for kind in Kind:
        node = tree.get(kind.value)
        below = node.get("components") if isinstance(node, Mapping) else None
        for name in below if isinstance(below, Mapping) else ():
            yield kind.value, name
