"""Text that no row can hold is refused where it comes in, with an answer that names it, whatever the database."""

import pytest
from axes.models import AccessAttempt
from django.test import Client

from telflo.base.access import Role
from telflo.base.models import Activity
from tests.api.caller import caller
from tests.factories import make_collector, make_fleet, make_token
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db

PAGES = {
    "/collectors/": ("q", "fleet", "os", "collector_version", "attr.site", "label.site"),
    "/collectors/collectors.csv": ("attr.site", "os"),
    "/activity/": ("q",),
    "/tokens/": ("q", "fleet"),
    "/fleets/": ("q",),
    "/configurations/": ("q",),
    "/rollouts/": ("fleet",),
    "/admin/base/user/": ("q",),
}
CALLS = {
    "agents/": ("q", "fleet", "os", "collector_version", "attr.site", "label.site"),
    "events/": ("action", "actor", "object_id"),
    "fleets/": ("q",),
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_refuses_a_nul_character_in_its_address(path: str) -> None:
    client = signed_in(Role.ADMIN)
    assert client.get(path).status_code == 200
    for name in PAGES[path]:
        answer = client.get(path, {name: "a\0b"})
        assert answer.status_code == 400, name
        assert f"“{name}” holds a NUL character" in answer.content.decode()


def test_a_name_with_a_nul_character_is_refused_too() -> None:
    answer = signed_in().get("/collectors/?attr.%00=1")
    assert answer.status_code == 400
    assert "NUL character" in answer.content.decode()


@pytest.mark.parametrize("path", CALLS)
def test_a_call_refuses_it_with_a_problem_that_names_the_parameter(path: str) -> None:
    call = caller(Role.ADMIN)
    for name in CALLS[path]:
        [error] = call("GET", f"{path}?{name}=%00").problem(400)["errors"]
        assert error["pointer"] == f"/{name}"
        assert "NUL character" in error["message"]
    call("GET", "agents/?attr.%00=1").problem(400)


def test_a_cookie_with_a_nul_character_is_refused() -> None:
    answer = Client().get("/", headers={"cookie": 'sessionid="aaaaaaaa\\000"'})
    assert answer.status_code == 400


def test_a_reason_with_a_nul_character_changes_nothing() -> None:
    token = make_token(fleet=make_fleet()).token
    answer = signed_in(Role.ADMIN).post(f"/tokens/{token.pk}/revoke/", {"reason": "a\0b"})
    assert answer.status_code == 400
    assert "“reason” holds a NUL character" in answer.content.decode()
    token.refresh_from_db()
    assert token.revoked_at is None
    assert not Activity.objects.filter(action="token.revoke").exists()


@pytest.mark.parametrize("labels", [{"a\0": "b"}, {"a\ud800": "b"}, {"a": "b\0"}])
def test_labels_with_a_nul_character_are_refused(labels: dict[str, str]) -> None:
    agent = make_collector()
    answer = caller(Role.ADMIN)("PATCH", f"agents/{agent.pk}/", {"labels": labels})
    assert answer.status in {400, 422}, answer.text
    agent.refresh_from_db()
    assert agent.labels == {}


@pytest.mark.parametrize("name", ["a\0b", "a" * 100_000, "a" * 151])
def test_a_user_name_that_nobody_can_have_is_neither_looked_up_nor_counted(name: str) -> None:
    answer = Client().post("/accounts/login/", {"username": name, "password": "x"})
    assert answer.status_code == 422
    assert "do not match" in answer.content.decode()
    assert not AccessAttempt.objects.exists()
