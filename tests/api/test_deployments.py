"""/fleets/{id}/deployments/ and /deployments/."""

import pytest

from fleets.models import Deployment
from telflo.base.access import Role
from tests.api.caller import caller
from tests.factories import make_fleet

pytestmark = pytest.mark.django_db

BODY = {"platform": "linux_arm64", "options": {"labels": {"site": "ams"}}, "max_uses": 5}


def test_the_command_is_in_the_one_answer() -> None:
    make_fleet(name="edge")
    call = caller()
    answer = call("POST", "fleets/edge/deployments/", BODY)
    assert answer.status == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    code = answer.body["script_url"].rpartition("/")[2]
    assert answer.body["command"].endswith(f"/install/{code} | sudo sh")
    assert answer.body["expires_at"]
    for path in ("fleets/edge/deployments/", f"deployments/{answer.body['id']}/"):
        assert code not in call("GET", path).text


def test_a_replay_answers_without_the_code() -> None:
    make_fleet(name="edge")
    call = caller()
    call("POST", "fleets/edge/deployments/", BODY, Idempotency_Key="k")
    again = call("POST", "fleets/edge/deployments/", BODY, Idempotency_Key="k")
    assert again.status == 201
    assert not {"command", "foreground_command", "script_url"} & set(again.body)
    assert Deployment.objects.count() == 1


def test_secret_values_are_taken_and_never_answered() -> None:
    make_fleet(name="edge")
    call = caller()
    body = {**BODY, "secret_environment": {"API_KEY": "hunter2hunter2"}}
    answer = call("POST", "fleets/edge/deployments/", body)
    assert "hunter2" not in answer.text
    assert "hunter2" not in call("GET", "fleets/edge/deployments/").text
    assert Deployment.objects.get().secret_environment == "API_KEY=hunter2hunter2"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"options": {"colour": "red"}}, "/options/colour"),
        ({"options": {"transport": "pigeon"}}, "/options/transport"),
        ({"options": {"proxy": "http://[::1"}}, "/options/proxy"),
        ({"options": {"labels": {"a b": "x"}}}, "/options/labels"),
        ({"options": {"collector": "otelcol"}}, "/options/collector"),
        ({"options": {"config_files": ["local.yaml"]}}, "/options/config_files"),
        ({"options": {"environment": ["A B"]}}, "/options/environment"),
        ({"secret_environment": {"A B": "x"}}, "/secret_environment"),
        ({"supervisor_version": "1"}, "/supervisor_version"),
    ],
)
def test_what_cannot_be_used_is_a_422_with_its_field(
    change: dict[str, object], pointer: str
) -> None:
    make_fleet(name="edge")
    answer = caller()("POST", "fleets/edge/deployments/", {**BODY, **change})
    assert answer.problem(422)["errors"][0]["pointer"] == pointer


def test_revoking_is_for_admins() -> None:
    make_fleet(name="edge")
    made = caller()("POST", "fleets/edge/deployments/", BODY).body
    caller(Role.EDITOR)("POST", f"deployments/{made['id']}/revoke/", {}).problem(403)
    assert caller()("POST", f"deployments/{made['id']}/revoke/", {}).body["revoked_at"]
