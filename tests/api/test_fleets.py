"""/fleets/."""

from datetime import timedelta

import pytest

from configs.models import VersionState
from fleets.models import Fleet, Token
from telflo.base.access import Role
from telflo.base.models import Activity, TokenScope
from telflo.base.secrets import hash_secret
from tests.api.caller import caller
from tests.factories import make_collector, make_fleet, make_rendered, make_version

pytestmark = pytest.mark.django_db


def test_a_fleet_is_made_of_a_published_version_and_read_by_id_and_slug() -> None:
    version = make_version()
    call = caller(Role.EDITOR)
    answer = call("POST", "fleets/", {"name": "edge", "version": str(version.pk)})
    assert answer.status == 201, answer.text
    assert answer.body["version"]["number"] == version.number
    assert answer.body["counts"]["collectors"] == 0
    by_slug, by_id = call("GET", "fleets/edge/"), call("GET", f"fleets/{answer.body['id']}/")
    assert {**by_slug.body, "first_token": None} == answer.body
    assert by_slug.body == by_id.body


def test_who_may_issue_tokens_gets_the_first_one_in_the_answer_and_only_there() -> None:
    call = caller(Role.ADMIN)
    body = {"name": "edge", "expires": "180d"}
    answer = call("POST", "fleets/", body, Idempotency_Key="k")
    assert answer.status == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    token, told = Token.objects.get(), answer.body["first_token"]
    assert hash_secret(told["secret"]) == token.secret_hash
    assert (told["id"], told["name"], token.fleet.slug) == (str(token.pk), "edge, first", "edge")
    assert token.enrol_until == token.created_at + timedelta(days=180)
    again = call("POST", "fleets/", body, Idempotency_Key="k")
    for text in (again.text, call("GET", "fleets/edge/").text, call("GET", "fleets/").text):
        assert told["secret"] not in text
    assert Token.objects.count() == 1


def test_a_fleet_is_made_without_a_token_when_none_is_wanted() -> None:
    answer = caller()("POST", "fleets/", {"name": "edge", "expires": None})
    assert (answer.status, answer.body["first_token"]) == (201, None)
    assert not Token.objects.exists()


def test_the_first_token_enrols_for_a_year_unless_it_is_told_otherwise() -> None:
    caller()("POST", "fleets/", {"name": "edge"})
    token = Token.objects.get()
    assert token.enrol_until == token.created_at + timedelta(days=365)


def test_an_expiry_that_is_none_makes_no_fleet() -> None:
    answer = caller()("POST", "fleets/", {"name": "edge", "expires": "soon"})
    assert answer.problem(422)["errors"][0]["pointer"] == "/expires"
    assert not Fleet.objects.exists()


def test_an_editor_gets_no_token_and_is_told_so_when_asking_for_one() -> None:
    answer = caller(Role.EDITOR)("POST", "fleets/", {"name": "edge"})
    assert answer.body["first_token"] is None
    refused = caller(Role.EDITOR)("POST", "fleets/", {"name": "other", "expires": "1y"})
    assert "Admin" in refused.problem(403)["detail"]
    assert not Token.objects.exists()
    assert not Fleet.objects.filter(name="other").exists()


def test_a_fleet_without_a_version_observes_only() -> None:
    assert caller(Role.EDITOR)("POST", "fleets/", {"name": "look"}).body["version"] is None


@pytest.mark.parametrize("kind", ["unpublished", "unknown"])
def test_a_version_that_cannot_be_assigned_is_said_at_its_field(kind: str) -> None:
    version = make_version(state=VersionState.UNPUBLISHED)
    key = version.pk if kind == "unpublished" else "01890000-0000-7000-8000-000000000000"
    answer = caller()("POST", "fleets/", {"name": "edge", "version": str(key)})
    assert answer.problem(422)["errors"][0]["pointer"] == "/version"
    assert not Fleet.objects.exists()


def test_the_list_counts_by_status_and_by_version() -> None:
    version = make_version()
    fleet = make_fleet(name="edge", version=version)
    rendered = make_rendered(version=version)
    make_collector(
        fleet=fleet, desired=rendered, remote_config_status=1, remote_config_hash=rendered.hash
    )
    make_collector(fleet=fleet, status="failed", desired=rendered)
    counts = caller(Role.VIEWER)("GET", "fleets/").body["results"][0]["counts"]
    assert counts["collectors"] == 2
    assert counts["by_status"] == {"in_sync": 1, "failed": 1}
    named = {
        (entry["version"] or {}).get("number"): entry["collectors"]
        for entry in counts["by_version"]
    }
    assert named == {version.number: 1, None: 1}


def test_a_change_needs_the_state_that_was_read() -> None:
    make_fleet(name="edge")
    call = caller(Role.EDITOR)
    etag = call("GET", "fleets/edge/").headers["ETag"]
    changed = call("PATCH", "fleets/edge/", {"description": "a"}, If_Match=etag)
    assert changed.body["description"] == "a"
    call("PATCH", "fleets/edge/", {"description": "b"}, If_Match=etag).problem(412)


def test_a_change_to_what_is_already_so_leaves_no_trace() -> None:
    make_fleet(name="edge")
    call = caller(Role.EDITOR)
    before = call("GET", "fleets/edge/")
    after = call("PATCH", "fleets/edge/", {"name": "edge"}, If_Match=before.headers["ETag"])
    assert (after.status, after.body) == (200, before.body)
    assert not Activity.objects.filter(action="fleet.update").exists()


def test_counts_do_not_change_the_etag() -> None:
    fleet = make_fleet(name="edge")
    call = caller(Role.EDITOR)
    etag = call("GET", "fleets/edge/").headers["ETag"]
    make_collector(fleet=fleet)
    assert call("PATCH", "fleets/edge/", {"name": "edge 2"}, If_Match=etag).status == 200


def test_a_fleet_with_collectors_is_not_archived() -> None:
    fleet = make_fleet(name="edge")
    make_collector(fleet=fleet)
    caller()("POST", "fleets/edge/archive/", {}).problem(409)
    make_fleet(name="empty")
    assert caller()("POST", "fleets/empty/archive/", {"reason": "old"}).body["archived_at"]


def test_roles_and_scopes_decide() -> None:
    make_fleet(name="edge")
    assert caller(Role.VIEWER)("GET", "fleets/").status == 200
    caller(Role.OPERATOR)("POST", "fleets/", {"name": "x"}).problem(403)
    caller(Role.ADMIN, TokenScope.READ)("POST", "fleets/", {"name": "x"}).problem(403)
    caller(Role.EDITOR)("POST", "fleets/edge/tokens/", {"name": "x"}).problem(403)


def test_an_unknown_fleet_and_an_unknown_parameter_are_told() -> None:
    caller()("GET", "fleets/nowhere/").problem(404)
    caller()("GET", "fleets/?colour=red").problem(400)
