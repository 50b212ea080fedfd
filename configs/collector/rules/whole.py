"""PURE. The configuration as a whole: what every collector demands of it (rules G02 to G09, M01)."""

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Final

from configs.collector.findings import Fix, Severity
from configs.collector.names import Kind
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import CONFIGURATION, Rule, rule
from configs.collector.rules.subject import ROLES, Member, Pipeline, Subject
from configs.collector.values import entries_of, is_map

_SERVICE: Final = CONFIGURATION + "#service"
_MOST: Final = 200
"""How many names are compared with one that is not known."""
_MOST_LISTS: Final = 1_000
_ONCE: Final = {"receivers": "receiver", "processors": "processor", "exporters": "exporter"}


@rule("G02", Severity.ERROR, "No receivers", CONFIGURATION + "#receivers")
def no_receivers(subject: Subject) -> Iterator[Hit]:
    """Something has to come in."""
    if not subject.components[Kind.RECEIVER] and not subject.is_open("receivers"):
        yield Hit(
            "There are no receivers. Add the section receivers with at least one.", ("receivers",)
        )


@rule("G03", Severity.ERROR, "No exporters", CONFIGURATION + "#exporters")
def no_exporters(subject: Subject) -> Iterator[Hit]:
    """Something has to go out."""
    if not subject.components[Kind.EXPORTER] and not subject.is_open("exporters"):
        yield Hit(
            "There are no exporters. Add the section exporters with at least one.", ("exporters",)
        )


@rule("G04", Severity.ERROR, "No pipelines", _SERVICE)
def no_pipelines(subject: Subject) -> Iterator[Hit]:
    """The service has to do something."""
    is_open = subject.is_open("service") or "pipelines" in subject.model.open
    if (
        not subject.pipelines
        and not is_open
        and "service.AllowNoPipelines" not in subject.target.gates
    ):
        yield Hit(
            "There are no pipelines. Add one in service::pipelines.", ("service", "pipelines"), True
        )


@rule("G05", Severity.ERROR, "One id for two", CONFIGURATION + "#connectors")
def ambiguous_connectors(subject: Subject) -> Iterator[Hit]:
    """Pipelines name connectors like receivers and exporters."""
    for connector in subject.every(Kind.CONNECTOR):
        for kind in (Kind.RECEIVER, Kind.EXPORTER):
            if connector.id in subject.components[kind]:
                message = f"{shown(connector.id)} is also one of the {kind.value}. Give the connector another name."
                yield Hit(message, connector.path, True)


@rule("G06", Severity.ERROR, "Undefined extension", CONFIGURATION + "#extensions")
def undefined_extensions(subject: Subject) -> Iterator[Hit]:
    """What the service starts is defined."""
    defined = subject.components[Kind.EXTENSION]
    for member in subject.extensions:
        if member.id not in defined and not member.is_open and not subject.is_open("extensions"):
            hint, fix = _nearest(subject, member, list(defined))
            message = f"The service uses the extension {shown(member.id)}, and extensions does not define it. {hint}"
            yield Hit(message, member.path, fix=fix)


@rule("G07", Severity.ERROR, "Undefined member of a pipeline", _SERVICE)
def undefined_members(subject: Subject) -> Iterator[Hit]:
    """What a pipeline names is defined, in its role."""
    for pipeline in subject.pipelines:
        for role, members in pipeline.members.items():
            for member in members:
                if not _is_defined(subject, role, member):
                    yield _undefined(subject, pipeline, role, member)


@rule("G08", Severity.ERROR, "A pipeline without an end", _SERVICE)
def loose_pipelines(subject: Subject) -> Iterator[Hit]:
    """A pipeline receives and exports."""
    for pipeline in subject.pipelines:
        body = pipeline.body
        for role in ("receivers", "exporters") if is_map(body) else ():
            if not pipeline.members[role] and entries_of(body).get(role) in (None, ()):
                message = f"The pipeline {pipeline.id} has no {role}. Add one to its {role}."
                yield Hit(message, (*pipeline.path, role), True)


@rule("G09", Severity.ERROR, "A member named twice", _SERVICE)
def doubles(subject: Subject) -> Iterator[Hit]:
    """A processor may stand in a pipeline once; receivers and exporters count once."""
    for pipeline in subject.pipelines:
        for role, members in pipeline.members.items():
            seen: set[str] = set()
            for member in members:
                if member.id in seen and not member.is_open:
                    severity = None if role == "processors" else Severity.WARNING
                    named = f"{_ONCE[role]} {shown(member.id)}"
                    message = f"The pipeline {pipeline.id} names the {named} twice. Remove one."
                    fix = subject.edits.item_removed("Remove it here", member.path)
                    yield Hit(message, member.path, severity=severity, fix=fix)
                seen.add(member.id)


@rule("M01", Severity.INFO, "A list that a later file replaces", CONFIGURATION + "#location")
def replaced_lists(subject: Subject) -> Iterator[Hit]:
    """Maps of several files merge, lists do not."""
    if len(subject.files.files) < 2:
        return
    lists = (one for one in subject.settings if isinstance(one.value, tuple))
    for one in islice(lists, _MOST_LISTS):
        spots = list(subject.files.spots(one.path))
        for spot in spots[:-1]:
            later = f"{spots[-1].file.name}, line {spots[-1].shown.line},"
            message = f"{later} replaces this list: lists are not merged. Keep all in one file."
            yield Hit(message, file=spot.file.name, span=spot.shown)


RULES: Final[tuple[Rule, ...]] = (
    no_receivers,
    no_exporters,
    no_pipelines,
    ambiguous_connectors,
    undefined_extensions,
    undefined_members,
    loose_pipelines,
    doubles,
    replaced_lists,
)


def _is_defined(subject: Subject, role: str, member: Member) -> bool:
    sections = [role] if role == "processors" else [role, Kind.CONNECTOR.value]
    is_open = member.is_open or subject.is_open(*sections)
    return is_open or subject.component(role, member.id) is not None


def _undefined(subject: Subject, pipeline: Pipeline, role: str, member: Member) -> Hit:
    elsewhere = [kind for kind in Kind if member.id in subject.components[kind]]
    kinds = [ROLES[role]] if role == "processors" else [ROLES[role], Kind.CONNECTOR]
    listed = {one.id for one in pipeline.members[role]}
    defined = islice(subject.every(*kinds), _MOST)
    others = [one.id for one in defined if one.id not in listed and not subject.lacks(one)]
    hint, fix = _nearest(subject, member, others)
    if elsewhere:
        hint, fix = f"It is one of the {elsewhere[0].value}.", None
    message = (
        f"The pipeline {pipeline.id} uses {shown(member.id)}, and {role} does not define it. {hint}"
    )
    return Hit(message, member.path, fix=fix)


def _nearest(subject: Subject, member: Member, others: list[str]) -> tuple[str, Fix | None]:
    """What to do, and the fix where one id alone is near."""
    close = get_close_matches(member.id, others, n=2)
    if not close:
        return "Define it, or take it out.", None
    fix = subject.edits.replaced(f"Write {close[0]}", member.path, close[0])
    return f"Did you mean {close[0]}?", fix if len(close) == 1 else None
