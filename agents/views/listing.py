"""The collectors list: filters, segments and pages, all in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from agents.attention import MEANING
from agents.filters import AgentFilters, in_force, without
from agents.models import Agent, AgentQuerySet, AgentStatus, Health, Status
from agents.views.paging import Page, known_sort, page_of
from agents.views.rows import rows_of
from configs.models import ConfigVersion
from fleets.models import Fleet, Membership, Token
from telflo.base.access import Action, may
from telflo.base.guard import requires
from telflo.ui.filters import Option
from telflo.ui.numbers import counted, grouped
from telflo.ui.pages import PAGE_ROWS
from telflo.ui.vocabulary import COLLECTOR, HEALTH, SETTINGS

_SEGMENTS: Sequence[tuple[str, tuple[Status, ...]]] = (
    ("Moving", (Status.PENDING, Status.APPLYING)),
    ("In sync", (Status.IN_SYNC,)),
    ("Offline", (Status.DISCONNECTED,)),
    ("Unmanaged", (Status.UNMANAGED,)),
)
_SORT_WORDS = {
    "status": "status, then name",
    "name": "name",
    "seen": "last message",
    "health": "health, then name",
    "fleet": "fleet, then name",
    "build": "build, then name",
}
_NAMES = {
    "q": "search",
    "collector_version": "build",
    "os": "platform",
    "connected": "connection",
    "settings": "connection settings",
    "attention": "needs attention",
}


@dataclass(frozen=True, slots=True)
class FilterMenu:
    """One filter of the bar with its choices."""

    name: str
    label: str
    icon: str
    options: Sequence[Option]

    @property
    def chosen(self) -> str:
        """What is chosen, in words; empty when nothing is."""
        on = [option.label for option in self.options if option.on]
        return ", ".join(on) if len(on) < 3 else f"{len(on)} chosen"


@dataclass(frozen=True, slots=True)
class Segment:
    """One quick choice above the table."""

    label: str
    count: int
    query: str
    on: bool
    title: str = ""


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """An attribute or label filter in force, and the address without it."""

    name: str
    value: str
    off: str


@requires(Action.VIEW)
def listing(request: HttpRequest) -> HttpResponse:
    """The list of collectors."""
    return render(request, "agents/list.html", _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    data = request.GET
    filters = AgentFilters(data, queryset=Agent.objects.filter(status__isnull=False))
    is_valid = filters.is_valid()
    found: AgentQuerySet = filters.qs if is_valid else Agent.objects.none()
    counts = _status_counts(data)
    chosen = data.getlist("status")
    matching = sum(n for word, n in counts.items() if not chosen or word in chosen)
    total = Agent.objects.count()
    sort = known_sort(data.get("sort", ""))
    page = page_of(
        found, sort=sort, after=data.get("after", ""), before=data.get("before", ""), counts=counts
    )
    return {
        "rows": rows_of(page.uids),
        "page": page,
        "pages": _neighbours(page, data),
        "shown": f"{grouped(page.first)}\N{EN DASH}{grouped(page.last)} of {grouped(matching)}",
        "several_pages": matching > PAGE_ROWS,
        "total": total,
        "matching": matching if is_valid else 0,
        "filtered": in_force(data),
        "errors": [] if is_valid else _errors(filters),
        "none_match": _none_match(data, total) if not page.uids and total else None,
        "menus": _menus(data, counts),
        "key_filters": _key_filters(filters, data),
        "segments": _segments(data, counts),
        "without_attention": _off(data, "attention") if data.get("attention") == "true" else "",
        "sort": data.get("sort", ""),
        "sort_words": _SORT_WORDS[sort.removeprefix("-")],
        "query": without(data, "after", "before").urlencode(),
        "bulk_url": f"{reverse('agents:bulk')}?{without(data, 'after', 'before').urlencode()}",
        "q": data.get("q", ""),
        "deploy_url": _deploy_url(data),
        "has_fleet": bool(total) or Fleet.objects.active().exists(),
        "may_operate": may(request.user, Action.OPERATE),
        "may_enrol": may(request.user, Action.ENROL),
    }


def _status_counts(data: QueryDict) -> dict[str, int]:
    """How many agents the other filters let through, by status."""
    others = without(data, "status")
    if not in_force(others):  # the index on the status has all that is asked
        return dict(AgentStatus.objects.order_by().values_list("status").annotate(n=Count("pk")))
    found = AgentFilters(others, queryset=Agent.objects.filter(status__isnull=False)).qs
    return dict(found.order_by().values_list("status__status").annotate(n=Count("pk")))


def _segments(data: QueryDict, counts: dict[str, int]) -> list[Segment]:
    """All of them and the quick choices, each counted without the others. counts: with the filters in force."""
    others = without(data, "status", "attention", "after", "before")
    now = set(data.getlist("status"))
    is_plain = not data.get("attention")
    if not is_plain:
        counts = _status_counts(others)
    everybody = Segment("All", sum(counts.values()), _query(others), is_plain and not now)
    chosen = []
    for label, statuses in _SEGMENTS:
        query = _query(others, status=[status.value for status in statuses])
        number = sum(counts.get(status, 0) for status in statuses)
        on = is_plain and now == {status.value for status in statuses}
        chosen.append(Segment(label, number, query, on))
    return [everybody, _attention(data, others), *chosen]


def _attention(data: QueryDict, others: QueryDict) -> Segment:
    chosen = others.copy()
    chosen["attention"] = "true"
    found = AgentFilters(chosen, queryset=Agent.objects.filter(status__isnull=False)).qs
    on = data.get("attention") == "true" and not data.getlist("status")
    return Segment("Needs attention", found.count(), _query(chosen), on, title=MEANING)


def _query(data: QueryDict, **lists: list[str]) -> str:
    query = data.copy()
    for name, values in lists.items():
        query.setlist(name, values)
    return "?" + query.urlencode()


def _off(data: QueryDict, name: str) -> str:
    """The address without a filter."""
    return _query(without(data, name, "after", "before"))


def _menus(data: QueryDict, counts: dict[str, int]) -> list[FilterMenu]:
    """The filters of the bar: three queries whatever their number."""
    builds, systems = _builds_and_systems()
    fleets = Fleet.objects.active().values_list("slug", "name")
    statuses = [(word, COLLECTOR[word].word) for word in Status.values]
    health = [(word, HEALTH[word].word) for word in Health.values]
    online = [("true", "Connected"), ("false", "Not connected")]
    return [
        _menu(data, "fleet", "Fleet", "layers", list(fleets)),
        _menu(data, "status", "Status", "circle-dot", statuses, counts),
        _menu(data, "health", "Health", "activity", health),
        _menu(data, "version", "Version", "file-code-corner", _versions_in_use()),
        _menu(data, "collector_version", "Build", "package", [(b, b) for b in builds]),
        _menu(data, "os", "Platform", "monitor", [(s, s) for s in systems]),
        _menu(data, "connected", "Connection", "plug", online),
        *_token_menu(data),
        *_settings_menu(data),
    ]


def _token_menu(data: QueryDict) -> list[FilterMenu]:
    """Only when the list was opened from a token: there are as many as collectors."""
    chosen = [text for text in data.getlist("token") if _is_uuid(text)]
    if not chosen:
        return []
    named = Token.objects.filter(pk__in=chosen)
    return [_menu(data, "token", "Token", "key-round", [(str(t.pk), str(t)) for t in named])]


def _settings_menu(data: QueryDict) -> list[FilterMenu]:
    """Only when the list was opened from a fleet's connection settings: most fleets set none."""
    if not any(data.getlist("settings")):
        return []
    words = [(word, lamp.word) for word, lamp in SETTINGS.items()]
    return [_menu(data, "settings", "Connection settings", "send", words)]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _menu(
    data: QueryDict,
    name: str,
    label: str,
    icon: str,
    choices: Sequence[tuple[str, str]],
    counts: dict[str, int] | None = None,
) -> FilterMenu:
    chosen = set(data.getlist(name))
    unknown = [
        (value, value) for value in sorted(chosen - {value for value, _ in choices}) if value
    ]
    return FilterMenu(
        name,
        label,
        icon,
        [
            Option(value, text, value in chosen, None if counts is None else counts.get(value, 0))
            for value, text in [*choices, *unknown]
        ],
    )


