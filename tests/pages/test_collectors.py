"""The pages of collectors: the list, one collector, bulk actions, the export."""

import csv
import re
from collections.abc import Iterable
from io import StringIO
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents.models import Agent, AgentEvent, AgentStatus, ComponentSet, EffectiveConfig
from agents.services import MOST_LABELS
from agents.snapshot import ConfigFile, ConfigStatus
from agents.store.values import files_to_text
from agents.views.export import safe_cell
from fleets.models import Attempt, AttemptState, Fleet, Membership, Quarantine
from fleets.services import assign_version
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.factories import (
    TESTER,
    make_collector,
    make_configuration,
    make_fleet,
    make_person,
    make_rendered,
    make_version,
)

pytestmark = pytest.mark.django_db

HOSTILE = "\"><script>alert('x')</script>"


def signed_in(role: Role = Role.VIEWER) -> Client:
    client = Client()
    client.force_login(make_person(role=role))
    return client


def page(path: str = "/collectors/", *, role: Role = Role.VIEWER) -> str:
    response = signed_in(role).get(path)
    assert response.status_code == 200, response
    return response.content.decode()


def names(html: str) -> list[str]:
    """The collectors in the list, in order."""
    return re.findall(r'<a class="name [^>]*>([^<]*)</a>', html)


def shown(query: str) -> list[str]:
    return names(page(f"/collectors/?{query}"))


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


# ── The list ──


def test_without_collectors_it_leads_to_the_first_fleet() -> None:
    assert "Three steps to the first one" in page()


def test_with_a_fleet_it_waits_for_the_first_collector() -> None:
    make_fleet()
    assert "Your fleets wait for their first one" in page()


def test_what_needs_attention_stands_first() -> None:
    for name, status in (("a", "in_sync"), ("b", "failed"), ("c", "pending"), ("d", "drifted")):
        make_collector(name=name, status=status)
    assert shown("") == ["b", "d", "c", "a"]
    assert shown("sort=-status") == ["a", "c", "d", "b"]
    assert shown("sort=name") == ["a", "b", "c", "d"]


def test_each_filter_lets_through_what_it_names() -> None:
    edge, other = make_fleet(name="edge"), make_fleet(name="other")
    one = make_rendered(version=make_version(configuration=make_configuration(name="edge")))
    make_collector(
        name="one",
        fleet=edge,
        status="failed",
        desired=one,
        remote_config_status=ConfigStatus.APPLIED,
        remote_config_hash=one.hash,
        agent={
            "collector_version": "0.158.0",
            "os_type": "linux",
            "host_name": "host-one",
            "labels": {"site": "ams"},
            "non_identifying": {"host.arch": "arm64"},
        },
    )
    make_collector(
        name="two",
        fleet=other,
        status="disconnected",
        previous=one,
        agent={"collector_version": "0.149.0", "os_type": "windows", "labels": {"site": "fra"}},
        health="unhealthy",
    )
    for query in (
        "fleet=edge",
        f"fleet={edge.pk}",
        "status=failed",
        "health=healthy",
        "collector_version=0.158.0",
        "os=linux",
        "connected=true",
        "q=ONE",
        "q=host-one",
        "q=site%3Dams",
        "label.site=ams",
        "attr.host.arch=arm64",
    ):
        assert shown(query) == ["one"], query
    assert sorted(shown(f"version={one.version_id}")) == ["one", "two"]
    assert sorted(shown("status=failed&status=disconnected")) == ["one", "two"]
    assert shown("health=unhealthy") == ["two"]


def test_a_uid_is_found_by_its_end() -> None:
    agent = make_collector(name="one")
    make_collector(name="two")
    assert shown(f"q={agent.pk.hex[-8:]}") == ["one"]


def test_when_nothing_matches_it_says_which_filter_to_take_away() -> None:
    for _ in range(3):
        make_collector(status="failed")
    html = page("/collectors/?status=failed&q=nowhere&health=healthy")
    assert "0 of 3 match 3 filters" in html
    assert "Without “search: nowhere” it would be" in html


