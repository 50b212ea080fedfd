"""The component catalog: what collectors of a version have; one component with its settings and who uses it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from configs import catalog
from configs.collector.catalog_types import Catalog, Component, Field, Stability
from configs.collector.names import SIGNALS, Kind
from configs.views.component_use import usage_of
from telflo.base.access import Action
from telflo.base.guard import requires
from telflo.ui.filters import Option

_ORDER: Final = tuple(Stability)
"""From the least to the most reliable that is any; deprecated and unmaintained come last."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of the bar."""

    name: str
    label: str
    icon: str
    options: Sequence[Option]

    @property
    def chosen(self) -> str | None:
        """What is chosen, in words."""
        return ", ".join(one.label for one in self.options if one.on) or None


@dataclass(frozen=True, slots=True)
class Row:
    """A component in the list.

    signals: for what, in words · level: its stabilities · borrowed: the version that some of it is taken from.
    """

    kind: str
    section: str
    type: str
    aliases: str
    signals: str
    level: str
    fields: int | None
    is_verified: bool
    borrowed: str


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A setting with those inside of it, which are a level deeper."""

    name: str
    depth: int
    type: str
    default: str
    notes: Sequence[str]
    is_secret: bool
    is_required: bool
    deprecated: str


@requires(Action.VIEW)
def listing(request: HttpRequest) -> HttpResponse:
    """All components of a version that fit the filters."""
    there = _catalog(request.GET.get("version", ""))
    chosen = {name: request.GET.getlist(name) for name in ("kind", "signal", "stability")}
    words = request.GET.get("q", "").strip()
    everything = list(there.every())
    found = [one for one in everything if _fits(one, chosen, words)]
    context = {
        "catalog": there,
        "versions": catalog.versions(),
        "rows": [_row(one) for one in found],
        "total": len(everything),
        "matching": len(found),
        "q": words,
        "filters": list(_filters(everything, chosen)),
        "filtered": bool(words) or any(chosen.values()),
    }
    return render(request, "catalog/list.html", context)


@requires(Action.VIEW)
def detail(request: HttpRequest, version: str, kind: str, component_type: str) -> HttpResponse:
    """One component: names, signals, settings, and who uses it."""
    there = catalog.load(version)
    one = _called(there, Kind(kind), component_type) if there and kind in set(Kind) else None
    if there is None or one is None:
        raise Http404(f"The catalog of {version} has no {kind.removesuffix('s')} {component_type}.")
    if one.type != component_type:
        return redirect("catalog:detail", version, kind, one.type)
    context = {
        "catalog": there,
        "component": one,
        "kind": one.kind.removesuffix("s"),
        "aliases": ", ".join(sorted(one.aliases)),
        "uses": _uses(one),
        "fields": [] if one.config is None else list(_fields(one.config, 0)),
        "versions": catalog.versions(),
        "usage": usage_of(one),
    }
    return render(request, "catalog/detail.html", context)


def _catalog(version: str) -> Catalog:
    """The one that is asked for, else the newest."""
    return catalog.load(version) or catalog.nearest()


def _fits(one: Component, chosen: Mapping[str, Sequence[str]], words: str) -> bool:
    kinds, signals, levels = chosen["kind"], chosen["signal"], chosen["stability"]
    return (
        (not kinds or one.kind in kinds)
        and (not signals or not _signals(one).isdisjoint(signals))
        and (not levels or not _levels(one).isdisjoint(levels))
        and any(words.lower() in name for name in (one.type, *one.aliases))
    )


def _signals(one: Component) -> set[str]:
    return set(one.signals) | {signal for pair in one.pairs for signal in pair}


def _levels(one: Component) -> set[str]:
    own = {one.stability} if one.stability else set()
    return {*own, *one.signals.values(), *one.pairs.values()}


def _filters(
    everything: Sequence[Component], chosen: Mapping[str, Sequence[str]]
) -> Iterator[Filter]:
    yield _filter("kind", "Kind", "boxes", Kind, chosen, [{one.kind.value} for one in everything])
    yield _filter("signal", "Signal", "activity", SIGNALS, chosen, map(_signals, everything))
    yield _filter(
        "stability", "Stability", "shield-check", Stability, chosen, map(_levels, everything)
    )


def _filter(
    name: str,
    label: str,
    icon: str,
    values: Iterable[str],
    chosen: Mapping[str, Sequence[str]],
    of_each: Iterable[set[str]],
) -> Filter:
    known = list(of_each)
    options = [
        Option(str(one), str(one), one in chosen[name], sum(one in each for each in known))
        for one in values
    ]
    return Filter(name, label, icon, options)


def _row(one: Component) -> Row:
    levels = [level for level in _ORDER if level in _levels(one)]
    return Row(
        kind=one.kind.removesuffix("s"),
        section=one.kind,
        type=one.type,
        aliases=", ".join(sorted(one.aliases)),
        signals=", ".join(_pair(*pair) for pair in one.pairs) or ", ".join(one.signals),
        level=", ".join(levels),
        fields=None if one.config is None else len(one.config.fields),
        is_verified=one.is_verified,
        borrowed=one.facts_from or one.settings_from,
    )


def _pair(source: str, target: str) -> str:
    return f"{source} → {target}"


def _uses(one: Component) -> list[tuple[str, str]]:
    """What it works with, each with its stability."""
    pairs = [(_pair(*pair), level.value) for pair, level in one.pairs.items()]
    signals = [(signal, level.value) for signal, level in one.signals.items()]
    own = [("extension", one.stability.value)] if one.stability else []
    return [*signals, *pairs, *own]


def _fields(field: Field, depth: int) -> Iterator[FieldRow]:
    for name, one in field.fields.items():
        yield from _with_inner(name, one, depth)
    if field.items is not None:
        yield from _with_inner(
            "each item" if field.type == "list" else "any name", field.items, depth
        )


def _with_inner(name: str, one: Field, depth: int) -> Iterator[FieldRow]:
    is_plain_list = one.type == "list" and one.items is not None and not one.items.fields
    kind = f"list of {one.items.type}" if is_plain_list and one.items else one.type.value
    yield FieldRow(
        name=name,
        depth=depth,
        type=kind,
        default="" if one.default is None else _shown(one.default),
        notes=list(_notes(one)),
        is_secret=one.is_secret,
        is_required=one.is_required,
        deprecated=one.deprecated,
    )
    if not is_plain_list:
        yield from _fields(one, depth + 1)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return '""' if value == "" else str(value)


def _notes(one: Field) -> Iterator[str]:
    if one.enum:
        yield "one of " + ", ".join(_shown(word) for word in one.enum)
    if one.minimum is not None:
        yield f"at least {one.minimum:g}"
    if one.maximum is not None:
        yield f"at most {one.maximum:g}"
    if one.is_open:
        yield "takes other keys too"


def _called(there: Catalog, kind: Kind, name: str) -> Component | None:
    """The component of a name, or of what is the same without the underlines that 2026's names have got."""
    alike = (one for one in there.types(kind) if _bare(one) == _bare(name))
    return there.find(kind, name) or there.find(kind, next(alike, ""))


def _bare(name: str) -> str:
    return name.replace("_", "")
