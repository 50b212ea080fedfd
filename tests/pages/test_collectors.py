"""The list of collectors: filters, order, pages, and its export."""

import csv
import re
from io import StringIO

import pytest

from agents.models import AgentEvent
from agents.snapshot import ComponentHealth, ConfigStatus
from agents.views.export import safe_cell
from telflo.base import clock
from telflo.base.access import Role
from tests.factories import (
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)
from tests.pages.reading import names, page, queries_of, shown, signed_in, tabs

pytestmark = pytest.mark.django_db

HOSTILE = "\"><script>alert('x')</script>"

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
    assert shown("health=unhealthy") == []
    assert shown("health=unknown") == ["two"]


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


def test_a_version_that_cannot_be_read_is_said_and_matches_nothing() -> None:
    make_collector(name="web-1")
    html = page("/collectors/?version=edge:2")
    assert "web-1" not in html
    assert "Version: edge:2 is not a version. Give its id or its number, such as 2." in html


def test_a_connection_that_is_neither_is_said_and_matches_nothing() -> None:
    make_collector(name="web-1")
    html = page("/collectors/?connected=zz")
    assert "web-1" not in html
    assert "Connection: " in html


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
    for number in range(115):
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
    assert [len(part) for part in seen] == [50, 50, 15]
    assert len({name for part in seen for name in part}) == 115
    assert "101\N{EN DASH}115 of 115" in html
    back = re.search(r'href="(\?[^"]*)" rel="prev"', html)
    assert back is not None
    before = client.get("/collectors/" + back[1].replace("&amp;", "&")).content.decode()
    assert names(before) == seen[1]
    assert "51\N{EN DASH}100 of 115" in before


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
    assert queries_of(client, "/collectors/") == few <= 13


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
        tree=ComponentHealth(False, HOSTILE, HOSTILE),
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
