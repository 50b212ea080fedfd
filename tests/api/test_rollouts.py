"""/rollouts/."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent, ComponentSet
from configs.models import ConfigVersion, VersionState
from fleets.models import Fleet, Membership, Quarantine, Rollout
from fleets.rendering import render_version
from telflo.base import clock
from telflo.base.access import Role
from tests.api.caller import caller
from tests.factories import exporting, make_collector, make_fleet, make_rendered, make_version

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
        "may_start": True,
        "needs_acceptance": False,
        "stages": [{"name": "All at once", "targets": 2, "reached": 2, "total": 2}],
        "findings": [],
        "changes": [],
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
    caller()("GET", f"rollouts/{made['id']}/targets/?stage=first").problem(400)
    caller(Role.VIEWER)("POST", "rollouts/", body).problem(403)


def test_targets_are_narrowed_to_a_stage_and_a_cause() -> None:
    call = caller(Role.OPERATOR)
    plan = {"stages": [{"count": 1}, {"percent": 100}]}
    made = call("POST", "rollouts/", {**prepared(), "plan": plan}).body
    here = f"rollouts/{made['id']}"

    def names(query: str) -> list[str]:
        found = call("GET", f"{here}/targets/?{query}").body["results"]
        return sorted(target["name"] for target in found)

    [canary], [other] = names("stage=0"), names("stage=1")
    assert {canary, other} == {"web-1", "web-2"}
    assert names("stage=7") == []
    rollout = Rollout.objects.get()
    rollout.targets.filter(agent__display_name=canary).update(
        state="failed", failure="no such host 7", failed_at=clock.now()
    )
    [cause] = call("GET", f"{here}/failures/").body["causes"]
    assert names(f"cause={cause['id']}") == [canary]
    assert names(f"cause={cause['id']}&stage=0&state=failed") == [canary]
    assert names(f"cause={cause['id']}&stage=1") == []
    assert names("cause=other") == []


def needing(yaml: str, *, builds: tuple[str, ...] = ("core",)) -> dict[str, str]:
    """A fleet with a collector of each build, which know the debug exporter alone or kafka too, and this version."""
    version = make_version(yaml=yaml)
    first = make_version()
    fleet = make_fleet(name="edge", version=first)
    for build in builds:
        exporters: dict[str, Any] = {"debug": {}, **({"kafka": {}} if build == "full" else {})}
        tree: dict[str, Any] = {
            "receivers": {"components": {"otlp": {}}},
            "processors": {"components": {"memory_limiter": {}}},
            "exporters": {"components": exporters},
        }
        parts = ComponentSet.objects.create(hash=build, tree=tree, created_at=clock.now())
        desired = make_rendered(version=first)
        make_collector(name=build, fleet=fleet, desired=desired, agent={"components": parts})
    return {"fleet": "edge", "version": str(version.pk)}


KAFKA = exporting("kafka", '{brokers: ["${env:BROKER}"]}')


def test_an_error_of_the_check_stops_it_whatever_is_accepted() -> None:
    body = needing("service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}")
    call = caller(Role.OPERATOR)
    told = call("POST", "rollouts/", {**body, "dry_run": True}).body
    assert told["may_start"] is False
    [finding] = [one for one in told["findings"] if one["severity"] == "error"]
    assert finding["code"] == "invalid"
    assert 'The pipeline logs uses "otlp", and receivers does not define it.' in finding["lines"][0]
    refused = call("POST", "rollouts/", {**body, "accept_warnings": True}).problem(409)
    assert refused["type"] == "urn:telflo:problem:preflight-errors"
    assert [one["code"] for one in refused["errors"]] == ["invalid"]
    assert "The pipeline logs uses" in refused["errors"][0]["message"]
    assert not Rollout.objects.exists()


def test_who_lacks_a_component_is_named_with_it() -> None:
    told = caller()(
        "POST", "rollouts/", {**needing(KAFKA, builds=("core", "full")), "dry_run": True}
    )
    [finding] = [one for one in told.body["findings"] if one["code"] == "missing_components"]
    [lacking] = finding["collectors"]
    assert (finding["count"], lacking["name"], lacking["detail"]) == (1, "core", "exporter kafka")


def test_what_the_stable_version_means_differently_is_told_without_secrets() -> None:
    text = "exporters: {otlp: {endpoint: HOST, headers: {authorization: Bearer KEY, x-team: KEY}}}"
    first, second = (
        make_version(yaml=text.replace("HOST", host).replace("KEY", key))
        for host, key in (("a:4317", "hushed-one"), ("b:4317", "hushed-two"))
    )
    make_fleet(name="edge", version=first)
    body = {"fleet": "edge", "version": str(second.pk), "dry_run": True}
    answer = caller()("POST", "rollouts/", body)
    changes = {one["path"]: (one["deed"], one["was"], one["now"]) for one in answer.body["changes"]}
    assert changes["exporters::otlp::endpoint"] == ("changed", "a:4317", "b:4317")
    assert {"authorization", "x-team"} <= {path.rpartition("::")[2] for path in changes}
    assert "hushed" not in answer.text


def test_warnings_are_accepted_all_or_by_their_codes() -> None:
    body = needing(KAFKA, builds=("core", "full"))
    call = caller(Role.OPERATOR)
    refused = call("POST", "rollouts/", body).problem(409)
    assert refused["type"] == "urn:telflo:problem:preflight-warnings"
    codes = [one["code"] for one in refused["errors"]]
    assert codes == ["missing_components", "new_variables"]
    assert "BROKER" in refused["errors"][1]["message"]
    one_open = call("POST", "rollouts/", {**body, "accept": codes[:1]}).problem(409)
    assert [one["code"] for one in one_open["errors"]] == codes[1:]
    assert not Rollout.objects.exists()
    assert call("POST", "rollouts/", {**body, "accept": codes}).status == 201


def test_what_runs_is_only_superseded_once_that_is_accepted() -> None:
    call = caller(Role.OPERATOR)
    call("POST", "rollouts/", prepared())
    refused = call("POST", "rollouts/", prepared_again()).problem(409)
    assert [one["code"] for one in refused["errors"]] == ["supersedes"]
    assert call("POST", "rollouts/", {**prepared_again(), "accept": ["supersedes"]}).status == 201


def test_the_check_takes_a_fixed_number_of_queries() -> None:
    plan = {"stages": [{"selector": "region"}, {"percent": 100}], "zone": {"key": "az", "limit": 1}}
    body = {**needing(KAFKA), "plan": plan, "dry_run": True}
    fleet = Fleet.objects.get()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert call("POST", "rollouts/", body).status == 200
        return len(queries)

    call = caller(Role.OPERATOR)
    count()
    few = count()
    for _ in range(20):
        make_collector(fleet=fleet)
    assert count() == few


STAGES = [
    {"name": "Canary", "count": 1, "bake_seconds": 300},
    {"selector": "region in (eu, us)", "failure_budget": {"count": 2}},
    {"percent": 100, "failure_budget": {"percent": 5}},
]


def test_a_plan_of_stages_is_taken_and_shown() -> None:
    knobs = {
        "soak_seconds": 30,
        "apply_timeout_seconds": 90,
        "max_in_flight": 5,
        "zone": {"key": "availability_zone", "limit": 1},
        "window": {"days": "mon-sun", "hours": "00:00-24:00", "zone": "Europe/Berlin"},
    }
    body = {**prepared(), "plan": {"stages": STAGES, **knobs}, "accept_warnings": True}
    answer = caller(Role.OPERATOR)("POST", "rollouts/", body)
    assert answer.status == 201, answer.text
    made = answer.body
    first, second, third = made["stages"]
    assert (first["name"], first["count"], first["bake_seconds"]) == ("Canary", 1, 300)
    assert (second["name"], second["selector"]) == ("Stage 2", "region in (eu, us)")
    assert (second["failure_budget_count"], third["failure_budget_percent"]) == (2, 5)
    assert (made["automatic_rollback"], made["soak_seconds"]) == (True, 30)
    assert made["apply_timeout_seconds"] == 90
    assert (made["zone_key"], made["zone_limit"], made["max_in_flight"]) == (
        "availability_zone",
        1,
        5,
    )
    assert made["window_days"] == "mon,tue,wed,thu,fri,sat,sun"


def test_they_are_listed_by_fleet_be_it_named_by_slug_or_id() -> None:
    call = caller(Role.OPERATOR)
    made = call("POST", "rollouts/", prepared()).body
    for name in ("edge", Fleet.objects.get(slug="edge").pk):
        [found] = call("GET", f"rollouts/?fleet={name}").body["results"]
        assert found["id"] == made["id"]
    assert call("GET", "rollouts/?fleet=other").body["results"] == []


def test_a_preset_is_enough() -> None:
    body = {**prepared(), "plan": {"preset": "canary", "automatic_rollback": False}}
    made = caller(Role.OPERATOR)("POST", "rollouts/", body).body
    assert [stage["name"] for stage in made["stages"]] == ["Canary", "10 %", "50 %", "Everybody"]
    assert made["automatic_rollback"] is False


@pytest.mark.parametrize(
    ("plan", "pointer", "words"),
    [
        ({}, "", "a preset or stages"),
        ({"preset": "canary", "stages": STAGES}, "", "a preset or stages"),
        ({"preset": "blue"}, "/preset", "Known are: canary, all_at_once, one_by_one."),
        ({"stages": STAGES[:2]}, "/stages/1", "last stage has to reach 100 %"),
        (
            {"stages": [{"percent": 10, "count": 1}, {"percent": 100}]},
            "/stages/0",
            "Stage 1: say a number",
        ),
        (
            {"stages": [{"selector": "a=="}, {"percent": 100}]},
            "/stages/0/selector",
            "is no condition",
        ),
        (
            {"stages": [{"percent": 100, "failure_budget": {"percent": 5, "count": 1}}]},
            "/stages/0/failure_budget",
            "percent or count, one of them",
        ),
        (
            {"preset": "canary", "window": {"days": "x", "hours": "09:00-10:00"}},
            "/window",
            "are no days",
        ),
        ({"preset": "canary", "soak_seconds": 100_000}, "/soak_seconds", "equal to 86400"),
    ],
)
def test_what_makes_no_plan_is_said_where_it_does_not(
    plan: dict[str, object], pointer: str, words: str
) -> None:
    errors = caller(Role.OPERATOR)("POST", "rollouts/", {**prepared(), "plan": plan}).problem(400)
    [error] = errors["errors"]
    assert error["pointer"] == f"/plan{pointer}"
    assert words in error["message"]
    assert not Rollout.objects.exists()


@pytest.mark.parametrize("number", [2**31, 10**20])
@pytest.mark.parametrize(
    "place",
    [
        *("stages/0/count", "stages/0/bake_seconds", "stages/0/failure_budget/count"),
        *("soak_seconds", "apply_timeout_seconds", "max_in_flight", "zone/limit"),
    ],
)
def test_a_number_that_no_database_holds_is_refused_where_it_stands(
    place: str, number: int
) -> None:
    stage = {"count": 1, "bake_seconds": 0, "failure_budget": {"count": 0}}
    plan: Any = {"stages": [stage, {"percent": 100}], "zone": {"key": "rack", "limit": 1}}
    *path, last = place.split("/")
    part = plan
    for name in path:
        part = part[int(name) if name.isdecimal() else name]
    part[last] = number
    body = {**prepared(), "plan": plan, "dry_run": True}
    [error] = caller(Role.OPERATOR)("POST", "rollouts/", body).problem(400)["errors"]
    assert (error["pointer"], error["code"]) == (f"/plan/{place}", "max-value")


def test_people_pause_resume_skip_cancel_and_take_back() -> None:
    call = caller(Role.OPERATOR)
    plan = {"preset": "canary"}
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
    other = call("POST", "rollouts/", {**prepared_again(), "accept": ["supersedes"]}).body
    assert call("POST", f"rollouts/{other['id']}/cancel/").body["state"] == "cancelled"
    told = [one["action"] for one in call("GET", "events/?object_type=rollout").body["results"]]
    assert told == ["rollout.cancel", "rollout.roll_back", "rollout.resume", "rollout.pause"]


def prepared_again() -> dict[str, str]:
    """A third version for the fleet of prepared()."""
    return {"fleet": "edge", "version": str(make_version().pk)}


def failed_before() -> dict[str, str]:
    """As prepared(), and the version failed on the first collector."""
    body = prepared()
    rendered = render_version(ConfigVersion.objects.get(pk=body["version"]), now=clock.now())
    agent = Agent.objects.get(display_name="web-1")
    ran = Membership.objects.get(agent=agent).desired
    Membership.objects.filter(agent=agent).update(previous=ran)
    Quarantine.objects.create(agent=agent, hash=rendered.hash, since=clock.now())
    return body


def test_where_it_failed_before_it_is_skipped_unless_that_is_forced() -> None:
    call = caller(Role.OPERATOR)
    body = failed_before()
    told = call("POST", "rollouts/", {**body, "dry_run": True}).body
    assert (told["quarantined"], told["reached"]) == (1, 1)
    assert [one["code"] for one in told["findings"]] == ["quarantined"]
    told = call("POST", "rollouts/", {**body, "dry_run": True, "force": True}).body
    assert (told["quarantined"], told["reached"], told["needs_acceptance"]) == (0, 2, False)
    assert [one["code"] for one in told["findings"]] == ["tried_again"]
    made = call("POST", "rollouts/", {**body, "force": True})
    assert (made.status, made.body["force"]) == (201, True), made.text
