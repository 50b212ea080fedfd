"""The System page, its call, and the way to it from the overview."""

import re
import threading
from typing import Any

import pytest
from django.test import Client

from notices import services
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.asked import Asked
from tests.factories import TESTER, make_collector, make_fleet, make_person
from tests.notices.makers import subscribe
from tests.system.rows import make_process

pytestmark = pytest.mark.django_db


def signed_in(role: Role = Role.VIEWER) -> Client:
    client = Client()
    client.force_login(make_person(role=role))
    return client


def test_it_shows_each_process_and_what_it_does() -> None:
    make_process(kind="web", telflo_opamp_connections=1200, telflo_opamp_buffer_rows=3)
    make_process(kind="worker", telflo_tasks=17)
    make_process(kind="beat", telflo_beat_sent=1)
    html = signed_in().get("/settings/system/").content.decode()
    for words in ("1,200 connections", "3 to write", "17 tasks done", "1 task sent", "box:1"):
        assert words in html
    assert "All well: 3 parts of the installation run" in html
    assert "Nothing is wrong" in html


def test_it_says_what_is_wrong_and_what_to_do() -> None:
    make_process(kind="web")
    html = signed_in().get("/settings/system/").content.decode()
    assert "2 things need attention" in html
    assert "No worker runs" in html
    assert "Start `telflo worker`." in html


def test_notifications_that_do_not_arrive_are_said() -> None:
    make_process(kind="web")
    for name, failures in (("ops", 3), ("chat", 2)):
        one = subscribe(name=name, url="https://hooks.example.com/x")
        one.failures = failures
        one.save()
    gone = subscribe(name="gone", url="https://hooks.example.com/x")
    gone.failures, gone.paused_at = 1, clock.now()
    gone.save()
    services.pause(subscription=subscribe(name="on leave", url=gone.url), actor=TESTER)
    html = signed_in().get("/settings/system/").content.decode()
    assert "Notifications do not arrive: ops<" in html
    assert "Notifications paused themselves: gone<" in html


def test_a_silent_process_is_marked() -> None:
    make_process(kind="web", silent_s=120)
    html = signed_in().get("/settings/system/").content.decode()
    assert "Silent" in html
    assert re.search(r"is silent for 1\d\d s", html)


def test_a_database_that_hangs_is_said_not_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    client, goes_on = signed_in(), threading.Event()

    def hang() -> float:
        goes_on.wait(60)
        return 0.0

    monkeypatch.setattr("telflo.system.state.ANSWER_S", 0.05)
    monkeypatch.setattr("telflo.system.state.database_answers", Asked(hang))
    try:
        html = client.get("/settings/system/").content.decode()
    finally:
        goes_on.set()
    assert "The database does not answer" in html


def test_without_any_report_it_says_why() -> None:
    html = signed_in().get("/settings/system/").content.decode()
    assert "No process reports" in html


@pytest.mark.parametrize("processes", [0, 12])
def test_the_number_of_queries_is_fixed(processes: int, django_assert_max_num_queries: Any) -> None:
    client = signed_in()
    client.get("/settings/system/")
    for pid in range(processes):
        make_process(kind="web", pid=pid)
    # session, person, two counts of the navigation, SELECT 1, size on PostgreSQL, rows
    with django_assert_max_num_queries(7):
        client.get("/settings/system/")


def test_the_call_says_the_same() -> None:
    make_process(kind="web", telflo_opamp_connections=4, telflo_opamp_reconcile_lag_seconds=2)
    answer = signed_in().get("/api/v1/system/").json()
    assert [finding["code"] for finding in answer["findings"]] == ["no_worker", "no_beat"]
    [process] = answer["processes"]
    assert process["connections"] == 4
    assert process["is_live"]
    assert process["reconcile_lag_seconds"] == 2
    assert answer["database"]["answer_s"] > 0


class TestOnTheOverview:
    def page(self) -> str:
        make_collector(fleet=make_fleet())
        return signed_in().get("/").content.decode()

    def test_a_missing_worker_needs_a_person_and_leads_to_the_page(self) -> None:
        make_process(kind="web")
        html = self.page()
        assert "No worker runs" in html
        assert 'href="/settings/system/"' in html

    def test_nothing_is_said_while_all_run(self) -> None:
        for kind in ("web", "worker", "beat"):
            make_process(kind=kind)
        assert "/settings/system/" not in self.page()
