"""PURE. What operators make of the lines of logs (rule C19)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from configs.collector.expressions import expression_fault
from configs.collector.findings import Severity
from configs.collector.goregex import group_names, regex_fault
from configs.collector.names import Kind
from configs.collector.rules import times
from configs.collector.rules.demands import one_of, regex, when_built
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.logfields import wrong_types
from configs.collector.rules.rule import Rule, contrib, rule
from configs.collector.rules.shared import number
from configs.collector.rules.subject import Component, Subject
from configs.collector.values import Expansion, Path, Value, entries_of

DOCS: Final = contrib("receiver/filelogreceiver")
FILES: Final = ("filelog", "file_log")
READERS: Final = (*FILES, "tcplog", "tcp_log", "udplog", "udp_log", "syslog", "journald")
"""Receivers with operators."""
_PROTOCOLS: Final = ("rfc3164", "rfc5424", "none")
_ON_ERROR: Final = ("send", "send_quiet", "drop", "drop_quiet")
_PRESETS: Final = ("default", "none", "otel", "aliases")
_STEP: Final = re.compile(r"[.\[]")
_STEPS: Final = re.compile(r"(?:\.[^.\[]*|\[(?:\"[^\"]*\"|'[^']*')\])*")
_PREFIXES: Final = ("attributes", "body", "resource")
_EXPRESSIONS: Final = ("if", "expr", "is_first_entry", "is_last_entry", "value")
_INSIDE: Final = re.compile(r"EXPR\((.*)\)", re.DOTALL)
_FIELDS: Final = ("parse_from", "field", "from", "to", "combine_field", "source_identifier")
_ROOTABLE: Final = frozenset({"parse_to"})
_PARSERS: Final = (
    *("regex_parser", "json_parser", "csv_parser", "key_value_parser", "uri_parser"),
    *("syslog_parser", "container", "json_array_parser"),
)
"""Operators that take a time and a severity out of what they read."""
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "regex_parser": ("regex",),
    "copy": ("from", "to"),
    "move": ("from", "to"),
    "remove": ("field",),
    "retain": ("fields",),
    "recombine": ("combine_field",),
    "syslog_parser": ("protocol",),
    "severity_parser": ("parse_from",),
    "assign_keys": ("keys",),
    "flatten": ("field",),
    "filter": ("expr",),
}
"""What operators cannot do without."""
_WORDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "container": {"format": ("docker", "crio", "containerd", "")},
    "recombine": {"overwrite_with": ("newest", "oldest", "")},
}
_TYPES: Final = frozenset(
    {
        *("regex_parser", "json_parser", "csv_parser", "key_value_parser", "uri_parser"),
        *("syslog_parser", "container", "time_parser", "severity_parser", "trace_parser"),
        *("scope_name_parser", "json_array_parser", "add", "copy", "move", "remove", "retain"),
        *("flatten", "unquote", "assign_keys", "regex_replace", "recombine", "filter", "router"),
        *("noop", "file_input", "tcp_input", "udp_input", "syslog_input", "journald_input"),
        *("stdin", "generate_input", "namedpipe", "file_output", "stdout", "drop_output"),
        *("windows_eventlog_input", "sanitize_utf8"),
    }
)


@rule("C19", Severity.ERROR, "Operators on log lines", DOCS)
def operators(subject: Subject) -> Iterator[Hit]:
    """Known types, with what they need, on fields that there are; they are built where a pipeline uses them."""
    for component in subject.of_type(Kind.RECEIVER, *READERS):
        path = (*component.path, "operators")
        found = subject.at(*path)
        items = found if isinstance(found, tuple) else ()
        known = {one for item in items for one in _ids(entries_of(item))}
        yield from when_built(subject, component, _of_receiver(component))
        yield from when_built(subject, component, _same_ids(path, items))
        is_open = any(isinstance(item, Expansion) for item in items)
        for at, item in enumerate(items):
            here, settings = (*path, at), entries_of(item)
            yield from _decoded(here, item)
            yield from wrong_types(subject, here, item)
            yield from _times(here, settings)
            yield from when_built(subject, component, _built(here, settings))
            if not is_open:
                yield from when_built(subject, component, _outputs(here, settings, known))


RULES: Final[tuple[Rule, ...]] = (operators,)


def _ids(settings: Mapping[str, Value]) -> Iterator[str]:
    name = settings.get("id") or settings.get("type")
    if isinstance(name, str):
        yield name


def _of_receiver(component: Component) -> Iterator[Hit]:
    """A receiver for syslog takes what its operator takes."""
    if component.type == "syslog":
        yield from _syslog(component.path, component.settings)


def _same_ids(path: Path, items: tuple[Value, ...]) -> Iterator[Hit]:
    """Ids that are written are given once."""
    seen: set[str] = set()
    for at, item in enumerate(items):
        name = entries_of(item).get("id")
        if isinstance(name, str) and name in seen:
            yield Hit(
                f"Another operator has the id {shown(name)} too. Rename one.", (*path, at, "id")
            )
        seen.add(str(name))


def _decoded(path: Path, item: Value) -> Iterator[Hit]:
    """What is looked at as soon as the text is read."""
    settings = entries_of(item)
    if isinstance(item, Expansion):
        return
    kind = settings.get("type")
    if not isinstance(kind, str | Expansion):
        yield Hit("An operator has a type:, such as json_parser. Add it.", (*path, "type"), True)
    elif isinstance(kind, str) and kind not in _TYPES:
        yield Hit(f"There is no operator {shown(kind)}.", (*path, "type"))
    for key in (*_FIELDS, *_ROOTABLE):
        yield from _field(
            (*path, key), settings.get(key), is_rootable=key in _ROOTABLE or kind == "remove"
        )
    fields = settings.get("fields")
    for at, one in enumerate(fields if isinstance(fields, tuple) else ()):
        yield from _field((*path, "fields", at), one)


def _field(path: Path, value: Value, *, is_rootable: bool = False) -> Iterator[Hit]:
    if not isinstance(value, str):
        return
    prefix, *rest = _STEP.split(value, maxsplit=1)
    if prefix not in _PREFIXES:
        message = "A field begins with attributes, body or resource, such as attributes.level."
        yield Hit(message, path)
    elif not _STEPS.fullmatch(value, len(prefix)):
        yield Hit(
            'A name in brackets has quotes: attributes["level"], then . or [ or nothing.', path
        )
    elif not rest and prefix != "body" and not is_rootable:
        yield Hit(f"{prefix} alone is no field here. Name one in it: {prefix}.name.", path)


def _built(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """What is looked at when the operator is made."""
    kind = str(settings.get("type"))
    for key in _NEEDED.get(kind, ()):
        is_map = isinstance(settings.get(key), Mapping) and key != "parse_from"
        if is_map or settings.get(key) in (None, "", ()):
            yield Hit(f"{kind} needs {key}. Add it.", (*path, key), True)
    for key, known in _WORDS.get(kind, {}).items():
        yield from one_of(path, settings, key, known)
    yield from one_of(path, settings, "on_error", _ON_ERROR)
    yield from _expressions(path, settings)
    yield from _OF_TYPE.get(kind, _nothing)(path, settings)
    if kind in _PARSERS:
        yield from _severity((*path, "severity"), settings.get("severity"))
    if kind == "severity_parser":
        for hit in one_of(path, settings, "preset", _PRESETS):
            yield replace(hit, severity=Severity.WARNING)  # any other word is the default one


def _expressions(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """Those that say when an operator is for a line, and that of routes."""
    places = [
        *((path, settings, key) for key in _EXPRESSIONS),
        *((here, entries_of(one), "expr") for here, one in _routes(path, settings)),
    ]
    for here, holder, key in places:
        value = holder.get(key)
        inside = _INSIDE.fullmatch(value) if isinstance(value, str) else None
        value = inside[1] if inside else None if key == "value" else value
        fault = expression_fault(value) if isinstance(value, str) and value else ""
        if fault:
            yield Hit(f"This expression is wrong: {fault}.", (*here, key))


def _routes(path: Path, settings: Mapping[str, Value]) -> Iterator[tuple[Path, Value]]:
    """The routes of a router, each with its place."""
    routes = settings.get("routes")
    for at, one in enumerate(routes if isinstance(routes, tuple) else ()):
        yield (*path, "routes", at), one


def _router(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    for here, one in _routes(path, settings):
        if isinstance(one, Mapping) and one.get("expr") in (None, ""):
            yield Hit("A route needs expr. Add it.", here, True)


def _nothing(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    return iter(())


def _regex_parser(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    pattern = settings.get("regex")
    fault = regex_fault(pattern) if isinstance(pattern, str) else ""
    if fault:
        yield Hit(f"The regular expression is none: {fault}.", (*path, "regex"))
    elif isinstance(pattern, str) and pattern and not any(group_names(pattern)):
        message = "The regular expression has no group with a name, such as (?P<level>\\w+)."
        yield Hit(message, (*path, "regex"))


def _regex_replace(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    if not settings.get("regex") and not settings.get("regex_name"):
        yield Hit("regex_replace needs regex, or regex_name. Add one.", (*path, "regex"), True)
    yield from regex(path, settings, "regex")
    yield from one_of(path, settings, "regex_name", ("ansi_control_sequences", ""))


def _key_values(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    delimiter, pairs = settings.get("delimiter", "="), settings.get("pair_delimiter") or " "
    if delimiter == "":
        yield Hit("The delimiter is empty. Remove the line for =.", (*path, "delimiter"))
    elif isinstance(delimiter, str) and delimiter == pairs:
        yield Hit("delimiter and pair_delimiter are the same.", (*path, "delimiter"))


def _csv(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    header, named = settings.get("header"), settings.get("header_attribute")
    delimiter = settings.get("delimiter") or ","
    if not header and not named:
        yield Hit("csv_parser needs header, or header_attribute. Add one.", (*path, "header"), True)
    if header and named:
        yield Hit(
            "header and header_attribute exclude each other. Keep one.", (*path, "header"), True
        )
    if isinstance(delimiter, str) and len(delimiter) > 1:
        yield Hit("The delimiter is one character.", (*path, "delimiter"))
    between = settings.get("header_delimiter") or delimiter
    if isinstance(header, str) and isinstance(between, str) and header and between not in header:
        yield Hit(
            f"The header has one name only: there is no {shown(between)} in it.", (*path, "header")
        )
    if settings.get("lazy_quotes") is True and settings.get("ignore_quotes") is True:
        yield Hit("lazy_quotes and ignore_quotes exclude each other.", (*path, "ignore_quotes"))


def _syslog(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    protocol = settings.get("protocol")
    if isinstance(protocol, str) and protocol and protocol.lower() not in _PROTOCOLS:
        yield Hit(f"protocol is one of {', '.join(_PROTOCOLS)}.", (*path, "protocol"))
    yield from times.location(path, settings, "location")


def _recombine(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    first, last = settings.get("is_first_entry"), settings.get("is_last_entry")
    if bool(first) == bool(last):
        message = "recombine needs is_first_entry or is_last_entry, and not both."
        yield Hit(message, (*path, "is_first_entry"), True)


def _filter(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    ratio = number(settings.get("drop_ratio"))
    if ratio is not None and not 0 <= ratio <= 1:
        yield Hit("drop_ratio is between 0 and 1.", (*path, "drop_ratio"))


_OF_TYPE: Final = {
    "router": _router,
    "regex_parser": _regex_parser,
    "regex_replace": _regex_replace,
    "key_value_parser": _key_values,
    "csv_parser": _csv,
    "syslog_parser": _syslog,
    "recombine": _recombine,
    "filter": _filter,
}


def _times(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """Where a time is, how it is written, and in which zone: a collector looks at that even where nothing is built."""
    kind, stamp = settings.get("type"), settings.get("timestamp")
    if kind == "time_parser":
        yield from _time(path, settings)
    elif kind in _PARSERS and stamp is not None and not isinstance(stamp, Expansion):
        here = (*path, "timestamp")
        yield from _time(here, entries_of(stamp))
        yield from _field((*here, "parse_from"), entries_of(stamp).get("parse_from"))


def _time(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    if not settings.get("parse_from"):
        yield Hit("A time needs parse_from. Add it.", (*path, "parse_from"), True)
    yield from times.time(path, settings)


def _severity(path: Path, value: Value) -> Iterator[Hit]:
    settings = entries_of(value)
    if value is None or isinstance(value, Expansion):
        return
    if not settings.get("parse_from"):
        yield Hit("A severity needs parse_from. Add it.", (*path, "parse_from"), True)
    yield from _field((*path, "parse_from"), settings.get("parse_from"))


def _outputs(path: Path, settings: Mapping[str, Value], known: set[str]) -> Iterator[Hit]:
    """Operators that others hand on to."""
    outputs = [
        ((*path, "output"), settings.get("output")),
        ((*path, "default"), settings.get("default")),
    ]
    for here, route in _routes(path, settings):
        outputs.append(((*here, "output"), entries_of(route).get("output")))
    for where, value in outputs:
        names = value if isinstance(value, tuple) else (value,)
        for name in names:
            if isinstance(name, str) and name and name not in known:
                yield Hit(f"There is no operator with the id {shown(name)}.", where)
