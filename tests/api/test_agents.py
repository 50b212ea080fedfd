"""The REST API of agents and the numbers of the overview."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openapi_schema_validator import OAS31Validator

from agents.models import Agent, AgentEvent, ComponentSet, EffectiveConfig
from agents.snapshot import ComponentHealth, ConfigFile, ConfigStatus
from agents.store.values import files_to_text
from fleets.models import Membership
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.api.caller import caller
from tests.factories import (
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)

pytestmark = pytest.mark.django_db


def names(answer: Any) -> list[str]:
    assert answer.status == 200, answer.text
    return [row["name"] for row in answer.body["results"]]


def _whole_agent() -> Agent:
    """Of which everything is known."""
    version = make_version(configuration=make_configuration(name="edge"))
    rendered = make_rendered(version=version)
    return make_collector(
        name="web-17",
        fleet=make_fleet(name="edge"),
        desired=rendered,
        remote_config_status=ConfigStatus.APPLIED,
        remote_config_hash=rendered.hash,
        tree=ComponentHealth(True, "StatusOK", ""),
        agent={
            "capabilities": 0x3,
            "collector_name": "otelcol-contrib",
            "collector_version": "0.158.0",
            "identifying": {"service.name": "otelcol-contrib"},
            "non_identifying": {"api_key": "hunter22hunter22"},
            "labels": {"site": "ams"},
        },
    )


def test_an_agent_has_the_shape_of_the_interfaces() -> None:
    agent = _whole_agent()
    body = caller(Role.VIEWER)("GET", f"agents/{agent.pk}/").body
    times = {name: body.pop(name) for name in ("status_since", "last_seen")}
    assert all(text.endswith("Z") for text in times.values())
    assert body == {
        "instance_uid": str(agent.pk),
        "name": "web-17",
        "fleet": "edge",
        "mode": "managed",
        "connected": True,
        "transport": "ws",
        "status": "in_sync",
        "health": {
            "healthy": True,
            "status": "StatusOK",
            "last_error": "",
            "reported_at": None,
            "components": {},
        },
        "desired_version": {"configuration": "edge", "number": 1},
        "applied_version": {"configuration": "edge", "number": 1},
        "remote_config": {
            "status": "APPLIED",
            "hash": agent.status.remote_config_hash,
            "error": "",
        },
        "credential": None,
        "connection_settings": {"status": "UNSET", "hash": "", "error": "", "interval_s": 30},
        "collector": {"name": "otelcol-contrib", "version": "0.158.0"},
        "capabilities": ["ReportsStatus", "AcceptsRemoteConfig"],
        "custom_capabilities": [],
        "attributes": {
            "identifying": {"service.name": "otelcol-contrib"},
            "non_identifying": {"api_key": "<redacted>"},
        },
        "labels": {"site": "ams"},
    }


def test_health_is_null_while_it_is_unknown() -> None:
    agent = make_collector(status="disconnected")
    assert caller()("GET", f"agents/{agent.pk}/").body["health"]["healthy"] is None


def test_health_of_an_agent_that_is_cut_off_is_null_and_its_tree_is_the_last_known() -> None:
    tree = ComponentHealth(healthy=True, status="StatusOK")
    agent = make_collector(status="stale", health="healthy", tree=tree)
    health = caller()("GET", f"agents/{agent.pk}/").body["health"]
    assert (health["healthy"], health["status"]) == (None, "StatusOK")


def test_times_of_components_are_written_as_all_others() -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, 89000, tzinfo=UTC)
    leaf = ComponentHealth(healthy=True, started_at=at, status_at=at)
    tree = ComponentHealth(
        healthy=True, components={"pipe": replace(leaf, components={"in": leaf})}
    )
    agent = make_collector(tree=tree)
    pipe = caller()("GET", f"agents/{agent.pk}/").body["health"]["components"]["pipe"]
    for node in (pipe, pipe["components"]["in"]):
        assert node["started_at"] == node["status_at"] == "2026-03-04T05:06:07.089000Z"


def test_the_list_is_filtered_as_the_page() -> None:
    edge = make_fleet(name="edge")
    make_collector(name="one", fleet=edge, status="failed", agent={"labels": {"site": "ams"}})
    make_collector(name="two", fleet=edge, agent={"non_identifying": {"host.arch": "arm64"}})
    call = caller(Role.VIEWER)
    for query, found in (
        ("", ["one", "two"]),
        ("fleet=edge&status=failed", ["one"]),
        ("status=failed&status=in_sync", ["one", "two"]),
        ("label.site=ams", ["one"]),
        ("attr.host.arch=arm64", ["two"]),
        ("q=tw", ["two"]),
        ("connected=false", []),
        ("connected=true", ["one", "two"]),
        ("connected=", ["one", "two"]),
        ("ordering=-display_name", ["two", "one"]),
    ):
        assert names(call("GET", f"agents/?{query}")) == found, query


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "status=bogus",
        "attr=1",
        "attr.=1",
        "label.=1",
        "version=edge:2",
        "version=2&version=two",
        "ordering=secret",
        "connected=zz",
        "connected=1",
    ],
)
def test_what_is_not_known_is_a_400(query: str) -> None:
    make_collector()
    caller()("GET", f"agents/?{query}").problem(400)


def test_pages_follow_each_other() -> None:
    for _ in range(5):
        make_collector()
    call = caller()
    body = call("GET", "agents/?limit=3").body
    assert len(body["results"]) == 3
    following = body["next"].partition("/api/v1/")[2]
    assert len(call("GET", following).body["results"]) == 2


def test_the_list_takes_as_many_queries_for_50_as_for_5() -> None:
    fleet, rendered, call = make_fleet(), make_rendered(version=make_version()), caller()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert call("GET", "agents/").status == 200
        return len(captured)

    def add(count: int) -> None:
        for _ in range(count):
            make_collector(fleet=fleet, desired=rendered)

    add(5)
    queries()  # notes the use of the token
    few = queries()
    add(45)
    assert queries() == few <= 4


def test_an_agent_is_moved_labelled_and_named() -> None:
    agent, other = make_collector(fleet=make_fleet()), make_fleet(name="other")
    changes = {"fleet": "other", "labels": {"site": "ams"}, "name": "gateway"}
    body = caller(Role.OPERATOR)("PATCH", f"agents/{agent.pk}/", changes).body
    assert (body["fleet"], body["labels"], body["name"]) == ("other", {"site": "ams"}, "gateway")
    assert Membership.objects.get(agent=agent).fleet == other
    assert Activity.objects.filter(object_id=str(agent.pk)).count() == 3


def test_a_lost_race_is_a_412_and_changes_nothing() -> None:
    agent, call = make_collector(), caller()
    tag = call("GET", f"agents/{agent.pk}/").headers["ETag"]
    assert call("PATCH", f"agents/{agent.pk}/", {"name": "a"}, If_Match=tag).status == 200
    call("PATCH", f"agents/{agent.pk}/", {"name": "b"}, If_Match=tag).problem(412)
    assert Agent.objects.get().name == "a"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"fleet": "nowhere"}, 400),
        ({"labels": {"": "x"}}, 422),
        ({"labels": ["x"]}, 400),
        ({"name": "x" * 201}, 400),
    ],
)
def test_changes_that_make_no_sense_are_refused(changes: dict[str, Any], status: int) -> None:
    agent = make_collector(fleet=make_fleet())
    caller()("PATCH", f"agents/{agent.pk}/", changes).problem(status)


def test_an_agent_is_forgotten() -> None:
    agent = make_collector(fleet=make_fleet())
    call = caller(Role.OPERATOR)
    assert call("DELETE", f"agents/{agent.pk}/").status == 204
    call("GET", f"agents/{agent.pk}/").problem(404)


def test_viewers_change_nothing() -> None:
    agent, call = make_collector(), caller(Role.VIEWER)
    call("PATCH", f"agents/{agent.pk}/", {"name": "x"}).problem(403)
    call("DELETE", f"agents/{agent.pk}/").problem(403)


def with_effective_config() -> Agent:
    body = b"exporters: {otlp: {headers: {authorization: Bearer abcdefghij0123456789}}}\n"
    files = [ConfigFile("", body, "text/yaml"), ConfigFile("blob", b"\xff\xfe")]
    stored = EffectiveConfig.objects.create(
        sha256="a" * 64, files=files_to_text(files), size=len(body), created_at=clock.now()
    )
    return make_collector(effective_config=stored, effective_config_at=clock.now())


def test_the_effective_configuration_is_redacted() -> None:
    agent = with_effective_config()
    body = caller(Role.VIEWER)("GET", f"agents/{agent.pk}/effective-config/").body
    assert body["redacted"] is True
    assert "<redacted>" in body["files"][0]["text"]
    assert "abcdefghij" not in body["files"][0]["text"]
    assert body["files"][1]["text"] is None
    assert not Activity.objects.filter(action="agent.read_raw").exists()


def test_raw_text_is_for_editors_and_leaves_a_trace() -> None:
    path = f"agents/{with_effective_config().pk}/effective-config/?raw=true"
    caller(Role.OPERATOR)("GET", path).problem(403)
    body = caller(Role.EDITOR)("GET", path).body
    assert "Bearer abcdefghij0123456789" in body["files"][0]["text"]
    assert Activity.objects.filter(action="agent.read_raw").count() == 1


def test_an_agent_that_reported_none_has_no_effective_configuration() -> None:
    caller()("GET", f"agents/{make_collector().pk}/effective-config/").problem(404)


def with_components(text: bytes) -> Agent:
    """A collector of 0.158 that runs a text and says what its build has."""
    tree = {
        "exporters": {"components": {"otlp_grpc": {}, "debug": {}}},
        "processors": {
            "components": {"batch": {"metadata": {"code.namespace": "go.example/b v1"}}}
        },
        "receivers": {"components": {"own": {}}},
    }
    effective = EffectiveConfig.objects.create(
        sha256="b" * 64,
        files=files_to_text([ConfigFile("", text, "text/yaml")]),
        size=len(text),
        created_at=clock.now(),
    )
    build = ComponentSet.objects.create(hash="c" * 64, created_at=clock.now(), tree=tree)
    return make_collector(
        effective_config=effective,
        agent={"components": build, "collector_version": "0.158.0"},
    )


def test_the_components_of_its_build_are_joined_with_what_it_runs() -> None:
    text = b"""
