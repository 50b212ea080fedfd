"""Retry beside every failure: one question that says what will happen, for Operators."""

import re
from urllib.parse import quote

import pytest

from fleets.models import Quarantine, Rollout
from telflo.base.access import Role
from telflo.base.models import Activity
from tests.factories import (
    make_collector,
    make_fleet,
)
from tests.fleets.failed import failed_collector
from tests.fleets.test_many import all_failed
from tests.pages.reading import page, posted, signed_in

pytestmark = pytest.mark.django_db


def test_a_retry_says_what_it_will_do_and_leads_back_where_it_was_asked() -> None:
    agent = failed_collector()
    path = f"/collectors/{agent.pk}/retry/?next=/rollouts/7/"
    asked = page(path, role=Role.OPERATOR)
    assert "Retry edge v2 on web?" in asked
    assert "edge v1 is offered first, and edge v2 again once that runs" in asked
    assert 'href="/rollouts/7/">Leave it' in asked
    assert Quarantine.objects.exists()
    done = posted(path, reason="the disk is larger now")
    assert (done.status_code, done["Location"]) == (302, "/rollouts/7/")
    assert not Quarantine.objects.exists()
    assert Activity.objects.get(action="agent.retry").reason == "the disk is larger now"


def test_a_retry_never_leads_to_another_site() -> None:
    agent = failed_collector()
    done = posted(f"/collectors/{agent.pk}/retry/?next=//evil.example/")
    assert done["Location"] == f"/collectors/{agent.pk}/"


def test_one_that_went_back_by_itself_is_said_to_restart_once() -> None:
    agent = failed_collector(
        status="rolled_back",
        config_status="rolled_back",
        remote_config_status=1,
        remote_config_hash="f" * 64,
    )
    assert "edge v2 is offered again at once" in page(
        f"/collectors/{agent.pk}/retry/", role=Role.OPERATOR
    )


def test_what_cannot_be_retried_says_why_and_has_no_button() -> None:
    agent = make_collector(name="web", fleet=make_fleet())
    asked = page(f"/collectors/{agent.pk}/retry/", role=Role.OPERATOR)
    assert "web cannot be retried" in asked
    assert "Nothing failed on this collector" in asked
    assert "Retry 1" not in asked


def test_retry_stands_beside_every_failure_for_those_who_may() -> None:
    agent = failed_collector()
    link = f'href="/collectors/{agent.pk}/retry/?next='
    for path in (f"/collectors/{agent.pk}/", f"/collectors/{agent.pk}/attempts/", "/fleets/eu/"):
        html = page(path, role=Role.OPERATOR)
        assert f"{link}{quote(path, safe='')}" in html, path
        assert "unknown exporter: nope" in html, path
        assert "hunter2hunter2" not in html, path
        assert link not in page(path), path


def test_many_are_retried_with_one_question_and_those_that_cannot_are_told() -> None:
    agent = failed_collector()
    other = make_collector(name="mail", fleet=agent.membership.fleet)
    ids = [str(agent.pk), str(other.pk)]
    asked = posted("/collectors/bulk/", do="retry", id=ids).content.decode()
    assert "Retry 2 collectors?" in asked
    assert "offered the version before it" in asked
    client = signed_in(Role.OPERATOR)
    told = client.post(
        "/collectors/bulk/", {"do": "retry", "id": ids, "confirmed": "1"}, follow=True
    )
    html = told.content.decode()
    assert "1 collector is offered what failed once more" in html
    assert "mail: Nothing failed on this collector" in html
    assert not Quarantine.objects.exists()


def test_all_that_failed_for_one_cause_are_retried_from_the_rollout_with_one_question() -> None:
    story = all_failed(2)
    rollout = Rollout.objects.latest("number")
    here = f"/rollouts/{rollout.number}/"
    [link] = re.findall(rf'href="({here}retry/\?cause=\w+)"', page(here, role=Role.OPERATOR))
    assert f"{here}retry/" not in page(here)
    asked = page(link, role=Role.OPERATOR)
    assert f"Retry {rollout.version} on 2 collectors?" in asked
    assert "offered the version before it" in asked
    client = signed_in(Role.OPERATOR)
    html = client.post(link, {"reason": "mended"}, follow=True).content.decode()
    assert "2 collectors are offered what failed once more" in html
    assert Activity.objects.get(action="rollout.retry").reason == "mended"
    assert "Failed collectors retried" in html
    assert set(rollout.targets.values_list("state", flat=True)) == {"waiting"}
    assert "Nobody can be retried" in page(link, role=Role.OPERATOR)
    assert len(story.agents) == 2
