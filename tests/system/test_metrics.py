"""/metrics: what all processes count in a form that Prometheus takes, for those who may have it."""

import threading
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from telflo.base.asked import Asked
from telflo.base.measures import Histogram, sample
from tests.factories import make_collector, make_fleet
from tests.system.rows import make_process

pytestmark = pytest.mark.django_db


def scrape(client: Client, **headers: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Samples by name and labels, read as Prometheus reads them."""
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200, response.content
    return {
        (found.name, frozenset(found.labels.items())): found.value
        for family in text_string_to_metric_families(response.content.decode())
        for found in family.samples
    }


def key(name: str, **labels: str) -> Any:
    return name, frozenset(labels.items())


def test_every_live_process_is_told_with_its_name_and_kind(client: Client) -> None:
    make_process(kind="web", pid=7, telflo_opamp_connections=3)
    make_process(kind="gateway", pid=8, telflo_opamp_connections=5)
    make_process(kind="web", pid=9, silent_s=60, telflo_opamp_connections=9)
    found = scrape(client)
    assert found[key("telflo_opamp_connections", process="box:7", kind="web")] == 3
    assert found[key("telflo_opamp_connections", process="box:8", kind="gateway")] == 5
    assert not [labels for _, labels in found if ("process", "box:9") in labels]
    assert found[key("telflo_process_info", process="box:7", kind="web", version="0.1.0")] == 1


def test_counters_and_histograms_are_told_as_such(client: Client) -> None:
    row = make_process(kind="web", pid=7)
    flushes = Histogram((0.1, 1))
    for seconds in (0.05, 0.5, 5):
        flushes.observe(seconds)
    row.numbers = {
        "telflo_opamp_messages": [sample(4, transport="ws", type="heartbeat")],
        "telflo_opamp_flush_seconds": [sample(flushes.value())],
        "telflo_of_a_later_version": [sample(1)],
    }
    row.save()
    found = scrape(client)
    who = {"process": "box:7", "kind": "web"}
    assert found[key("telflo_opamp_messages_total", **who, transport="ws", type="heartbeat")] == 4
    assert found[key("telflo_opamp_flush_seconds_bucket", **who, le="1")] == 2
    assert found[key("telflo_opamp_flush_seconds_bucket", **who, le="+Inf")] == 3
    assert found[key("telflo_opamp_flush_seconds_count", **who)] == 3
    assert found[key("telflo_opamp_flush_seconds_sum", **who)] == 5.55


def test_what_is_beside_the_processes_is_told_once(client: Client) -> None:
    make_collector(fleet=make_fleet())
    found = scrape(client)
    assert found[key("telflo_database_up")] == 1
    assert found[key("telflo_database_size_bytes")] > 0
    assert found[key("telflo_queue_tasks")] == 0
    assert sum(n for (name, _), n in found.items() if name == "telflo_collectors") == 1


def test_without_a_database_it_still_answers(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = make_process(kind="web", pid=7, telflo_opamp_write_failures=3)

    def away(*_arguments: Any) -> Any:
        raise OperationalError("away")

    monkeypatch.setattr("telflo.system.state.own_rows", lambda: [own])
    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)
    found = scrape(client)
    assert found[key("telflo_database_up")] == 0
    assert found[key("telflo_opamp_write_failures", process="box:7", kind="web")] == 3


def test_with_a_database_that_hangs_it_answers_as_without_one(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = make_process(kind="web", pid=7, telflo_opamp_write_failures=3)
    goes_on = threading.Event()

    def hang() -> float:
        goes_on.wait(60)
        return 0.0

    monkeypatch.setattr("telflo.system.state.own_rows", lambda: [own])
    monkeypatch.setattr("telflo.system.state.ANSWER_S", 0.05)
    monkeypatch.setattr("telflo.system.state.database_answers", Asked(hang))
    try:
        with CaptureQueriesContext(connection) as queries:
            found = scrape(client)
    finally:
        goes_on.set()
    assert found[key("telflo_database_up")] == 0
    assert found[key("telflo_opamp_write_failures", process="box:7", kind="web")] == 3
    assert len(queries) == 0, "each of them would hang"


def test_openmetrics_is_given_to_who_asks_for_it(client: Client) -> None:
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    response = client.get("/metrics", headers=accept)
    assert response["Content-Type"].startswith("application/openmetrics-text")
    assert response.content.endswith(b"# EOF\n")


class TestWhoMayReadThem:
    def test_a_peer_elsewhere_is_told_in_one_line_what_to_do(self) -> None:
        response = Client(REMOTE_ADDR="192.0.2.7").get("/metrics")
        assert response.status_code == 403
        assert response.content.count(b"\n") == 1
        assert b"TELFLO_METRICS_TOKEN" in response.content

    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.0.0.9"])
    def test_a_peer_on_this_machine_is_let_in(self, address: str) -> None:
        assert Client(REMOTE_ADDR=address).get("/metrics").status_code == 200

    @pytest.mark.parametrize("header", ["x-forwarded-for", "x-real-ip", "forwarded", "via"])
    def test_who_comes_through_a_proxy_is_not_on_this_machine(
        self, client: Client, header: str
    ) -> None:
        # A proxy on this machine, and a header that its client made up.
        response = client.get("/metrics", headers={header: "127.0.0.1"})
        assert response.status_code == 403

    @pytest.mark.parametrize("address", ["", "unix:", "testclient"])
    def test_a_peer_without_an_address_is_refused(self, address: str) -> None:
        assert Client(REMOTE_ADDR=address).get("/metrics").status_code == 403

    def test_with_a_token_the_token_alone_counts(self, settings: Any) -> None:
        settings.METRICS_TOKEN = "s3cret"
        here, elsewhere = Client(), Client(REMOTE_ADDR="192.0.2.7")
        for client in (here, elsewhere):
            for wrong in ("", "Bearer wrong", "Basic s3cret", "Bearer s3cretlonger", "Bearer é"):
                response = client.get("/metrics", headers={"authorization": wrong})
                assert response.status_code == 401
                assert response["WWW-Authenticate"] == "Bearer"
        right = {"authorization": "Bearer s3cret"}
        assert elsewhere.get("/metrics", headers=right).status_code == 200