exporters: {otlp: {endpoint: "a:1"}}
receivers: {hostmetrics: }
processors: {resourcedetection: }
service: {pipelines: {metrics: {receivers: [hostmetrics], processors: [resourcedetection], exporters: [otlp]}}}
"""
    path = f"agents/{with_components(text).pk}/components/"
    body = caller(Role.VIEWER)("GET", path).body
    assert [body[key] for key in ("used", "unused", "missing")] == [1, 3, 2]
    assert body["used_is_known"] is True
    states = {
        (kind["kind"], one["name"]): one["state"]
        for kind in body["kinds"]
        for one in kind["components"]
    }
    assert states == {
        ("exporters", "debug"): "unused",
        ("exporters", "otlp_grpc"): "used",
        ("processors", "batch"): "unused",
        ("processors", "resource_detection"): "missing",
        ("receivers", "host_metrics"): "missing",
        ("receivers", "own"): "unused",
    }
    (batch, _) = next(one for one in body["kinds"] if one["kind"] == "processors")["components"]
    assert batch == {
        "name": "batch",
        "module": "go.example/b v1",
        "state": "unused",
        "catalog_version": "0.158.0",
        "catalog_type": "batch",
    }


def test_a_collector_that_does_not_say_what_it_has_has_no_components() -> None:
    caller()("GET", f"agents/{make_collector().pk}/components/").problem(404)


def test_events_are_listed_newest_first() -> None:
    agent = make_collector()
    for kind in ("connected", "health", "disconnected"):
        AgentEvent.objects.create(agent=agent, at=clock.now(), kind=kind, data={})
    call = caller(Role.VIEWER)
    body = call("GET", f"agents/{agent.pk}/events/?limit=2").body
    assert [row["kind"] for row in body["results"]] == ["disconnected", "health"]
    assert body["next"]
    call("GET", f"agents/{agent.pk}/events/?kind=health").problem(400)


def test_answers_are_as_the_schema_says() -> None:
    agent = with_components(b"receivers: {own: }")
    AgentEvent.objects.create(agent=agent, at=clock.now(), kind="health", data={"healthy": True})
    call = caller()
    schema = call("GET", "schema/").body
    for path in (
        "agents/",
        "agents/{uid}/",
        "agents/{uid}/effective-config/",
        "agents/{uid}/components/",
        "agents/{uid}/events/",
        "overview/",
    ):
        described = schema["paths"][f"/api/v1/{path}"]["get"]["responses"]["200"]
        shape = described["content"]["application/json"]["schema"]
        answer = call("GET", path.format(uid=agent.pk))
        OAS31Validator({**shape, "components": schema["components"]}).validate(answer.body)
    parameters = schema["paths"]["/api/v1/agents/"]["get"]["parameters"]
    described_names = {parameter["name"] for parameter in parameters}
    assert {
        "fleet",
        "status",
        "health",
        "version",
        "collector_version",
        "connected",
        "q",
    } <= described_names
    assert {"attr.*", "label.*", "cursor", "limit", "ordering"} <= described_names


def test_the_overview_has_all_nine_statuses() -> None:
    fleet = make_fleet()
    make_collector(fleet=fleet, status="failed")
    make_collector(fleet=fleet, status="disconnected")
    body = caller(Role.VIEWER)("GET", "overview/").body
    assert (body["collectors"], body["connected"], body["fleets"]) == (2, 1, 1)
    assert len(body["statuses"]) == 9
    assert body["statuses"]["failed"] == 1
    assert body["health"] == {"healthy": 1, "unhealthy": 0, "unknown": 1}
    caller()("GET", "overview/?x=1").problem(400)
