"""PURE. How the text is read: keys, ids and names (rules P02 to P07, P12 to P15)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final
from unicodedata import category

from configs.collector import nodes
from configs.collector.findings import Fix, Severity
from configs.collector.names import SIGNALS, Kind, trimmed
from configs.collector.nodes import PATH, resolved
from configs.collector.rules.hit import Hit, place, shown
from configs.collector.rules.rule import CONFIGURATION, Rule, rule
from configs.collector.rules.subject import Subject, dropped
from configs.collector.structure import SECTIONS
from configs.collector.values import Expansion, Path, Time, Value, entries_of

_TYPE: Final = re.compile(r"[a-zA-Z][0-9a-zA-Z_]{0,62}")
_LONGEST_NAME: Final = 1024
_SERVICE: Final = ("telemetry", "extensions", "pipelines")
_PIPELINE: Final = ("receivers", "processors", "exporters")


@rule("P02", Severity.ERROR, "Unknown key", CONFIGURATION)
def unknown_keys(subject: Subject) -> Iterator[Hit]:
    """Keys of the root, of service, of pipelines, and of components whose settings are known."""
    yield from subject.schema_faults("P02")
    for path, keys, known in _outline(subject):
        for key in keys:
            if key not in known and _in_other_case(key, known) is None:
                yield Hit(
                    _unknown(path, key, known),
                    (*path, key),
                    True,
                    fix=_fix(subject, path, key, known),
                )


@rule("P03", Severity.ERROR, "Key in another case", CONFIGURATION)
def keys_in_other_case(subject: Subject) -> Iterator[Hit]:
    """Keys count upper and lower case."""
    yield from subject.schema_faults("P03")
    for path, keys, known in _outline(subject):
        for key in keys:
            right = _in_other_case(key, known)
            if key not in known and right is not None:
                message = f"Keys are case-sensitive: write {right} instead of {shown(key)}."
                fix = subject.edits.renamed(f"Write {right}", (*path, key), right)
                yield Hit(message, (*path, key), True, fix=fix)


@rule("P04", Severity.INFO, "A key that is a path", CONFIGURATION)
def paths_in_keys(subject: Subject) -> Iterator[Hit]:
    """`a::b: 1` means `a: {b: 1}`."""
    for file, entry, _ in entries_of_text(subject, PATH, in_lists=False):
        if PATH in entry.name:
            message = f"The collector reads {shown(entry.name)} as keys inside each other. Nest them to show it."
            yield Hit(message, file=file, span=entry.key.span)


@rule("P05", Severity.ERROR, "Component id", CONFIGURATION)
def component_ids(subject: Subject) -> Iterator[Hit]:
    """`type` or `type/name`."""
    for kind in Kind:
        for name in entries_of(subject.root.get(kind)):
            fault = id_fault(trimmed(name))
            if fault:
                yield Hit(f"{shown(name)} is no component id: {fault}", (kind.value, name), True)


@rule("P06", Severity.ERROR, "Ids that are the same", CONFIGURATION)
def same_ids(subject: Subject) -> Iterator[Hit]:
    """Two keys that are one id once blanks are cut off."""
    sections: list[Path] = [(kind.value,) for kind in Kind]
    for path in [*sections, ("service", "pipelines")]:
        seen: dict[str, str] = {}
        for name in entries_of(subject.at(*path)):
            first = seen.setdefault(trimmed(name), name)
            if first != name:
                message = f"{shown(name)} is the same id as the one above, since blanks do not count. Keep one of them."
                yield Hit(message, (*path, name), True)


@rule("P07", Severity.ERROR, "Pipeline id", CONFIGURATION + "#pipelines")
def pipeline_ids(subject: Subject) -> Iterator[Hit]:
    """`signal` or `signal/name`."""
    for pipeline in subject.pipelines:
        signal, slash, name = pipeline.id.partition("/")
        if signal not in SIGNALS:
            close = get_close_matches(signal.lower(), SIGNALS, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"Signals are {', '.join(SIGNALS)}."
            fix = (
                subject.edits.renamed(
                    f"Write {close[0]}", pipeline.path, f"{close[0]}{slash}{name}"
                )
                if close
                else None
            )
            yield Hit(f"There is no signal {shown(signal)}. {hint}", pipeline.path, True, fix=fix)
        elif id_fault(pipeline.id):
            yield Hit(
                f"{shown(pipeline.id)} is no pipeline id: {id_fault(pipeline.id)}",
                pipeline.path,
                True,
            )


@rule("P12", Severity.WARNING, "A second document", CONFIGURATION)
def second_documents(subject: Subject) -> Iterator[Hit]:
    """Collectors read the first one alone."""
    for file in subject.files.files:
        if file.document.rest is not None:
            message = "The collector does not read what follows: a file is one document. Remove it."
            yield Hit(message, file=file.name, span=file.document.rest)


@rule("P13", Severity.WARNING, "Blanks in an id", CONFIGURATION)
def blanks_in_ids(subject: Subject) -> Iterator[Hit]:
    """The id counts without them, and what stands below it is dropped unread; other rules say what is missing then."""
    for path in dropped(subject.files.root):
        name = path[1]
        message = f"The collector drops what is below {shown(name)}: there are blanks in its id. Remove them."
        fix = subject.edits.renamed("Remove the blanks", path, trimmed(name))
        yield Hit(message, path, True, fix=fix)


@rule("P14", Severity.WARNING, "A setting that is made twice", CONFIGURATION)
def settings_made_twice(subject: Subject) -> Iterator[Hit]:
    """`a::b` beside `a: {b: …}`: which of them wins is chance, so that a collector starts with it, or does not."""
    names = _Names()
    for file, entry, siblings in entries_of_text(subject, PATH, in_lists=False):
        other = names.at(siblings, entry.name.split(PATH)) if PATH in entry.name else None
        if other is not None and not (_is_map(other.value) and _is_map(entry.value)):
            message = (
                f"{shown(entry.name)} is also set on line {other.key.span.line}, "
                "and it is chance which of them the collector takes. Keep one."
            )
            yield Hit(message, file=file, span=entry.key.span)


@rule("P15", Severity.WARNING, "A date without quotes", CONFIGURATION)
def dates(subject: Subject) -> Iterator[Hit]:
    """YAML makes a time of it, which fields for text refuse."""
    for one in subject.texts:
        if isinstance(one.value, Time):
            message = (
                "Without quotes this is a date, which settings for text refuse. Put it in quotes."
            )
            fix = subject.edits.replaced("Put it in quotes", one.path, f'"{one.value}"', raw=True)
            yield Hit(message, one.path, fix=fix)


@rule("P16", Severity.ERROR, "A map or a list is expected", CONFIGURATION)
def shapes(subject: Subject) -> Iterator[Hit]:
    """Sections and components are maps; members of pipelines and extensions are lists."""
    for path, value in _maps(subject):
        if value is not None and not isinstance(value, Mapping | Expansion):
            yield Hit(f"{place(path)} is a map: write its keys below it, indented.", path, True)
    for path, value in _lists(subject):
        if value is not None and not isinstance(value, tuple | Expansion):
            fix = subject.edits.replaced("Make it a list", path, f"[{value}]", raw=True)
            is_id = isinstance(value, str) and not id_fault(value)
            yield Hit(
                f"{place(path)} is a list: write [a, b].", path, True, fix=fix if is_id else None
            )


RULES: Final[tuple[Rule, ...]] = (
    unknown_keys,
    keys_in_other_case,
    paths_in_keys,
    component_ids,
    same_ids,
    pipeline_ids,
    second_documents,
    blanks_in_ids,
    settings_made_twice,
    dates,
    shapes,
)


def id_fault(component_id: str) -> str:
    """What is wrong with an id whose blanks are cut off; "" when it is one."""
    kind, slash, name = component_id.partition("/")
    if not _TYPE.fullmatch(kind):
        return "a type is letters, digits and _, begins with a letter, and has at most 63 of them."
    if slash and not name:
        return "a name is missing after the /."
    if len(name) > _LONGEST_NAME:
        return f"a name has at most {_LONGEST_NAME} characters."
    if any(_is_odd(one) for one in name):
        return "a name has no blanks and no symbols such as + or $."
    return ""


def _is_odd(character: str) -> bool:
    """Separators, control characters and symbols, by their Unicode class."""
    return category(character)[0] in "ZCS"


def _outline(subject: Subject) -> Iterator[tuple[Path, Mapping[str, Value], tuple[str, ...]]]:
    """The maps whose keys are the same in all collectors, with those keys."""
    yield (), subject.root, SECTIONS
    yield ("service",), subject.service, _SERVICE
    for pipeline in subject.pipelines:
        yield pipeline.path, entries_of(pipeline.body), _PIPELINE


def _in_other_case(key: str, known: tuple[str, ...]) -> str | None:
    return next((one for one in known if one == key.lower()), None)


def _unknown(path: Path, key: str, known: tuple[str, ...]) -> str:
    where = f"in {place(path)}" if path else "at the top"
    close = get_close_matches(key, known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(known)}."
    return f"Collectors know no key {shown(key)} {where}. {hint}"


def _fix(subject: Subject, path: Path, key: str, known: tuple[str, ...]) -> Fix | None:
    close = get_close_matches(key, known, n=1)
    return subject.edits.renamed(f"Write {close[0]}", (*path, key), close[0]) if close else None


def _maps(subject: Subject) -> Iterator[tuple[Path, Value]]:
    for section in SECTIONS:
        yield (section,), subject.root.get(section)
    for component in subject.every():
        yield component.path, component.body
    yield ("service", "pipelines"), subject.service.get("pipelines")
    yield ("service", "telemetry"), subject.service.get("telemetry")
    for pipeline in subject.pipelines:
        yield pipeline.path, pipeline.body


def _lists(subject: Subject) -> Iterator[tuple[Path, Value]]:
    yield ("service", "extensions"), subject.service.get("extensions")
    for pipeline in subject.pipelines:
        for role in _PIPELINE:
            yield (*pipeline.path, role), entries_of(pipeline.body).get(role)


class _Names:
    """Entries by their names, looked up once for each map."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, nodes.Entry]] = {}

    def at(self, node: nodes.Node, steps: Sequence[str]) -> nodes.Entry | None:
        """The entry that a path of several steps leads to, each of them a key of its own."""
        entry = None
        for step in steps:
            target = resolved(node)
            if not isinstance(target, nodes.Mapping):
                return None
            entry = self._of(target).get(step)
            if entry is None:
                return None
            node = entry.value
        return entry

    def _of(self, node: nodes.Mapping) -> Mapping[str, nodes.Entry]:
        if id(node) not in self._known:
            self._known[id(node)] = {entry.name: entry for entry in node.entries}
        return self._known[id(node)]


def _is_map(node: nodes.Node) -> bool:
    return isinstance(resolved(node), nodes.Mapping)


def entries_of_text(
    subject: Subject, sign: str, *, in_lists: bool = True
) -> Iterator[tuple[str, nodes.Entry, nodes.Mapping]]:
    """Every key as written, with its file and its map, in files that hold the sign at all. What an alias stands for is
    written once. in_lists: also keys inside of lists.
    """
    for file in (one for one in subject.files.files if sign in one.document.text):
        waiting: list[nodes.Node] = [file.document.root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, nodes.Sequence):
                waiting.extend(node.items if in_lists else ())
            elif isinstance(node, nodes.Mapping):
                for entry in node.entries:
                    yield file.name, entry, node
                    waiting.append(entry.value)