def test_an_unknown_value_of_a_filter_is_said_and_matches_nothing() -> None:
    make_collector(name="one")
    html = page("/collectors/?status=bogus")
    assert names(html) == []
    assert "bogus is not one of the available choices" in html


def test_segments_count_what_the_other_filters_let_through() -> None:
    edge = make_fleet(name="edge")
    make_collector(fleet=edge, status="failed")
    make_collector(fleet=edge, status="in_sync")
    make_collector(fleet=make_fleet(), status="failed")
    html = page("/collectors/?fleet=edge&status=in_sync")
    counts = dict(re.findall(r">([A-Z][a-z ]+) <span class=\"n\">(\d+)</span>", html))
    assert counts["All"] == "2"
    assert counts["Needs attention"] == "1"
    assert counts["In sync"] == "1"


@pytest.mark.parametrize(
    "sort", ["", "name", "-name", "-status", "seen", "health", "fleet", "build"]
)
def test_pages_go_forth_and_back_without_gap_or_repetition(sort: str) -> None:
    fleet = make_fleet()
    for number in range(230):
        word = ("in_sync", "failed", "pending", "disconnected")[number % 4]
        make_collector(fleet=fleet, status=word)
    client, seen, path = signed_in(), [], f"/collectors/?sort={sort}"
    pages = [path]
    while True:
        html = client.get(path).content.decode()
        seen.append(names(html))
        following = re.search(r'href="(\?[^"]*)" rel="next"', html)
        if following is None:
            break
        path = "/collectors/" + following[1].replace("&amp;", "&")
        pages.append(path)
    assert [len(part) for part in seen] == [100, 100, 30]
    assert len({name for part in seen for name in part}) == 230
    assert "201\N{EN DASH}230 of 230" in html
    back = re.search(r'href="(\?[^"]*)" rel="prev"', html)
    assert back is not None
    before = client.get("/collectors/" + back[1].replace("&amp;", "&")).content.decode()
    assert names(before) == seen[1]
    assert "101\N{EN DASH}200 of 230" in before


def test_a_cursor_that_was_not_made_here_is_refused() -> None:
    make_collector()
    assert signed_in().get("/collectors/?after=WzEsMl0").status_code == 400


def test_the_list_takes_as_many_queries_for_200_as_for_10() -> None:
    fleet, rendered = make_fleet(), make_rendered(version=make_version())
    client = signed_in()
    for _ in range(10):
        make_collector(fleet=fleet, desired=rendered)
    few = queries_of(client, "/collectors/")
    for _ in range(190):
        make_collector(fleet=fleet, desired=rendered)
    assert queries_of(client, "/collectors/") == few <= 12


def test_text_from_collectors_and_people_is_escaped_everywhere() -> None:
    agent = make_collector(
        name=HOSTILE,
        fleet=make_fleet(),
        agent={
            "labels": {"k": HOSTILE},
            "identifying": {"service.name": HOSTILE},
            "non_identifying": {"os.description": HOSTILE, HOSTILE: "1"},
            "collector_name": HOSTILE,
            "collector_version": HOSTILE,
            "os_type": HOSTILE[:60],
        },
        health="unhealthy",
        health_tree={
            "healthy": False,
            "status": HOSTILE,
            "last_error": HOSTILE,
            "started_at": None,
            "status_at": None,
            "attributes": {},
            "components": {},
        },
        remote_config_error=HOSTILE,
    )
    AgentEvent.objects.create(
        agent=agent, at=clock.now(), kind=HOSTILE[:30], data={"reason": HOSTILE}
    )
    for path in ("/collectors/", f"/collectors/?q={HOSTILE}", *tabs(agent), "/"):
        assert "<script>alert" not in page(path, role=Role.ADMIN), path


def test_viewers_get_no_controls_and_operators_do() -> None:
    make_collector(name="one")
    assert 'id="bulk"' not in page()
    assert 'id="bulk"' in page(role=Role.OPERATOR)


# ── One collector ──


def tabs(agent: Agent) -> list[str]:
    names = ("detail", "configuration", "timeline", "attempts", "components", "messages")
    return [reverse(f"agents:{name}", args=[agent.pk]) for name in names]


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
        health_tree=tree(),
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


