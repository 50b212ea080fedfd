"""What every template may ask for: theme, navigation, the person, the server."""

from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from telflo.ui.nav import links_for

THEME_COOKIE = "theme"
THEMES = ("system", "light", "dark")


def theme_of(request: HttpRequest) -> str:
    """Return the theme a browser asked for: system, light or dark."""
    wanted = request.COOKIES.get(THEME_COOKIE, "system")
    return wanted if wanted in THEMES else "system"


def _host_of(request: HttpRequest) -> str:
    """The name that the browser asked for; "" for one that is not allowed: the page that says so is shown too."""
    try:
        return request.get_host()
    except DisallowedHost:
        return ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor for the frame of every page.

    `nav_links` is made only when a template asks: signed-out pages never count anything.
    """
    return {
        "theme": theme_of(request),
        "nav_links": SimpleLazyObject(lambda: links_for(request)),
        "server_name": _host_of(request),
        "server_version": getattr(settings, "TELFLO_VERSION", ""),
    }
