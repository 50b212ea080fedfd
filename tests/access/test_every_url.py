"""Every URL and method as nobody, as each role, and with API tokens of each role and scope, against one table."""

from typing import Final

import pytest
from django.http import HttpResponse

from telflo.base.access import Role
from telflo.base.models import TokenScope
from tests.access.cast import Caller, Cast, ask
from tests.access.routes import all_routes
from tests.access.table import ADMIN_PAGES, ADMIN_VERBS, ANYONE, API, PAGES, READING, Row

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROUTES: Final = {route.name: route for route in all_routes()}
RANK: Final = {role: rank for rank, role in enumerate(Role)}
NOTHING_THERE: Final = {"api-unknown", "admin:view_on_site", "admin:autocomplete"}
"""A GET of these may find nothing; every other finds the object of the cast."""

pytestmark = pytest.mark.django_db

SIGN_IN, IN = "asked to sign in", "let in"


def admin_names() -> set[str]:
    """The routes of the Django admin that the table accounts for."""
    suffixes = ("changelist", "add", "history", "delete", "change")
    models = {f"admin:{model}_{suffix}" for model in ADMIN_VERBS for suffix in suffixes}
    return models | ADMIN_PAGES | {"admin:login"}


def test_every_url_has_a_row_and_every_row_a_url() -> None:
    known = {*PAGES, *API, *admin_names()}
    # The admin has routes without a name: an old form of each object's address, and the rest.
    served = {name for name in ROUTES if not name.startswith("admin/")}
    assert (served - known, known - served) == (set(), set())


@pytest.mark.parametrize("name", [name for name in PAGES if name in ROUTES])
def test_pages_let_in_who_may(cast: Cast, name: str) -> None:
    wrong = [
        _said(caller, method, expected, response)
        for caller in cast.browsers
        for method in METHODS
        for expected in [_page_expected(PAGES[name], method, caller)]
        for response in [ask(caller, method, cast.address(ROUTES[name], caller.role))]
        if _came_to(response, method, name) != expected
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", [name for name in API if name in ROUTES])
def test_api_calls_let_in_who_may(cast: Cast, name: str) -> None:
    wrong = [
        _said(caller, method, expected, response)
        for caller in (*cast.browsers, *cast.programs)
        for method in METHODS
        for expected in [_call_expected(name, method, caller)]
        for response in [ask(caller, method, cast.address(ROUTES[name], caller.role))]
        if _came_to(response, method, name) != expected or not _is_problem(response)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "name", [name for name in ROUTES if ROUTES[name].pattern.startswith("admin/")]
)
def test_the_django_admin_lets_in_admins_alone(cast: Cast, name: str) -> None:
    route = ROUTES[name]
    wrong = []
    for caller in cast.browsers:
        # The admin's own guard stands before all its views and knows no methods.
        for method in METHODS if name in ADMIN_PAGES else ("GET", "POST"):
            response = ask(caller, method, cast.address(route, caller.role))
            expected = _admin_expected(name, caller)
            if _came_to(response, method, name) not in expected:
                wrong.append(_said(caller, method, " or ".join(expected), response))
    assert not wrong, "\n".join(wrong)


def _page_expected(row: Row, method: str, caller: Caller) -> str:
    is_public = ANYONE in row.values()
    if caller.role is None and not is_public:
        return SIGN_IN
    if method not in row:
        return "405"
    return IN if is_public or _is_enough(caller.role, row[method]) else "403"


def _call_expected(name: str, method: str, caller: Caller) -> str:
    row = API[name]
    if caller.role is None:
        return "401"
    reads = method == "GET" or (name in READING and method in row)
    if caller.scope == TokenScope.READ and not reads:
        return "403"
    if method not in row:
        return "405"
    return IN if _is_enough(caller.role, row[method]) else "403"


def _admin_expected(name: str, caller: Caller) -> set[str]:
    if caller.role is None or name == "admin:login":
        return {SIGN_IN}
    if caller.role is not Role.ADMIN:
        return {"403"}
    _, _, place = name.rpartition("admin:")
    model, _, verb = place.rpartition("_")
    if model not in ADMIN_VERBS or verb not in {"add", "delete", "change"}:
        return {IN, "403", "405"}
    may_see = verb == "change" and "view" in ADMIN_VERBS[model]
    return {IN, "403"} if may_see else {IN} if verb in ADMIN_VERBS[model] else {"403"}


def _is_enough(role: Role | None, least: Role | None) -> bool:
    return role is not None and (least is None or RANK[role] >= RANK[least])


def _came_to(response: HttpResponse, method: str, name: str) -> str:
    """What became of a request, in the words of the expectation; else its status."""
    status = response.status_code
    if status in {301, 302} and "/login/?next=" in response.headers["Location"]:
        return SIGN_IN
    if status in {401, 403, 405} or status >= 500:
        return str(status)
    if status == 404 and method == "GET" and name not in NOTHING_THERE | set(_unnamed()):
        return "404"
    return IN


def _unnamed() -> list[str]:
    return [name for name in ROUTES if name.startswith("admin/")]


def _is_problem(response: HttpResponse) -> bool:
    """Errors of the API are problems."""
    is_error = response.status_code >= 400
    return not is_error or response.headers["Content-Type"] == "application/problem+json"


def _said(caller: Caller, method: str, expected: str, response: HttpResponse) -> str:
    where = response.request["PATH_INFO"]  # type: ignore[attr-defined]  # the test client sets it
    came = f"{response.status_code} {response.headers.get('Location', '')}".strip()
    return f"{caller.name}: {method} {where} should be {expected}, was {came}"
