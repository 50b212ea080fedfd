"""PURE. Times in log lines: how they are written, and where they are (parts of C18 and C19)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from configs.collector.findings import Severity
from configs.collector.rules.demands import one_of
from configs.collector.rules.hit import Hit, shown
from configs.collector.timelayouts import gotime_fault, strptime_fault
from configs.collector.values import Path, Value, entries_of
from configs.collector.zones import is_known, is_refused, meant

_LAYOUT_TYPES: Final = ("strptime", "gotime", "epoch", "native")
_EPOCHS: Final = ("s", "ms", "us", "ns", "s.ms", "s.us", "s.ns")
_FAULTS: Final = {"strptime": strptime_fault, "gotime": gotime_fault}


def time(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """The settings of a time: its layout, and its zone where the layout has a use for one."""
    kind = settings.get("layout_type") or "strptime"
    yield from one_of(path, settings, "layout_type", _LAYOUT_TYPES)
    if not settings.get("layout") and kind != "native":
        yield Hit("A time needs its layout, such as '%Y-%m-%d'. Add it.", (*path, "layout"), True)
    elif kind == "epoch":
        yield from one_of(path, settings, "layout", _EPOCHS)
    if isinstance(kind, str) and kind in _FAULTS:
        yield from layout(path, settings, kind)
        yield from location(path, settings, "location")
        yield from _abbreviated((*path, "time_zone_locations"), settings)


def _abbreviated(path: Path, settings: Mapping[str, Value]) -> Iterator[Hit]:
    """What abbreviations of zones stand for. Older collectors do not read it."""
    zones = entries_of(settings.get("time_zone_locations"))
    for name in zones:
        for hit in location(path, zones, name):
            yield replace(hit, severity=Severity.WARNING)


def layout(path: Path, settings: Mapping[str, Value], kind: str = "strptime") -> Iterator[Hit]:
    """A layout of directives or of Go, where a text stands."""
    value = settings.get("layout")
    fault = _FAULTS[kind](value) if isinstance(value, str) else ""
    if fault:
        yield Hit(f"The layout is wrong: {fault}.", (*path, "layout"))


def location(path: Path, settings: Mapping[str, Value], key: str) -> Iterator[Hit]:
    """A zone. A name that we do not know may be in the host's own database, so that we only warn."""
    name = settings.get(key)
    if not isinstance(name, str) or is_known(name):
        return
    if is_refused(name):
        yield Hit("A zone is a name such as Europe/Berlin, and no path. Write one.", (*path, key))
        return
    guess = meant(name)
    hint = f"Did you mean {guess}?" if guess else "Write one such as Europe/Berlin or UTC."
    message = f"There is no time zone {shown(name)}, unless hosts have one of their own. {hint}"
    yield Hit(message, (*path, key), severity=Severity.WARNING)
