"""Connection settings by the API: changed in parts, never answered with a secret."""

from typing import Any

import pytest

from agents.snapshot import Capability
from fleets.connection import connection_of
from fleets.models import AgentConnection, Fleet, Membership
from telflo.base.access import Role
from tests.api.caller import caller
from tests.factories import CAPABILITIES, make_collector, make_fleet, make_token

pytestmark = pytest.mark.django_db
PATH = "fleets/edge/connection-settings/"
METRICS = {"endpoint": "https://o.example/v1/metrics", "headers": {"x-api-key": "s3cret"}}


@pytest.fixture
def fleet() -> Fleet:
    return make_fleet(name="edge")


def test_a_fleet_without_any_answers_what_holds(fleet: Fleet) -> None:
    body = caller(Role.VIEWER)("GET", PATH).body
    assert body.pop("updated_at")
    assert body == {
        "heartbeat_s": None,
        "own_credentials": False,
        "own_telemetry": {"metrics": None, "traces": None, "logs": None},
        "collectors": None,
    }


def test_it_counts_who_has_them_and_the_list_finds_them(fleet: Fleet) -> None:
    able = {"capabilities": int(CAPABILITIES | Capability.REPORTS_HEARTBEAT)}
    waits = make_collector(fleet=fleet, agent=able)
    make_collector(fleet=fleet)
    caller(Role.ADMIN)("PATCH", PATH, {"heartbeat_s": 60})
    call = caller(Role.VIEWER)
    before = call("GET", PATH)
    assert before.body["collectors"] == {
        "applied": 0,
        "sent": 0,
        "waiting": 1,
        "failed": 0,
        "unable": 1,
    }
    [found] = call("GET", "agents/?fleet=edge&settings=waiting").body["results"]
    assert found["instance_uid"] == str(waits.pk)
    call("GET", "agents/?settings=nonsense").problem(400)
    AgentConnection.objects.create(agent=waits, offered_hash="ab", heartbeat_s=60, marks={})
    after = call("GET", PATH)
    assert (after.body["collectors"]["waiting"], after.body["collectors"]["sent"]) == (0, 1)
    assert after.headers["ETag"] == before.headers["ETag"]


def test_secrets_go_in_and_do_not_come_out(fleet: Fleet) -> None:
    answer = caller(Role.ADMIN)("PATCH", PATH, {"own_telemetry": {"metrics": METRICS}})
    assert answer.status == 200
    assert "s3cret" not in answer.text
    shown = {"endpoint": METRICS["endpoint"], "header_names": ["x-api-key"], "has_ca": False}
    assert answer.body["own_telemetry"]["metrics"] == shown
    assert "s3cret" in connection_of(fleet).destinations


def test_what_is_left_out_stays_and_null_removes(fleet: Fleet) -> None:
    call = caller(Role.ADMIN)
    call("PATCH", PATH, {"heartbeat_s": 60, "own_telemetry": {"metrics": METRICS}})
    call("PATCH", PATH, {"own_telemetry": {"metrics": {"endpoint": METRICS["endpoint"]}}})
    assert "s3cret" in connection_of(fleet).destinations
    body = call("PATCH", PATH, {"own_telemetry": {"metrics": None}}).body
    assert (body["heartbeat_s"], body["own_telemetry"]["metrics"]) == (60, None)


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"heartbeat_s": 0}, 400, "/heartbeat_s"),
        ({"own_telemetry": {"logs": {"endpoint": "nowhere"}}}, 422, "/own_telemetry/logs/endpoint"),
        (
            {"own_telemetry": {"logs": {**METRICS, "headers": {"x-k": 'a"'}}}},
            422,
            "/own_telemetry/logs/headers",
        ),
    ],
)
def test_faults_are_said_where_they_are(
    fleet: Fleet, change: Any, status: int, pointer: str
) -> None:
    problem = caller(Role.ADMIN)("PATCH", PATH, change).problem(status)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_an_etag_guards_a_change(fleet: Fleet) -> None:
    call = caller(Role.ADMIN)
    call("PATCH", PATH, {"heartbeat_s": 60})
    stale = call("PATCH", PATH, {"heartbeat_s": 90}, If_Match='"nonsense"')
    assert stale.status == 412
    assert connection_of(fleet).heartbeat_s == 60


def test_the_collectors_of_a_token_are_listed(fleet: Fleet) -> None:
    token = make_token(fleet=fleet).token
    make_collector(fleet=fleet)
    uses = make_collector(fleet=fleet)
    Membership.objects.filter(agent=uses).update(token=token)
    [found] = caller(Role.VIEWER)("GET", f"agents/?token={token.pk}").body["results"]
    assert found["instance_uid"] == str(uses.pk)
    assert found["credential"] == {
        "id": str(token.pk),
        "kind": "enrolment",
        "prefix": token.prefix,
    }


def test_a_rotation_can_end_by_revoking(fleet: Fleet) -> None:
    token = make_token(fleet=fleet).token
    call = caller(Role.ADMIN)
    call("POST", f"tokens/{token.pk}/rotate/", {"overlap_seconds": 60, "revoke_old": True})
    body = call("GET", f"tokens/{token.pk}/").body
    assert body["revoke_at"] == body["retired_at"] is not None
