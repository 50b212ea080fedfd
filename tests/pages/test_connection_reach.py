"""How many of a fleet have its connection settings: the numbers, and where they lead."""

import re
from typing import Any

import pytest
from django.test import Client

from agents.models import Agent
from agents.snapshot import Capability, ConfigStatus
from fleets.connection import update_connection
from fleets.models import AgentConnection, Fleet
from telflo.base.access import Role
from tests.factories import CAPABILITIES, TESTER, make_collector, make_fleet
from tests.pages.reading import names, queries_of, shown, signed_in

pytestmark = pytest.mark.django_db

HASH = "ab" * 32
TAB, FORM = "/fleets/edge/settings/", "/fleets/edge/connection/"


@pytest.fixture
def fleet() -> Fleet:
    made = make_fleet(name="edge")
    update_connection(fleet=made, heartbeat_s=60, actor=TESTER)
    return made


def member(name: str, fleet: Fleet, *, is_sent: bool = True, **how: Any) -> Agent:
    """One that takes an interval, and was sent the fleet's."""
    able = int(CAPABILITIES | Capability.REPORTS_HEARTBEAT)
    made = make_collector(name=name, fleet=fleet, **{"agent": {"capabilities": able}, **how})
    if is_sent:
        AgentConnection.objects.create(agent=made, offered_hash=HASH, heartbeat_s=60, marks={})
    return made


def one_of_each(fleet: Fleet) -> None:
    member("applied-1", fleet, connection_status=ConfigStatus.APPLIED, connection_hash=HASH)
    member("failed-1", fleet, connection_status=ConfigStatus.FAILED, connection_hash=HASH)
    member("sent-1", fleet)
    member("waiting-1", fleet, is_sent=False)
    member("unable-1", fleet, is_sent=False, agent={"capabilities": 1})


def numbers(client: Client, path: str) -> dict[str, str]:
    """The words of the panel and where each leads."""
    html = client.get(path).content.decode()
    found = re.findall(r'<a href="([^"]*settings=[^"]*)" title="[^"]+">(.*?)</a>', html, re.DOTALL)
    return {re.sub(r"<[^>]*>", "", text).strip(): url.replace("&amp;", "&") for url, text in found}


@pytest.mark.parametrize("path", [TAB, FORM])
def test_each_number_leads_to_its_collectors(fleet: Fleet, path: str) -> None:
    one_of_each(fleet)
    member("elsewhere-1", make_fleet(name="core"))
    found = numbers(signed_in(Role.ADMIN), path)
    words = ["1 applied", "1 sent", "1 waiting", "1 failed", "1 cannot take all"]
    assert list(found) == words
    for text, url in found.items():
        word = "unable" if "cannot" in text else text.partition(" ")[2]
        assert url == f"/collectors/?fleet=edge&settings={word}"
        html = signed_in().get(url).content.decode()
        assert names(html) == [f"{word}-1"]


def test_a_fleet_that_sets_nothing_counts_nobody(fleet: Fleet) -> None:
    member("sent-1", fleet)
    update_connection(fleet=fleet, heartbeat_s=None, actor=TESTER)
    html = signed_in().get(TAB).content.decode()
    assert "settings=" not in html


def test_a_fleet_without_collectors_says_so(fleet: Fleet) -> None:
    html = signed_in().get(TAB).content.decode()
    assert "no managed collector yet" in html


def test_the_list_names_the_filter_and_how_to_drop_it(fleet: Fleet) -> None:
    one_of_each(fleet)
    assert shown("settings=sent&settings=failed") == ["failed-1", "sent-1"]
    html = signed_in().get("/collectors/?settings=sent").content.decode()
    assert "Connection settings <b>Sent</b>" in html
    assert "Connection settings" not in signed_in().get("/collectors/").content.decode()
    assert "Connection settings: " in signed_in().get("/collectors/?settings=x").content.decode()


def test_the_pages_ask_as_much_for_many_as_for_few(fleet: Fleet) -> None:
    paths = [TAB, FORM, "/collectors/?fleet=edge&settings=waiting"]
    client = signed_in(Role.ADMIN)
    costs = []
    for _ in range(2):
        one_of_each(fleet)
        costs.append([queries_of(client, path) for path in paths])
    assert costs[0] == costs[1]
    assert costs[0][0] <= 16
    assert costs[0][1] <= 8
