"""PURE. What single contributed components demand (rules C20, C22, C23 and C27)."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final
from uuid import UUID

from configs.collector.findings import Severity
from configs.collector.names import Kind
from configs.collector.rules.demands import not_negative, one_of, regexes, when_built
from configs.collector.rules.hit import Hit, shown
from configs.collector.rules.rule import Rule, contrib, rule
from configs.collector.rules.settings import items
from configs.collector.rules.shared import time
from configs.collector.rules.subject import Component, Subject
from configs.collector.values import Expansion, Path, Value, entries_of

_SCRAPERS: Final = frozenset(
    {
        *("cpu", "disk", "filesystem", "load", "memory", "network", "nfs", "paging"),
        *("process", "processes", "system"),
    }
)
_MATCH_TYPES: Final = ("strict", "regexp")
_COUNTED: Final = ("spans", "spanevents", "metrics", "datapoints", "logs", "profiles")
_MODES: Final = 0o777
_ULID: Final = re.compile(r"(?i)[0-7][0-9a-hjkmnp-tv-z]{25}")


@rule("C20", Severity.ERROR, "Scrapers of a host", contrib("receiver/hostmetricsreceiver"))
def scrapers(subject: Subject) -> Iterator[Hit]:
    """At least one, and those that there are."""
    for component in subject.of_type(Kind.RECEIVER, "hostmetrics", "host_metrics"):
        path, found = (*component.path, "scrapers"), component.settings.get("scrapers")
        yield from _intervals(component)
        if not found and not isinstance(component.body, Expansion):
            yield Hit("The receiver scrapes nothing. Add scrapers, such as cpu:.", path, True)
        for name, settings in entries_of(found).items():
            if name not in _SCRAPERS:
                close = get_close_matches(name, _SCRAPERS, n=1)
                hint = f"Did you mean {close[0]}?" if close else f"Known are {_listed(_SCRAPERS)}."
                yield Hit(f"There is no scraper {shown(name)}. {hint}", (*path, name), True)
            filters = _filters((*path, name), entries_of(settings))
            yield from when_built(subject, component, filters)


@rule("C22", Severity.ERROR, "Exporter into files", contrib("exporter/fileexporter"))
def files(subject: Subject) -> Iterator[Hit]:
    """Where to, and how."""
    for component in subject.of_type(Kind.EXPORTER, "file"):
        path, settings = component.path, component.settings
        if isinstance(component.body, Expansion):
            continue
        if not settings.get("path"):
            yield Hit("The exporter has no path. Add one.", (*path, "path"), True)
        yield from one_of(path, settings, "format", ("json", "proto"))
        yield from one_of(path, settings, "compression", ("zstd", ""))
        yield from not_negative(path, settings, "flush_interval")
        if settings.get("append") is True and settings.get("rotation") is not None:
            message = "append and rotation exclude each other. Remove one."
            yield Hit(message, (*path, "append"), True)
        yield from _grouped(path, settings)
        yield from _permissions(path, settings)


@rule("C23", Severity.ERROR, "Counting", contrib("connector/countconnector"))
def counted(subject: Subject) -> Iterator[Hit]:
    """Metrics with names, and attributes with keys."""
    for component in subject.of_type(Kind.CONNECTOR, "count"):
        for what in _COUNTED:
            for name, metric in entries_of(component.settings.get(what)).items():
                path = (*component.path, what, name)
                if not name:
                    yield Hit("A metric needs a name.", path, True)
                yield from _attributes(subject, path, entries_of(metric), what)


@rule("C27", Severity.ERROR, "OpAMP", contrib("extension/opampextension"))
def opamp(subject: Subject) -> Iterator[Hit]:
    """A server, and how to reach it."""
    for component in subject.of_type(Kind.EXTENSION, "opamp"):
        server, path = component.settings.get("server"), (*component.path, "server")
        if isinstance(component.body, Expansion) or isinstance(server, Expansion):
            continue
        if not any(entries_of(server).get(key) is not None for key in ("ws", "http")):
            yield Hit("The extension has no server. Add ws: or http: to its server.", path, True)
        uid = component.settings.get("instance_uid")
        if isinstance(uid, str) and uid and not _is_uid(uid):
            message = "instance_uid is a UUID, or a ULID. Write one, or remove the line: the collector makes one."
            yield Hit(message, (*component.path, "instance_uid"))
        for way in ("ws", "http"):
            endpoint = entries_of(entries_of(server).get(way)).get("endpoint", "")
            if isinstance(entries_of(server).get(way), Mapping) and endpoint == "":
                yield Hit("The server has no endpoint. Add it.", (*path, way, "endpoint"), True)


RULES: Final[tuple[Rule, ...]] = (scrapers, files, counted, opamp)


def _is_uid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return bool(_ULID.fullmatch(text))
    return True


def _intervals(component: Component) -> Iterator[Hit]:
    settings = component.settings
    yield from not_negative(component.path, settings, "timeout")
    interval = time(settings.get("collection_interval"))
    if interval is not None and interval <= 0:
        message = "collection_interval is more than 0."
        yield Hit(message, (*component.path, "collection_interval"))


def _filters(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """Include and exclude of a scraper, by names that are compared in one of two ways."""
    for key, value in settings.items():
        chosen = entries_of(value)
        if not key.startswith(("include", "exclude")) or not chosen:
            continue
        names = [name for name, one in chosen.items() if isinstance(one, tuple)]
        match_type = chosen.get("match_type")
        if names and match_type in (None, ""):
            message = f"{key} needs match_type: strict or regexp. Add it."
            yield Hit(message, (*path, key, "match_type"), True)
        yield from one_of((*path, key), chosen, "match_type", (*_MATCH_TYPES, ""))
        for name in names if match_type == "regexp" else ():
            yield from regexes((*path, key), chosen, name)


def _grouped(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    group, where = entries_of(settings.get("group_by")), settings.get("path")
    if group.get("enabled") is not True or not isinstance(where, str):
        return
    if where.count("*") != 1 or where.startswith("*"):
        message = "With group_by the path has one *, which is not at its start."
        yield Hit(message, (*path, "path"))
    if group.get("resource_attribute") == "":
        message = "resource_attribute is empty. Name the attribute to group by."
        yield Hit(message, (*path, "group_by", "resource_attribute"))


def _permissions(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    value, here = settings.get("directory_permissions"), (*path, "directory_permissions")
    if not isinstance(value, str) or not value:
        return
    if settings.get("create_directory") is not True:
        if not isinstance(settings.get("create_directory"), Expansion):
            message = "directory_permissions needs create_directory: true. Add it."
            yield Hit(message, here, True)
    elif not value.isdecimal() or set(value) & {"8", "9"} or int(value, 8) > _MODES:
        yield Hit('directory_permissions is an octal number such as "0755".', here)


def _attributes(
    subject: Subject, path: Path, metric: Mapping[str, Value], what: str
) -> Iterator[Hit]:
    found = metric.get("attributes")
    if what == "metrics" and found:
        yield Hit(
            "Metrics are not counted by attributes. Remove them.", (*path, "attributes"), True
        )
        return
    for here, one in items(subject, (*path, "attributes")):
        if isinstance(one, Mapping) and not one.get("key"):
            yield Hit("An attribute needs a key. Add it.", here, True)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
