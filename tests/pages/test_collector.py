"""The pages of one collector: its tabs, and what is changed on them."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agents.models import Agent, AgentEvent, AgentStatus, ComponentSet, EffectiveConfig
from agents.snapshot import ComponentHealth, ConfigFile, ConfigStatus
from agents.store.values import files_to_text
from fleets.models import Attempt, AttemptState, Membership, Quarantine
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.factories import (
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)
from tests.pages.reading import page, posted, queries_of, signed_in, tabs

pytestmark = pytest.mark.django_db

HOSTILE = "\"><script>alert('x')</script>"

# ── One collector ──


def full_collector() -> Agent:
    """A collector with everything that the tabs show."""
    version = make_version(
        configuration=make_configuration(name="edge"),
        yaml="receivers:\n  otlp:\nexporters:\n  otlp: {headers: {authorization: Bearer abcdefghij0123456789}}\n",
    )
    rendered = make_rendered(version=version)
    body = b"exporters:\n    otlp:\n        headers:\n            authorization: Bearer abcdefghij0123456789\nreceivers:\n    otlp: {}\n"
    effective = EffectiveConfig.objects.create(
        sha256="a" * 64,
        files=files_to_text([ConfigFile("", body, "text/yaml")]),
        size=len(body),
        created_at=clock.now(),
    )
    components = ComponentSet.objects.create(
        hash="c" * 64,
        created_at=clock.now(),
        tree={
            "receivers": {
                "components": {"otlp": {"metadata": {"code.namespace": "go.example/otlp v1"}}}
            }
        },
    )
    agent = make_collector(
        name="edge-1",
        fleet=make_fleet(name="edge", version=version),
        status="failed",
        desired=rendered,
        effective_config=effective,
        remote_config_status=ConfigStatus.FAILED,
        remote_config_hash=rendered.hash,
        remote_config_error="unknown exporter: nope",
        tree=tree(),
        agent={"components": components, "labels": {"site": "ams"}},
    )
    attempt = Attempt.objects.create(
        agent=agent,
        rendered=rendered,
        hash=rendered.hash,
        epoch=1,
        state=AttemptState.FAILED,
        error="unknown exporter: nope",
        offered_at=clock.now(),
        deadline=clock.now(),
        answered_at=clock.now(),
    )
    Quarantine.objects.create(agent=agent, hash=rendered.hash, attempt=attempt, since=clock.now())
    data = {"status": "FAILED", "hash": rendered.hash, "error": "unknown exporter: nope"}
    AgentEvent.objects.create(agent=agent, at=clock.now(), kind="remote_config", data=data)
    return agent


def tree(**components: ComponentHealth) -> ComponentHealth:
    sick = replace(LEAF, healthy=False, last_error="refused")
    parts = components or {"pipeline:traces": tree(**{"exporter:otlp": sick})}
    return replace(LEAF, healthy=False, status="StatusRecoverableError", components=parts)


LEAF = ComponentHealth(True, "StatusOK", status_at=datetime(2026, 11, 22, 12, tzinfo=UTC))


def test_the_overview_says_status_why_health_and_membership() -> None:
    html = page(f"/collectors/{full_collector().pk}/")
    assert (
        "It failed with edge v1, which is not offered to it again until a person retries." in html
    )
    assert "unknown exporter: nope" in html
    assert "exporter:otlp" in html
    assert "1 of 1 components unhealthy" in html
    assert "AcceptsRemoteConfig" in html
    assert "site=ams" in html


def test_a_collector_that_rolled_back_still_shows_why() -> None:
    agent = full_collector()
    changed = {"status": "rolled_back", "config_status": "rolled_back", "remote_config_error": ""}
    AgentStatus.objects.filter(agent=agent).update(**changed)
    html = page(f"/collectors/{agent.pk}/")
    assert "unknown exporter: nope" in html
    assert "cannot report why" not in html


def test_a_supervisor_that_cannot_tell_why_is_said_to_be_one() -> None:
    agent = full_collector()
    words = "Agent exited unexpectedly with exit code 1 while applying configuration"
    Attempt.objects.filter(agent=agent).update(error=words)
    assert "cannot report why" in page(f"/collectors/{agent.pk}/")
    Attempt.objects.filter(agent=agent).update(error=f"{words}\nCollector log tail:\nError: nope")
    assert "cannot report why" not in page(f"/collectors/{agent.pk}/")


def test_all_tabs_open_for_every_role() -> None:
    agent = full_collector()
    for role in Role:
        client = signed_in(role)
        for path in tabs(agent):
            assert client.get(path).status_code == 200, (role, path)


def test_a_collector_that_nobody_knows_is_a_404() -> None:
    assert signed_in().get("/collectors/019a4c1e-7d02-7b3f-9a5e-52c7a128815b/").status_code == 404


def test_attempts_show_what_was_said_and_what_is_not_offered_any_more() -> None:
    agent = full_collector()
    html = page(f"/collectors/{agent.pk}/attempts/")
    assert "Not offered any more" in html
    assert "unknown exporter: nope" in html
    assert "Retry" not in re.sub(r"A retry[^<]*", "", html)
    assert "Retry" in page(f"/collectors/{agent.pk}/attempts/", role=Role.OPERATOR)


def test_configuration_is_compared_with_keys_in_order_and_redacted() -> None:
    html = page(f"/collectors/{full_collector().pk}/configuration/")
    assert "What it runs is, line by line, what edge v1 says." in html
    assert "abcdefghij0123456789" not in html


def test_raw_text_is_for_editors_and_leaves_a_trace() -> None:
    agent = full_collector()
    path = f"/collectors/{agent.pk}/configuration/"
    assert signed_in(Role.OPERATOR).post(path).status_code == 403
    response = signed_in(Role.EDITOR).post(path)
    assert "Bearer abcdefghij0123456789" in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    assert Activity.objects.get().action == "agent.read_raw"


def test_a_restart_is_one_quiet_line_and_a_failure_a_red_one() -> None:
    agent = make_collector()
    steps = [
        {"healthy": False, "status": "StatusStopping", "last_error": ""},
        {"healthy": False, "status": "StatusStarting", "last_error": ""},
        {"healthy": True, "status": "StatusOK", "last_error": ""},
        {"healthy": False, "status": "", "last_error": "no such exporter"},
        {"healthy": False, "status": "", "last_error": "Supervisor is shutdown"},
    ]
    for data in steps:
        AgentEvent.objects.create(agent=agent, at=clock.now(), kind="health", data=data)
    html = page(f"/collectors/{agent.pk}/timeline/")
    assert re.findall(r'(?s)<li class="is-(\w+)">.*?<b>(\w+)</b>', html) == [
        ("idle", "Stopped"),
        ("fail", "Unhealthy"),
        ("ok", "Healthy"),
    ]
    assert "stopped and started again" in html
    assert "no such exporter" in html


def test_the_timeline_is_paged() -> None:
    agent = full_collector()
    AgentEvent.objects.bulk_create(
        AgentEvent(agent=agent, at=clock.now(), kind="description", data={}) for _ in range(60)
    )
    html = page(f"/collectors/{agent.pk}/timeline/")
    assert html.count('<span class="dot">') == 50
    following = re.search(r'href="(\?before=[^"]*)" rel="next"', html)
    assert following is not None
    assert page(f"/collectors/{agent.pk}/timeline/{following[1]}").count('<span class="dot">') == 11


def test_each_tab_takes_a_fixed_number_of_queries() -> None:
    agent = full_collector()
    client = signed_in()
    for path, most in zip(tabs(agent), (16, 13, 12, 13, 12, 13), strict=True):
        assert queries_of(client, path) <= most, path


# ── Changes ──


def test_name_and_labels_are_changed() -> None:
    agent = make_collector(name="old")
    response = posted(f"/collectors/{agent.pk}/edit/", name="new", labels="site=ams\nrack = r1\n")
    assert response.status_code == 302
    agent.refresh_from_db()
    assert (agent.display_name, agent.labels) == ("new", {"site": "ams", "rack": "r1"})
    assert set(Activity.objects.values_list("action", flat=True)) == {"agent.rename", "agent.label"}


def test_labels_that_are_no_labels_are_said_at_the_field() -> None:
    agent = make_collector()
    response = posted(f"/collectors/{agent.pk}/edit/", labels="no equals sign")
    assert response.status_code == 422
    assert "Line 1: write key=value" in response.content.decode()
    assert "no equals sign" in response.content.decode()


def test_a_collector_is_moved_with_a_reason() -> None:
    agent, other = make_collector(fleet=make_fleet()), make_fleet(name="other")
    response = posted(f"/collectors/{agent.pk}/move/", fleet=other.pk, reason="ticket 7")
    assert response.status_code == 302
    assert Membership.objects.get(agent=agent).fleet == other
    assert Activity.objects.get(action="agent.move").reason == "ticket 7"


def test_forgetting_asks_first_and_then_deletes() -> None:
    agent = make_collector(fleet=make_fleet())
    assert "Forget 1" in page(f"/collectors/{agent.pk}/forget/", role=Role.OPERATOR)
    assert Agent.objects.exists()
    assert posted(f"/collectors/{agent.pk}/forget/").status_code == 302
    assert not Agent.objects.exists()


def test_a_collector_is_only_observed_and_managed_again() -> None:
    agent = make_collector(fleet=make_fleet())
    for wanted in ("observed", "managed"):
        posted(f"/collectors/{agent.pk}/mode/")
        assert Membership.objects.get(agent=agent).mode == wanted


def test_viewers_change_nothing() -> None:
    agent = make_collector(fleet=make_fleet())
    client = signed_in(Role.VIEWER)
    for verb in ("edit", "move", "forget", "mode", "retry"):
        assert client.post(f"/collectors/{agent.pk}/{verb}/").status_code == 403
    assert client.post("/collectors/bulk/", {"do": "forget"}).status_code == 403