def tree(**components: Any) -> dict[str, Any]:
    parts = components or {
        "pipeline:traces": tree(
            **{"exporter:otlp": {**LEAF, "healthy": False, "last_error": "refused"}}
        )
    }
    return {**LEAF, "healthy": False, "status": "StatusRecoverableError", "components": parts}


LEAF: dict[str, Any] = {
    "healthy": True,
    "status": "StatusOK",
    "last_error": "",
    "started_at": None,
    "status_at": "2026-11-22T12:00:00+00:00",
    "attributes": {},
    "components": {},
}


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


def posted(path: str, role: Role = Role.OPERATOR, **data: Any) -> HttpResponse:
    return signed_in(role).post(path, data)  # type: ignore[return-value]  # the test client's subclass


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


# ── Many at once ──


def make_several(count: int, fleet: Fleet, **how: Any) -> list[Agent]:
    return [make_collector(fleet=fleet, **how) for _ in range(count)]


def test_those_ticked_are_asked_for_and_then_moved() -> None:
    old, new = make_fleet(name="old"), make_fleet(name="new")
    first, second, _ = make_several(3, old)
    ids = [str(first.pk), str(second.pk)]
    asked = posted("/collectors/bulk/", do="move", id=ids).content.decode()
    assert "Move 2 collectors?" in asked
    assert asked.count('name="id"') == 2
    response = posted("/collectors/bulk/", do="move", id=ids, confirmed="1", fleet=new.pk)
    assert response.status_code == 302
    assert new.memberships.count() == 2


def test_all_that_match_are_labelled() -> None:
    edge = make_fleet(name="edge")
    make_several(3, edge, agent={"labels": {"old": "1", "keep": "1"}})
    other = make_collector(fleet=make_fleet())
    path = "/collectors/bulk/?fleet=edge"
    assert "Label 3 collectors?" in posted(path, do="label", matching="1").content.decode()
    posted(path, do="label", matching="1", confirmed="1", labels="site=ams", remove="old")
    labels = Agent.objects.exclude(pk=other.pk).values_list("labels", flat=True)
    assert list(labels) == [{"keep": "1", "site": "ams"}] * 3
    other.refresh_from_db()
    assert other.labels == {}


def test_forgetting_many_says_the_number_and_needs_a_second_step() -> None:
    agents = make_several(2, make_fleet())
    ids = [str(agent.pk) for agent in agents]
    assert (
        "Forget 2 collectors?" in posted("/collectors/bulk/", do="forget", id=ids).content.decode()
    )
    assert Agent.objects.count() == 2
    posted("/collectors/bulk/", do="forget", id=ids, confirmed="1")
    assert Agent.objects.count() == 0


def bulk(do: str, agents: Iterable[Agent], **data: Any) -> HttpResponse:
    ids = [str(agent.pk) for agent in agents]
    return posted("/collectors/bulk/", do=do, id=ids, confirmed="1", **data)


def told(response: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]  # the test client's


def test_one_action_on_many_is_one_entry_in_the_log_that_names_them() -> None:
    old, new = make_fleet(name="old"), make_fleet(name="new")
    first, second = make_several(2, old)
    bulk("move", [first, second], fleet=new.pk, reason="they moved house")
    entry = Activity.objects.get(action="agent.move")
    assert (entry.object_type, entry.object_label) == ("agent", "2 collectors")
    assert (entry.fleet_id, entry.reason) == (new.pk, "they moved house")
    assert entry.after == {
        "fleet": "new",
        "count": 2,
        "collectors": {str(agent.pk): agent.display_name for agent in (first, second)},
    }
    assert AgentEvent.objects.filter(kind="moved", data__from="old").count() == 2


def test_one_action_on_one_of_many_reads_like_any_other() -> None:
    only, _ = make_several(2, make_fleet(name="old"))
    bulk("label", [only], labels="site=ams")
    entry = Activity.objects.get(action="agent.label")
    assert (entry.object_id, entry.object_label) == (str(only.pk), only.display_name)
    assert entry.after == {"labels": {"site": "ams"}, "removed": []}


