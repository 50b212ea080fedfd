"""What every answer carries: protection against forged requests, security headers, no caching of secrets."""

import re
from typing import Any, Final

import pytest

from telflo.base.access import Role
from tests.access.cast import Caller, Cast, ask
from tests.access.routes import all_routes
from tests.access.table import ANYONE, API, PAGES

pytestmark = pytest.mark.django_db

ROUTES: Final = {route.name: route for route in all_routes()}
WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")
BY_CODE: Final = {"install-claim", "install-held"}
"""The script calls it without a browser: its code is the credential."""
NO_HTML: Final = {"healthz", "readyz", "install-script", "install-check", "agents:export"}
SHOWN_ONCE: Final[dict[str, dict[str, Any]]] = {
    "fleets:new": {"name": "new", "arrival_mode": "managed", "expires": "1y"},
    "fleets:deploy": {
        "platform": "linux_amd64",
        "supervisor_version": "0.158.0",
        "collector_version": "0.158.0",
        "transport": "ws",
        "max_uses": "1",
        "lifetime": "24",
    },
    "tokens:new": {"fleet": "edge", "name": "new", "expires": "1y"},
    "tokens:rotate": {"overlap_seconds": "0"},
    "people": {"username": "new", "email": "", "role": "viewer"},
    "person-reset": {},
    "api-token-create": {"name": "new", "scope": "read", "expires": "180d", "lifetime": "180"},
    "install-claim": {"host": "edge-2"},
}
"""POSTs whose answers hold a secret, with data that make them succeed."""


def writes() -> list[tuple[str, str]]:
    return [
        (name, method)
        for name, row in {**PAGES, **API}.items()
        for method in row
        if method in WRITES and name not in BY_CODE and name in ROUTES
    ]


@pytest.mark.parametrize(("name", "method"), writes())
def test_a_write_of_a_browser_needs_the_csrf_token(cast: Cast, name: str, method: str) -> None:
    caller = cast.browser(Role.ADMIN)
    address = cast.address(ROUTES[name], Role.ADMIN)
    response = ask(caller, method, address, checks_csrf=True)
    assert response.status_code == 403
    assert b"CSRF" in response.content or name in PAGES


def test_the_code_of_a_host_needs_no_csrf_token(cast: Cast) -> None:
    nobody = cast.browsers[0]
    address = cast.address(ROUTES["install-claim"], None)
    response = ask(nobody, "POST", address, {"host": "edge-2"}, checks_csrf=True)
    assert response.status_code == 200


@pytest.mark.parametrize("name", [name for name, row in PAGES.items() if "GET" in row])
def test_a_page_says_what_browsers_may_do_with_it(cast: Cast, name: str) -> None:
    caller = cast.browsers[0] if PAGES[name]["GET"] is ANYONE else cast.browser(Role.ADMIN)
    address = cast.address(ROUTES[name], caller.role)
    response = ask(caller, "GET", address)
    if response.headers.get("Location", "").startswith(f"{address}?"):
        # It goes on to itself, with the state that it is about in its address.
        response = ask(caller, "GET", response.headers["Location"])
    assert response.status_code == 200
    check_headers(dict(response.headers))
    if name not in NO_HTML:
        page = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
        elsewhere = r"""<(?!a\s)[^>]*(?:src|href|action)=["'](?:https?:)?//(?!testserver)"""
        assert not re.search(elsewhere, page), (
            "Nothing is loaded from elsewhere, links may lead there."
        )
        assert not re.search(
            r'<a\s(?![^>]*rel="[^"]*noreferrer)[^>]*href="https?://(?!testserver)', page
        )


@pytest.mark.parametrize("address", ["/nothing-here/", "/admin/", "/api/v1/events/"])
def test_errors_admin_and_api_say_it_too(cast: Cast, address: str) -> None:
    check_headers(dict(ask(cast.browser(Role.ADMIN), "GET", address).headers))


@pytest.mark.parametrize("name", SHOWN_ONCE)
def test_an_answer_with_a_secret_is_kept_by_no_cache(cast: Cast, name: str) -> None:
    caller = cast.browser(Role.ADMIN)
    address = cast.address(ROUTES[name], Role.ADMIN)
    response = ask(caller, "POST", address, SHOWN_ONCE[name])
    assert response.status_code == 200, response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("configs:version-raw", "GET"),
        ("agents:configuration", "POST"),
        ("account-link", "GET"),
        ("install-script", "GET"),
    ],
)
def test_an_unredacted_page_is_kept_by_no_cache(cast: Cast, name: str, method: str) -> None:
    response = ask(cast.browser(Role.ADMIN), method, cast.address(ROUTES[name], Role.ADMIN))
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(cast: Cast) -> None:
    page = ask(Caller("nobody", None), "GET", "/accounts/login/")
    cookie = page.cookies["csrftoken"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def check_headers(headers: dict[str, str]) -> None:
    """As Mozilla's guide and `check --deploy` ask."""
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    for directive in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert directive in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
