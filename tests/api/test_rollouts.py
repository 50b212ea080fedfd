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


STAGES = [
    {"name": "Canary", "count": 1, "bake_seconds": 300},
    {"selector": "region in (eu, us)", "failure_budget": {"count": 2}},
    {"percent": 100, "failure_budget": {"percent": 5}},
]


def test_a_plan_of_stages_is_taken_and_shown() -> None:
    knobs = {
        "soak_seconds": 30,
        "max_in_flight": 5,
        "zone": {"key": "availability_zone", "limit": 1},
        "window": {"days": "mon-sun", "hours": "00:00-24:00", "zone": "Europe/Berlin"},
    }
    body = {**prepared(), "plan": {"stages": STAGES, **knobs}}
    answer = caller(Role.OPERATOR)("POST", "rollouts/", body)
    assert answer.status == 201, answer.text
    made = answer.body
    first, second, third = made["stages"]
    assert (first["name"], first["count"], first["bake_seconds"]) == ("Canary", 1, 300)
    assert (second["name"], second["selector"]) == ("Stage 2", "region in (eu, us)")
    assert (second["failure_budget_count"], third["failure_budget_percent"]) == (2, 5)
    assert (made["automatic_rollback"], made["soak_seconds"]) == (True, 30)
    assert (made["zone_key"], made["zone_limit"], made["max_in_flight"]) == (
        "availability_zone",
        1,
        5,
    )
    assert made["window_days"] == "mon,tue,wed,thu,fri,sat,sun"


def test_a_preset_is_enough() -> None:
    body = {**prepared(), "plan": {"preset": "canary", "automatic_rollback": False}}
    made = caller(Role.OPERATOR)("POST", "rollouts/", body).body
    assert [stage["name"] for stage in made["stages"]] == ["Canary", "10 %", "50 %", "Everybody"]
    assert made["automatic_rollback"] is False


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({}, "a preset or stages"),
        ({"preset": "canary", "stages": STAGES}, "a preset or stages"),
        ({"stages": STAGES[:2]}, "last stage has to reach 100 %"),
        ({"stages": [{"percent": 10, "count": 1}, {"percent": 100}]}, "Stage 1: say a number"),
        ({"stages": [{"selector": "a=="}, {"percent": 100}]}, "is no condition"),
        (
            {"preset": "canary", "window": {"days": "x", "hours": "09:00-10:00"}},
            "are no days",
        ),
    ],
)
def test_what_makes_no_plan_is_said_at_the_plan(plan: dict[str, object], words: str) -> None:
    errors = caller(Role.OPERATOR)("POST", "rollouts/", {**prepared(), "plan": plan}).problem(400)
    [error] = errors["errors"]
    assert error["pointer"].startswith("/plan")
    assert words in error["message"]
    assert not Rollout.objects.exists()


def test_people_pause_resume_skip_cancel_and_take_back() -> None:
    call = caller(Role.OPERATOR)
    plan = {"stages": STAGES}
    made = call("POST", "rollouts/", {**prepared(), "plan": plan}).body
    here = f"rollouts/{made['id']}"
    paused = call("POST", f"{here}/pause/", {"reason": "lunch"})
    assert (paused.status, paused.body["state"]) == (200, "paused"), paused.text
    assert call("POST", f"{here}/pause/").problem(409)["detail"].startswith("It is paused")
    resumed = call("POST", f"{here}/resume/")
    assert resumed.body.get("state") == "running", resumed.text
    assert call("POST", f"{here}/skip-bake/").problem(409)["detail"].startswith("It is running")
    assert call("POST", f"{here}/rollback/", {"reason": "no"}).body["state"] == "rolling_back"
    assert call("POST", f"{here}/cancel/").status == 409
    other = call("POST", "rollouts/", prepared_again()).body
    assert call("POST", f"rollouts/{other['id']}/cancel/").body["state"] == "cancelled"
    told = [one["action"] for one in call("GET", "events/?object_type=rollout").body["results"]]
    assert told == ["rollout.cancel", "rollout.roll_back", "rollout.resume", "rollout.pause"]


def prepared_again() -> dict[str, str]:
    """A third version for the fleet of prepared()."""
    return {"fleet": "edge", "version": str(make_version().pk)}