def test_the_log_names_no_more_than_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telflo.base.activity.MOST_NAMED", 2)
    bulk("forget", make_several(3, make_fleet()))
    after = Activity.objects.get(action="agent.forget").after
    assert after is not None
    assert (after["count"], len(after["collectors"])) == (3, 2)


def test_who_is_in_no_fleet_is_not_moved_and_the_others_are() -> None:
    old, new = make_fleet(name="old"), make_fleet(name="new")
    member, there, stray = (
        *make_several(1, old),
        *make_several(1, new),
        make_collector(name="stray"),
    )
    response = bulk("move", [member, there, stray], fleet=new.pk)
    assert told(response) == [
        "2 collectors are moved",
        "1 collector not moved: stray: stray is in no fleet.",
    ]
    assert new.memberships.count() == 2
    # Who was there already did not move.
    assert Activity.objects.get(action="agent.move").object_id == str(member.pk)


def test_who_would_have_too_many_labels_is_refused_alone() -> None:
    full, free = make_several(2, make_fleet())
    full.labels = {f"key-{n}": "" for n in range(MOST_LABELS)}
    full.save()
    response = bulk("label", [full, free], labels="one=more")
    assert told(response) == [
        "1 collector is labelled",
        f"1 collector not labelled: {full}: A collector has at most 64 labels.",
    ]
    free.refresh_from_db()
    assert free.labels == {"one": "more"}


def test_labels_that_are_too_long_are_refused_for_all() -> None:
    response = bulk("label", make_several(2, make_fleet()), labels=f"key={'x' * 201}")
    [message] = told(response)
    assert message.startswith("2 collectors not labelled: A label's key has 1 to 100 characters")
    assert not Activity.objects.filter(action="agent.label").exists()


@pytest.mark.parametrize(
    ("do", "data"), [("move", {}), ("label", {"labels": "site=ams"}), ("forget", {})]
)
def test_an_action_on_thirty_costs_as_many_statements_as_one_on_two(
    do: str, data: dict[str, Any]
) -> None:
    if do == "move":  # into a fleet in mid-rollout: the longest way
        new = make_fleet(name="new", version=make_version())
        make_collector(fleet=new)
        assign_version(fleet=new, version=make_version(), actor=TESTER)
        data = {"fleet": new.pk}
    costs = []
    for count in (2, 2, 30):  # the first of all renders the version
        agents = make_several(count, make_fleet(), agent={"labels": {"old": "1"}})
        client = signed_in(Role.OPERATOR)
        ids = [str(agent.pk) for agent in agents]
        with CaptureQueriesContext(connection) as queries:
            client.post("/collectors/bulk/", {"do": do, "id": ids, "confirmed": "1", **data})
        costs.append(len(queries))
    assert costs[1] == costs[2]


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/collectors/bulk/", {"do": "explode"}),
        ("/collectors/bulk/", {"do": "forget", "id": "nonsense"}),
        ("/collectors/bulk/?status=bogus", {"do": "forget", "matching": "1"}),
    ],
)
def test_bulk_actions_refuse_what_makes_no_sense(path: str, data: dict[str, str]) -> None:
    make_collector()
    assert signed_in(Role.OPERATOR).post(path, data).status_code == 400
    assert Agent.objects.count() == 1


# ── The export ──


def test_the_csv_holds_what_matches_in_the_order_of_the_list() -> None:
    edge = make_fleet(name="edge")
    make_collector(name="b", fleet=edge, status="in_sync")
    make_collector(name="a", fleet=edge, status="failed")
    make_collector(name="c", fleet=make_fleet())
    response = signed_in().get("/collectors/collectors.csv?fleet=edge")
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(StringIO(text)))
    assert [row["name"] for row in rows] == ["a", "b"]
    assert rows[0]["status"] == "failed"
    assert rows[0]["fleet"] == "edge"


def test_no_cell_of_the_csv_is_a_formula() -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"):
        assert safe_cell(text) == f"'{text}"
    assert safe_cell("edge-1") == "edge-1"
