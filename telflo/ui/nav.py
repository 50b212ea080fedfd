"""The navigation: one table, from which rail, phone bar and keyboard shortcuts are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place in the navigation. `shortcut` is the key after `g`; `phone` puts it in the phone bar."""

    label: str
    icon: str
    url_name: str
    shortcut: str = ""
    phone: bool = False
    record: bool = False

    @property
    def section(self) -> str:
        """The namespace (or the plain name) whose pages belong to this item."""
        return self.url_name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class NavCount:
    """A number beside a navigation item; `moving` gives it a pulse: `2 active`."""

    text: str
    moving: bool = False


@dataclass(frozen=True, slots=True)
class NavLink:
    """A navigation item resolved for one request."""

    item: NavItem
    url: str
    current: bool
    count: NavCount | None


ITEMS: tuple[NavItem, ...] = (
    NavItem("Overview", "layout-dashboard", "overview", shortcut="o", phone=True),
    NavItem("Fleets", "layers", "fleets:list", shortcut="f", phone=True),
    NavItem("Collectors", "server", "agents:list", shortcut="a", phone=True),
    NavItem("Rollouts", "rocket", "rollouts:list", shortcut="r", phone=True),
    NavItem("Configurations", "file-code-corner", "configs:list", shortcut="c"),
    NavItem("Catalog", "library", "catalog:list", shortcut="l"),
    NavItem("Tokens", "key-round", "tokens:list", shortcut="t", record=True),
    NavItem("Activity", "scroll-text", "activity", record=True),
    NavItem("Settings", "settings", "settings", record=True),
)

CountSource = Callable[[HttpRequest], Mapping[str, NavCount]]


def no_counts(_request: HttpRequest) -> Mapping[str, NavCount]:
    """Count nothing: the navigation shows words only."""
    return {}


@dataclass(slots=True)
class _Counting:
    """Who counts for the navigation, set once while the apps start."""

    source: CountSource = no_counts


_counting = _Counting()


def count_with(source: CountSource) -> None:
    """Set who counts for the navigation: a function from request to counts by section name."""
    _counting.source = source


def links_for(request: HttpRequest) -> list[NavLink]:
    """Resolve the navigation for a request: addresses, the current section, counts.

    Raises NoReverseMatch when a page of the table has no URL.
    """
    here = current_section(request)
    counts = _counting.source(request)
    return [
        NavLink(item, reverse(item.url_name), item.section == here, counts.get(item.section))
        for item in ITEMS
    ]


def current_section(request: HttpRequest) -> str:
    """Return the section a request belongs to: its outermost namespace, else its URL name."""
    match = request.resolver_match
    if match is None:
        return ""
    return match.namespaces[0] if match.namespaces else match.url_name or ""
