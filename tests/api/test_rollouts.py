"""/rollouts/."""

import pytest

from configs.models import VersionState
from fleets.models import Rollout
from telflo.base.access import Role
from tests.api.caller import caller
from tests.factories import make_collector, make_fleet, make_rendered, make_version

pytestmark = pytest.mark.django_db


def prepared() -> dict[str, str]:
    """A fleet of two collectors and the body that gives it another version."""
    first, second = make_version(), make_version()
    fleet = make_fleet(name="edge", version=first)
    desired = make_rendered(version=first)
    make_collector(name="web-1", fleet=fleet, desired=desired)
    make_collector(name="web-2", fleet=fleet, desired=desired, status="disconnected")
    return {"fleet": "edge", "version": str(second.pk), "reason": "new gateway"}


def test_a_rollout_is_started_and_read_with_its_stage_and_targets() -> None:
    body = prepared()
    call = caller(Role.OPERATOR)
    answer = call("POST", "rollouts/", body)
    assert answer.status == 201, answer.text
    made = answer.body
    assert (made["fleet"], made["reason"]) == ("edge", "new gateway")
    assert sum(made["counts"].values()) == 2
    assert [stage["name"] for stage in made["stages"]] == ["All at once"]
    assert call("GET", f"rollouts/{made['id']}/").body["id"] == made["id"]
    targets = call("GET", f"rollouts/{made['id']}/targets/").body["results"]
    assert {target["name"] for target in targets} == {"web-1", "web-2"}
    failed = call("GET", f"rollouts/{made['id']}/targets/?state=failed")
    assert failed.body["results"] == []


def test_a_dry_run_answers_numbers_and_changes_nothing() -> None:
    answer = caller(Role.OPERATOR)("POST", "rollouts/", {**prepared(), "dry_run": True})
    assert answer.status == 200
    assert answer.body == {
        "reached": 2,
        "managed": 2,
        "offline": 1,
        "running": 0,
        "unable": 0,
        "observed": 0,
        "quarantined": 0,
    }
    assert not Rollout.objects.exists()


def test_the_list_is_filtered_by_fleet_and_state() -> None:
    call = caller(Role.OPERATOR)
    call("POST", "rollouts/", prepared())
    assert len(call("GET", "rollouts/?fleet=edge").body["results"]) == 1
    assert call("GET", "rollouts/?fleet=other").body["results"] == []
    assert call("GET", "rollouts/?state=cancelled").body["results"] == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_unpublished_version_is_refused(dry_run: bool) -> None:
    draft = make_version(state=VersionState.UNPUBLISHED)
    body = {**prepared(), "version": str(draft.pk), "dry_run": dry_run}
    answer = caller()("POST", "rollouts/", body)
    assert answer.problem(422)["errors"][0]["pointer"] == "/version"


def test_an_unknown_fleet_is_said_at_its_field() -> None:
    answer = caller()("POST", "rollouts/", {**prepared(), "fleet": "nowhere"})
    assert answer.problem(422)["errors"][0]["pointer"] == "/fleet"


def test_a_bad_state_of_targets_is_a_400_and_viewers_start_nothing() -> None:
    body = prepared()
    made = caller()("POST", "rollouts/", body).body
    caller()("GET", f"rollouts/{made['id']}/targets/?state=odd").problem(400)
    caller(Role.VIEWER)("POST", "rollouts/", body).problem(403)
