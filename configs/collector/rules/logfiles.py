"""PURE. Log files and other sources of logs: which are read, and how (rule C18)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from configs.collector.charsets import is_charset
from configs.collector.findings import Severity
from configs.collector.names import Kind
from configs.collector.rules import times
from configs.collector.rules.demands import at_least, one_of, regex, when_built
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.logoperators import DOCS, FILES, READERS
from configs.collector.rules.rule import Rule, rule
from configs.collector.rules.subject import Component, Setting, Subject
from configs.collector.values import Expansion, Path, Value, entries_of

_TEXT_READERS: Final = frozenset({*READERS, "otlpjsonfile", "otlp_json_file", "namedpipe"})
_TEXT_ENCODINGS: Final = (("encoding",), ("tcp", "encoding"), ("udp", "encoding"))
"""Where these say how text is encoded."""
_SIZE: Final = re.compile(r"\s*[0-9.]+\s*(?:[kmgtp]i?b)?\s*", re.IGNORECASE)
_LEAST_FINGERPRINT: Final = 16
_BEHAVIOURS: Final = ("split", "truncate")
_LAYOUTS_READ: Final = (0, 158)
"""The first version that is known to refuse a layout to sort by; those before start, and cannot sort."""
_TRUNCATING_CAME: Final = (0, 158)
_ON_TRUNCATE: Final = ("ignore", "read_whole_file", "read_new")
_BY_TIME_OF_CHANGE: Final = "filelog.mtimeSortType"
"""The feature gate without which files are not sorted so."""
_SORTS: Final = ("numeric", "alphabetical", "timestamp", "mtime")


@rule("C18", Severity.ERROR, "Logs to read", DOCS)
def log_files(subject: Subject) -> Iterator[Hit]:
    """Which files, from where on, how they are cut into lines, and how all text is encoded."""
    yield from _encodings(subject)
    for component in subject.of_type(Kind.RECEIVER, *FILES):
        if isinstance(component.body, Expansion):
            continue
        yield from _sizes(component)
        yield from when_built(subject, component, _reading(subject, component))


RULES: Final[tuple[Rule, ...]] = (log_files,)


def _encodings(subject: Subject) -> Iterator[Hit]:
    for one in subject.named("encoding", below=Kind.RECEIVER):
        owner = subject.owner(one.path)
        if owner and owner.type in _TEXT_READERS and one.path[2:] in _TEXT_ENCODINGS:
            yield from when_built(subject, owner, _encoding(one))


def _encoding(setting: Setting) -> Iterator[Hit]:
    name = setting.value
    if isinstance(name, str) and not is_charset(name):
        known = "utf-8, latin1, windows-1252 or another name that IANA has"
        yield Hit(f"There is no encoding {shown(name)}. Write {known}.", setting.path)


def _sizes(component: Component) -> Iterator[Hit]:
    for key in ("fingerprint_size", "max_log_size", "initial_buffer_size"):
        value = component.settings.get(key)
        if isinstance(value, str) and not _SIZE.fullmatch(value):
            yield Hit(f"{key} is a size such as 1MiB or 16kb.", (*component.path, key))


def _reading(subject: Subject, component: Component) -> Iterator[Hit]:
    path, settings = component.path, component.settings
    if not settings.get("include"):
        message = "The receiver reads no file. Add include: with paths, such as [/var/log/*.log]."
        yield Hit(message, (*path, "include"), True)
    yield from one_of(path, settings, "start_at", ("beginning", "end"))
    yield from one_of(path, settings, "max_log_size_behavior", _BEHAVIOURS)
    yield from at_least(path, settings, "fingerprint_size", _LEAST_FINGERPRINT)
    yield from at_least(path, settings, "max_log_size", 1)
    yield from at_least(path, settings, "max_concurrent_files", 1)
    yield from at_least(path, settings, "max_batches", 0)
    if settings.get("delete_after_read") is True:
        message = "delete_after_read needs a feature gate that is off. Remove it."
        yield Hit(message, (*path, "delete_after_read"), True)
    for key in ("include", "exclude"):
        yield from _globs((*path, key), settings.get(key))
    yield from _multiline((*path, "multiline"), entries_of(settings.get("multiline")))
    yield from _header((*path, "header"), settings)
    if subject.since(*_TRUNCATING_CAME):
        yield from one_of(path, settings, "on_truncate", _ON_TRUNCATE)
    order = entries_of(settings.get("ordering_criteria"))
    yield from _order(subject, (*path, "ordering_criteria"), order)


def _globs(path: Path, value: Value) -> Iterator[Hit]:
    for at, one in enumerate(value if isinstance(value, tuple) else ()):
        if isinstance(one, str) and "[" in one and "]" not in one[one.index("[") :]:
            yield Hit("A [ is never closed in this pattern. Close it, or write \\[.", (*path, at))


def _multiline(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    keys = ("line_start_pattern", "line_end_pattern")
    if all(settings.get(key) for key in keys):
        yield Hit(f"{keys[0]} and {keys[1]} exclude each other. Keep one.", (*path, keys[1]), True)
    for key in keys:
        yield from regex(path, settings, key)


def _header(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """Lines at the start of a file that say something about the others."""
    header = settings.get("header")
    if not isinstance(header, Mapping):
        return
    if settings.get("start_at", "end") == "end":
        message = "Headers are read from the start of files: add start_at: beginning."
        yield Hit(message, path, True)
    yield from regex(path, header, "pattern")
    if header and header.get("metadata_operators") in (None, ()):
        message = "A header needs metadata_operators, which make attributes of it. Add one."
        yield Hit(message, path, True)


def _order(subject: Subject, path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    yield from regex(path, settings, "regex")
    yield from regex(path, settings, "group_by")
    sorts = settings.get("sort_by")
    if not isinstance(sorts, tuple) or not sorts:
        return
    yield from at_least(path, settings, "top_n", 0)
    for at, one in enumerate(sorts):
        sort, here = entries_of(one), (*path, "sort_by", at)
        kind = sort.get("sort_type")
        if not isinstance(one, Expansion) and (
            kind is None or (isinstance(kind, str) and kind not in _SORTS)
        ):
            yield Hit(f"sort_type is one of {', '.join(_SORTS)}.", (*here, "sort_type"), True)
        elif kind == "mtime" and _BY_TIME_OF_CHANGE not in subject.target.gates:
            message = f"To sort by mtime needs the feature gate {_BY_TIME_OF_CHANGE}."
            severity = None if subject.before(0, 159) else Severity.WARNING
            yield Hit(message, (*here, "sort_type"), severity=severity)
        elif kind == "timestamp" and not sort.get("layout"):
            yield Hit("A sort by time needs its layout. Add it.", (*here, "layout"), True)
        elif kind == "timestamp":
            for hit in times.layout(here, sort):
                is_read = subject.since(*_LAYOUTS_READ)
                yield hit if is_read else replace(hit, severity=Severity.WARNING)
            yield from times.location(here, sort, "location")
        elif kind in _SORTS[:3] and not settings.get("regex"):
            yield Hit("sort_by needs regex: with the group that it names.", path, True)
