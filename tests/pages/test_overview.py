"""The overview: its numbers lead to rows, what needs a person is said, the first steps before there is a fleet."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.snapshot import ConfigStatus
from configs.checking import checked
from configs.collector.findings import Severity
from configs.models import VersionState
from fleets.models import RefusedAttempt
from fleets.rollouts import engine
from fleets.rollouts.services import start_rollout
from fleets.rollouts.strategy import all_at_once
from telflo.base import clock
from telflo.base.access import Role
from telflo.base.activity import record
from telflo.home.counts import read_numbers
from telflo.home.views import EXAMPLE
from tests.factories import (
    TESTER,
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_token,
    make_version,
)
from tests.pages.reading import names, page, shown, signed_in

pytestmark = pytest.mark.django_db


def overview(role: Role = Role.VIEWER) -> str:
    response = signed_in(role).get("/")
    assert response.status_code == 200
    return response.content.decode()


# ── The first steps ──


def test_the_first_step_is_a_configuration() -> None:
    html = overview(Role.EDITOR)
    assert "No collectors yet. Three steps to the first one" in html
    assert "Write version 1" in html
    assert "Create a fleet <" not in html


@pytest.mark.parametrize("version", ["", "0.140.0", "0.149.0"])
def test_nothing_warns_of_the_first_example(version: str) -> None:
    assert {one.severity for one in checked(EXAMPLE, version).findings} == {Severity.INFO}


def test_a_published_version_leads_on_to_the_fleet() -> None:
    configuration = make_configuration(name="edge")
    make_version(configuration=configuration, state=VersionState.UNPUBLISHED)
    make_version(configuration=configuration)
    html = overview(Role.EDITOR)
    assert "edge v2 is published" in html
    assert "Create a fleet <" in html


def test_viewers_are_told_who_takes_the_steps() -> None:
    html = overview()
    assert "Write version 1" not in html
    assert "An Editor writes configurations" in html


def test_with_a_fleet_it_waits_for_the_first_collector() -> None:
    make_fleet()
    assert "Waiting for the first collector" in overview()


# ── The numbers ──


def test_every_role_sees_it() -> None:
    make_collector(fleet=make_fleet())
    for role in Role:
        assert "The one collector runs what it should" in overview(role)


def test_the_title_counts_those_that_run_what_they_should() -> None:
    for status in ("in_sync", "in_sync", "failed"):
        make_collector(status=status)
    html = overview()
    assert "2 of 3 collectors run what they should" in html
    assert 'href="/collectors/?status=failed"' in html


def test_versions_in_use_are_those_acknowledged_or_else_the_ones_before() -> None:
    configuration = make_configuration(name="edge")
    old = make_rendered(version=make_version(configuration=configuration))
    new = make_rendered(version=make_version(configuration=configuration))
    fleet = make_fleet()
    for _ in range(2):
        make_collector(
            fleet=fleet,
            desired=new,
            remote_config_status=ConfigStatus.APPLIED,
            remote_config_hash=new.hash,
        )
    make_collector(
        fleet=fleet,
        status="failed",
        desired=new,
        previous=old,
        remote_config_status=ConfigStatus.FAILED,
        remote_config_hash=new.hash,
    )
    make_collector(fleet=fleet, status="pending", desired=new)
    found = [(str(version), version.collectors) for version in read_numbers().versions]
    assert found == [("edge v2", 2), ("edge v1", 1)]


def test_versions_that_share_their_bytes_are_counted_once() -> None:
    for _ in range(2):
        rendered = make_rendered(version=make_version(), digest="d" * 64)
    make_collector(
        fleet=make_fleet(),
        desired=rendered,
        remote_config_status=ConfigStatus.APPLIED,
        remote_config_hash="d" * 64,
    )
    assert [version.collectors for version in read_numbers().versions] == [1]


def test_the_navigation_counts_collectors_and_active_rollouts() -> None:
    fleet, version = make_fleet(), make_version()
    make_collector(fleet=fleet)
    engine.start(
        fleet_id=fleet.pk,
        version=version,
        strategy=all_at_once(),
        reason="",
        created_by=None,
        force=False,
        now=clock.now(),
    )
    html = overview()
    assert "1 active" in html
    assert "Under way" in html


# ── What needs attention ──


def test_failures_are_grouped_by_version_and_name_their_most_frequent_cause() -> None:
    rendered = make_rendered(version=make_version(configuration=make_configuration(name="edge")))
    fleet = make_fleet(name="edge-eu")
    for error in ("CA file missing", "CA file missing", "port in use"):
        make_collector(fleet=fleet, status="failed", desired=rendered, remote_config_error=error)
    html = overview()
    assert "3 collectors failed edge v1, 2 for one cause" in html
    assert "CA file missing" in html
    assert "/collectors/?status=failed&amp;fleet=edge-eu" in html


def test_errors_that_differ_in_numbers_and_addresses_alone_are_one_cause() -> None:
    fleet = make_fleet()
    for error in ("port in use", "port in use", *(f"dial 10.0.0.{n}:4317: refused" for n in "123")):
        make_collector(fleet=fleet, status="failed", remote_config_error=error)
    html = overview()
    assert "5 collectors failed its version, 3 for one cause" in html
    assert "dial 10.0.0.1:4317: refused" in html


def test_of_a_log_that_is_quoted_the_collectors_own_words_are_told() -> None:
    log = 'It ended.\nCollector log tail:\n{"level":"info","msg":"Starting"}\nError: port taken'
    make_collector(fleet=make_fleet(), status="failed", remote_config_error=log)
    html = overview()
    assert "Error: port taken" in html
    assert "It ended." not in html


def test_failures_are_retried_from_the_overview_by_those_who_may() -> None:
    fleet = make_fleet(name="edge")
    make_collector(fleet=fleet, status="failed")
    make_collector(fleet=fleet, status="rolled_back")
    make_collector(fleet=fleet, status="drifted")
    html = overview(Role.OPERATOR)
    for status in ("failed", "rolled_back"):
        assert f'action="/collectors/bulk/?status={status}&amp;fleet=edge"' in html
    assert html.count('value="retry"') == 2
    assert 'value="retry"' not in overview()


def test_the_unhealthy_the_drifted_and_the_stale_are_named() -> None:
    make_collector(
        name="gw-1",
        fleet=make_fleet(),
        health="unhealthy",
        last_error='rpc error: code = Unavailable desc = "sending queue is full"',
    )
    make_collector(status="drifted")
    make_collector(status="stale")
    html = overview()
    assert "gw-1 is unhealthy" in html
    assert "· sending queue is full" in html
    assert "1 collector drifted" in html
    assert "1 collector not heard for a long time" in html


def test_secrets_in_errors_are_masked() -> None:
    make_collector(
        status="failed",
        fleet=make_fleet(),
        remote_config_error="password=hunter22hunter22 is wrong",
    )
    assert "hunter22hunter22" not in overview()


def test_tokens_that_expire_soon_and_refused_attempts_of_the_last_hour_are_named() -> None:
    fleet, now = make_fleet(), clock.now()
    soon = make_token(fleet=fleet, name="winter").token
    later = make_token(fleet=fleet, name="summer").token
    revoked = make_token(fleet=fleet, name="gone").token
    for token, days in ((soon, 6), (later, 60), (revoked, 6)):
        token.enrol_until = now + timedelta(days=days)
        token.save(update_fields=["enrol_until"])
    revoked.revoked_at = now
    revoked.save(update_fields=["revoked_at"])
    for address, age in (("192.0.2.1", timedelta(minutes=5)), ("192.0.2.2", timedelta(hours=2))):
        RefusedAttempt.objects.create(
            address=address, reason="revoked", first_at=now - age, last_at=now - age
        )
    html = overview()
    assert "Token “winter” expires" in html
    assert "Token “summer”" not in html
    assert "Token “gone”" not in html
    assert "Refused: 192.0.2.1" in html
    assert "192.0.2.2" not in html


def test_refused_hosts_are_counted_by_their_addresses_and_led_to() -> None:
    make_collector(fleet=make_fleet())
    now = clock.now()
    for reason, address, prefix in (
        ("revoked", "192.0.2.1", "tlf_e_a"),
        ("revoked", "192.0.2.1", "tlf_e_b"),
        ("unknown", "192.0.2.2", ""),
        ("unknown", "192.0.2.3", ""),
        ("unknown", "192.0.2.3", "tlf_e_c"),
    ):
        RefusedAttempt.objects.create(
            address=address, reason=reason, token_prefix=prefix, first_at=now, last_at=now
        )
    html = overview()
    assert "Refused: 192.0.2.1" in html
    assert "Refused: 2 hosts" in html
    assert html.count('href="/tokens/refused/"') == 2


def test_collectors_that_need_attention_are_counted_as_in_their_fleet_and_in_the_list() -> None:
    fleet, now = make_fleet(name="edge"), clock.now()
    for status in ("failed", "rolled_back", "drifted", "stale", "in_sync", "pending"):
        make_collector(fleet=fleet, status=status)
    make_collector(fleet=fleet, health="unhealthy")
    make_collector(fleet=fleet, status="drifted", health="unhealthy")
    make_collector(fleet=fleet, status="disconnected", health="unhealthy")
    make_collector(fleet=fleet, health="unhealthy", restarted_at=now)
    make_collector(fleet=fleet, health="unhealthy", restarted_at=now - timedelta(minutes=5))
    make_token(fleet=fleet)
    RefusedAttempt.objects.create(address="192.0.2.1", reason="revoked", first_at=now, last_at=now)
    html = overview()
    assert "7 collectors and 1 other thing need attention." in html
    assert 'href="/collectors/?attention=true"' in html
    for path in ("/fleets/", "/fleets/edge/"):
        assert "/collectors/?fleet=edge&amp;attention=true" in page(path)
    assert "7 need attention" in page("/fleets/")
    assert 'Needs attention <span class="n">7</span>' in page("/fleets/edge/")
    for query in ("", "?attention=true", "?status=failed"):
        assert 'Needs attention <span class="n">7</span>' in page(f"/collectors/{query}")
    listed = page("/collectors/?attention=true&fleet=edge")
    assert len(names(listed)) == 7
    assert 'All <span class="n">11</span>' in listed
    assert len(shown("attention=false")) == 4


def test_what_is_not_shown_leads_to_lists_of_its_kind() -> None:
    for number in range(10):
        make_collector(fleet=make_fleet(name=f"fleet-{number}"), status="drifted")
    soon = make_token(fleet=make_fleet(), name="winter").token
    soon.enrol_until = clock.now() + timedelta(days=6)
    soon.save(update_fields=["enrol_until"])
    html = overview()
    assert "3 more: " in html
    assert '<a class="a" href="/collectors/?status=drifted">drifted</a> 2' in html
    assert '<a class="a" href="/tokens/">tokens that expire</a>' in html


def test_when_all_is_well_it_says_so() -> None:
    fleet = make_fleet()
    make_collector(fleet=fleet)
    html = overview()
    assert "Nothing needs attention" in html
    assert "disconnected." not in html
    make_collector(fleet=fleet, status="disconnected", connected=False)
    assert "Nothing needs attention. 1 collector is disconnected." in overview()


def test_it_takes_as_many_queries_for_200_collectors_as_for_10() -> None:
    client = signed_in()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/").status_code == 200
        return len(captured)

    def add(count: int) -> None:
        version = make_version()
        fleet, rendered = make_fleet(version=version), make_rendered(version=version)
        for number in range(count):
            make_collector(
                fleet=fleet,
                desired=rendered,
                status=("in_sync", "failed", "drifted", "stale")[number % 4],
            )

    add(10)
    few = queries()
    for _ in range(4):
        add(48)
    assert queries() == few <= 18


def test_every_page_of_activity_names_the_version_that_was_assigned() -> None:
    version = make_version(configuration=make_configuration(name="gateway"))
    fleet = make_fleet(name="edge")
    start_rollout(fleet=fleet, version=version, actor=TESTER)
    assert "assigned gateway v1 to edge" in overview()
    for path in ("/activity/?q=gateway+v1", "/fleets/edge/activity/"):
        html = signed_in().get(path).content.decode()
        assert "Version assigned<" in html
        assert "gateway v1 to edge" in html


def test_recent_activity_is_told_in_words() -> None:
    fleet = make_fleet(name="edge-eu")
    record(actor=TESTER, action="fleet.create", obj=fleet, reason="a new region")
    html = overview()
    assert "created edge-eu" in html
    assert "a new region" in html