def _builds_and_systems() -> tuple[list[str], list[str]]:
    """The collector versions (newest first) and systems that are in use."""
    pairs = Agent.objects.order_by().values_list("collector_version", "os_type").distinct()
    builds, systems = set(), set()
    for build, system in pairs:
        builds.add(build)
        systems.add(system)
    return sorted(builds - {""}, key=_version_key, reverse=True), sorted(systems - {""})


def _version_key(version: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() else -1, part) for part in version.split(".")]


def _versions_in_use() -> list[tuple[str, str]]:
    """The versions that some collector should run or ran before."""
    desired = Membership.objects.filter(desired__version=OuterRef("pk"))
    previous = Membership.objects.filter(previous__version=OuterRef("pk"))
    versions = (
        ConfigVersion.objects.filter(Exists(desired) | Exists(previous))
        .order_by("configuration__name", "-number")
        .values_list("id", "configuration__name", "number")
    )
    return [(str(pk), f"{name} v{number}") for pk, name, number in versions]


def _key_filters(filters: AgentFilters, data: QueryDict) -> list[KeyFilter]:
    chips = []
    for name, value in filters.key_filters():
        rest = without(data, name, "after", "before")
        rest.setlist(name, [other for other in data.getlist(name) if other != value])
        chips.append(KeyFilter(name, value, "?" + rest.urlencode()))
    return chips


def _none_match(data: QueryDict, total: int) -> dict[str, Any] | None:
    """Why the list is empty: the filter without which most would match. One query per filter in force."""
    names = in_force(data)
    found = []
    for name in names:
        rest = without(data, name, "after", "before")
        filters = AgentFilters(rest, queryset=Agent.objects.all())
        if filters.is_valid():
            found.append((filters.qs.count(), name, rest))
    count, name, rest = max(found, key=lambda item: item[0], default=(0, "", data))
    return {
        "title": f"0 of {grouped(total)} match {counted(len(names), 'filter')}",
        "best": f"{_NAMES.get(name, name.replace('.', ' ', 1))}: {', '.join(data.getlist(name))}",
        "count": count if len(names) > 1 else 0,
        "url": "?" + rest.urlencode(),
    }


def _deploy_url(data: QueryDict) -> str:
    """Quick deploy of the one fleet that is looked at, else the fleets to choose from."""
    slugs = data.getlist("fleet")
    if len(slugs) == 1 and Fleet.objects.active().filter(slug=slugs[0]).exists():
        return reverse("fleets:deploy", args=slugs)
    return reverse("fleets:list")


def _errors(filters: AgentFilters) -> list[str]:
    return [
        f"{_NAMES.get(name, name).capitalize()}: {' '.join(texts)}"
        for name, texts in filters.form.errors.items()
    ]


def _neighbours(page: Page, data: QueryDict) -> dict[str, str]:
    """The addresses of the pages before and after; empty where there is none."""
    urls = {"previous": "", "next": ""}
    for name, parameter, cursor in (
        ("previous", "before", page.previous),
        ("next", "after", page.next),
    ):
        if cursor:
            query = without(data, "after", "before")
            query[parameter] = cursor
            urls[name] = "?" + query.urlencode()
    return urls
