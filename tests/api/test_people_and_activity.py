"""/people/, /api-tokens/ and /events/."""

import pytest

from telflo.base.access import Role
from telflo.base.models import Activity, ApiToken, User
from tests.api.caller import Caller, caller
from tests.factories import make_configuration, make_person

pytestmark = pytest.mark.django_db


def test_an_admin_invites_somebody_by_a_link_that_works_once() -> None:
    call = caller()
    made = call("POST", "people/", {"username": "ada", "role": "editor"})
    assert made.status == 201
    link = made.body["link"]
    assert "/accounts/link/" in link
    assert made.body["person"]["role"] == "editor"
    assert link not in call("GET", f"people/{made.body['person']['id']}/").text
    assert link.rsplit("/", 2)[1] not in str(list(Activity.objects.values()))


def test_role_and_access_of_a_person_change_and_the_last_admin_stays() -> None:
    admin = make_person(role=Role.ADMIN)
    call = caller(user=admin)
    other = make_person(role=Role.VIEWER)
    changed = call("PATCH", f"people/{other.uid}/", {"role": "operator", "is_active": False}).body
    assert (changed["role"], changed["is_active"]) == ("operator", False)
    call("PATCH", f"people/{admin.uid}/", {"role": "viewer"}).problem(409)
    call("PATCH", f"people/{admin.uid}/", {"is_active": False}).problem(409)
    call("PATCH", f"people/{other.uid}/", {"role": "emperor"}).problem(400)
    assert User.objects.get(pk=admin.pk).role == "admin"


def test_a_reset_link_is_answered_once() -> None:
    person = make_person()
    assert caller()("POST", f"people/{person.uid}/reset/").body["link"]


def test_a_person_is_known_by_a_uuid_and_by_no_number() -> None:
    call = caller()
    person = make_person(username="ada")
    assert call("GET", f"people/{person.uid}/").body["id"] == str(person.uid)
    assert str(person.uid) in {row["id"] for row in call("GET", "people/").body["results"]}
    call("GET", f"people/{person.pk}/").problem(404)


def test_the_activity_of_a_person_is_found_by_the_id_of_the_person() -> None:
    call = caller()
    invited = call("POST", "people/", {"username": "ada"}).body["person"]
    rows = call("GET", f"events/?object_type=person&object_id={invited['id']}").body["results"]
    assert [row["action"] for row in rows] == ["person.invite"]
    assert rows[0]["object"] == {"type": "person", "id": invited["id"], "name": "ada"}


def test_people_are_filtered_by_role() -> None:
    make_person(role=Role.EDITOR, username="ada")
    rows = caller()("GET", "people/?role=editor").body["results"]
    assert [row["username"] for row in rows] == ["ada"]
    assert "password" not in rows[0]


def test_a_token_is_shown_once_works_and_is_revoked() -> None:
    call = caller(Role.VIEWER)
    made = call("POST", "api-tokens/", {"name": "ci", "scope": "read", "expires": "1y"}).body
    assert Caller(made["secret"])("GET", "events/").status == 200
    assert "secret" not in call("GET", f"api-tokens/{made['id']}/").body
    assert call("POST", f"api-tokens/{made['id']}/revoke/").body["revoked_at"]
    Caller(made["secret"])("GET", "events/").problem(401)


@pytest.mark.parametrize("expires", ["soon", "2020-01-01T00:00:00Z", "0d", "99999y", "2027-01-01"])
def test_a_wrong_expiry_is_refused(expires: str) -> None:
    problem = caller()("POST", "api-tokens/", {"name": "x", "expires": expires}).problem(422)
    assert problem["errors"][0]["pointer"] == "/expires"


def test_other_peoples_tokens_are_not_there() -> None:
    mine = caller(Role.ADMIN)
    other = caller(Role.VIEWER)
    theirs = ApiToken.objects.filter(user__role="viewer").get()
    assert len(mine("GET", "api-tokens/").body["results"]) == 1
    mine("POST", f"api-tokens/{theirs.pk}/revoke/").problem(404)
    assert other("GET", "api-tokens/").status == 200


def test_activity_is_filtered() -> None:
    call = caller()
    call("POST", "configurations/", {"name": "x"})
    path = f"configurations/{make_configuration().pk}/"
    call("PATCH", path, {"name": "y"})
    rows = call("GET", "events/?object_type=configuration").body["results"]
    assert [row["action"] for row in rows] == ["configuration.update", "configuration.create"]
    assert rows[0]["after"]["name"] == "y"
    assert rows[0]["actor"]["kind"] == "api_token"
    one = call("GET", f"events/{rows[0]['id']}/").body
    assert one == rows[0]
    assert call("GET", "events/?action=configuration.create").body["results"] == rows[1:]
    assert call("GET", "events/?since=2100-01-01T00:00:00Z").body["results"] == []
    call("GET", "events/?since=x").problem(400)
