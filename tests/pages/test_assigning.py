"""The page that assigns a version to a fleet: what it shows and counts before, and what it starts."""

from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from agents.snapshot import ConfigStatus
from configs.models import VersionState
from configs.services import create_configuration, publish_version, save_version
from fleets import services
from fleets.models import ArrivalMode, Fleet, Membership, Quarantine, Rollout
from fleets.rendering import render_version
from fleets.rollouts.plan import Action
from fleets.rollouts.preflight import Fate
from fleets.rollouts.services import act_on_rollout, preflight_of
from telflo.base.access import Role
from tests.factories import (
    TESTER,
    agent_of,
    enrol,
    make_collector,
    make_configuration,
    make_fleet,
    make_rendered,
    make_version,
)
from tests.fleets.failed import failed_collector
from tests.fleets.story import Story
from tests.pages.reading import signed_in

pytestmark = pytest.mark.django_db


def test_assigning_shows_the_difference_the_numbers_and_the_quarantined_by_name() -> None:
    configuration = create_configuration(name="edge", actor=TESTER)
    versions = [
        publish_version(
            version=save_version(
                configuration=configuration, yaml=f"receivers:\n  otlp: {{n: {n}}}\n", actor=TESTER
            ),
            actor=TESTER,
        )
        for n in (1, 2)
    ]
    fleet = make_fleet(name="edge", version=versions[0])
    desired = render_version(versions[0], now=timezone.now())
    agents = [make_collector(name=f"web-{n}", fleet=fleet, desired=desired) for n in range(3)]
    failed = render_version(versions[1], now=timezone.now())
    Quarantine.objects.create(agent=agents[1], hash=failed.hash, since=timezone.now())
    html = signed_in(Role.OPERATOR).get("/fleets/edge/assign/").content.decode()
    assert '<tr class="add">' in html
    assert "Start with 1 collector" in html
    assert "It failed before on 1 collector" in html
    assert "It is skipped, and keeps what it runs, until somebody retries it there." in html
    assert "web-1" in html
    assert 'name="force" id="force">' in html


def test_assigning_tries_it_again_where_it_failed_when_that_is_ticked() -> None:
    agent = failed_collector()
    member = Membership.objects.get(agent=agent)
    fleet, second = member.fleet, member.fleet.version
    assert second is not None
    assert member.previous is not None
    first = member.previous.version
    Fleet.objects.filter(pk=fleet.pk).update(version=first, stable_version=first)
    client, path = signed_in(Role.OPERATOR), f"/fleets/{fleet.slug}/assign/"
    plan = {"version": str(second.pk), "force": "on"}
    html = client.post(path, {**plan, "do": "preview"}).content.decode()
    assert "and is tried again there" in html
    assert 'name="force" id="force" checked>' in html
    client.post(path, {**plan, "do": "start"})
    assert Rollout.objects.get().is_forced


def test_a_version_that_the_fleet_has_is_tried_again_where_it_failed_when_that_is_ticked() -> None:
    fleet = Membership.objects.get(agent=failed_collector()).fleet
    Fleet.objects.update(stable_version=fleet.version_id)
    client, path = signed_in(Role.OPERATOR), f"/fleets/{fleet.slug}/assign/"
    wanted = {"version": str(fleet.version_id), "do": "preview"}
    html = client.post(path, wanted).content.decode()
    assert "Tick “Try it again there” to give it to those on which it failed" in html
    assert "Start anyway" not in html
    assert 'value="start" disabled' in html
    forced = {**wanted, "force": "on", "accept": "unknown_components"}
    html = client.post(path, forced).content.decode()
    assert "goes to those on which it failed." in html
    assert 'value="start" aria' in html
    Membership.objects.update(previous=None)
    html = client.post(path, forced).content.decode()
    assert "It cannot be tried again where it failed. Choose another." in html
    assert 'value="start" disabled' in html
    Quarantine.objects.all().delete()
    html = client.post(path, wanted).content.decode()
    assert "The fleet has this version already. Choose another." in html


def test_assigning_proposes_the_newest_version_that_would_be_news() -> None:
    configuration = make_configuration(name="edge")
    first, second, third = (make_version(configuration=configuration) for _ in range(3))
    make_version(configuration=configuration, state=VersionState.UNPUBLISHED)
    make_version()
    fleet = make_fleet(name="edge", version=first)
    client = signed_in(Role.OPERATOR)
    chosen = f'<option value="{third.pk}" selected>'
    assert chosen in client.get("/fleets/edge/assign/").content.decode()
    for had in (third, second):
        Fleet.objects.filter(pk=fleet.pk).update(version=had)
        html = client.get("/fleets/edge/assign/").content.decode()
        assert (chosen in html) is (had is second)
        assert ("no newer version of edge is published" in html) is (had is third)
        assert ('value="start"' in html) is (had is second)
    asked = client.get(f"/fleets/edge/assign/?version={first.pk}").content.decode()
    assert f'<option value="{first.pk}" selected>' in asked, "to go back is chosen, not proposed"


def test_assigning_counts_each_collector_once_and_only_those_that_it_reaches() -> None:
    old, new = make_version(), make_version()
    fleet = make_fleet(name="edge", version=old)
    desired, coming = make_rendered(version=old), render_version(new, now=timezone.now())
    has_it = {
        "remote_config_status": ConfigStatus.APPLIED,
        "remote_config_hash": coming.hash,
    }
    deaf = {"agent": {"capabilities": 1}}
    members: dict[str, dict[str, Any]] = {
        "here-1": {},
        "here-2": {},
        "silent-about-itself": {"agent": {"capabilities": 0}},
        "away": {"status": "disconnected"},
        "gone": {"status": "stale"},
        "runs-it": has_it,
        "runs-it-offline": {"status": "disconnected", **has_it},
        "deaf": {"status": "unmanaged", **deaf},
        "deaf-and-away": {"status": "disconnected", **deaf},
        "failed-and-deaf": {"status": "unmanaged", **deaf},
        "failed": {"status": "failed"},
        "failed-and-away": {"status": "disconnected"},
    }
    for name, how in members.items():
        made = make_collector(name=name, fleet=fleet, desired=desired, **how)
        if name.startswith("failed"):
            Quarantine.objects.create(agent=made, hash=coming.hash, since=timezone.now())
    observed = make_collector(name="observed", fleet=fleet, status="unmanaged")
    Membership.objects.filter(agent=observed).update(mode=ArrivalMode.OBSERVED)
    told = preflight_of(fleet=fleet, version=new)
    assert told.fates == {
        Fate.NOW: 3,
        Fate.OFFLINE: 2,
        Fate.RUNNING: 2,
        Fate.UNABLE: 3,
        Fate.OBSERVED: 1,
        Fate.QUARANTINED: 2,
    }
    [failed] = told.findings
    assert [one.name for one in failed.collectors] == ["failed", "failed-and-away"]
    html = signed_in(Role.OPERATOR).get(f"/fleets/edge/assign/?version={new.pk}").content.decode()
    for words in (
        'num">5</dd>',
        "2 are offline and get it on their return",
        "2 run it already",
        "3 do not accept configurations",
        "1 is only observed",
        "It failed before on 2 collectors",
    ):
        assert words in html


def test_what_is_counted_before_is_what_the_rollout_does() -> None:
    story = Story(count=3)
    services.set_mode(agent=agent_of(story.agents[0]), mode=ArrivalMode.OBSERVED, actor=TESTER)
    enrol(token=story.token, capabilities=1)
    version = story.version()
    told = preflight_of(fleet=story.fleet, version=version)
    rollout = story.assign(version)
    states = Counter(rollout.targets.values_list("state", flat=True))
    assert (
        (told.fates[Fate.NOW], told.fates[Fate.UNABLE])
        == (states["waiting"], states["excluded"])
        == (2, 1)
    )


def test_assigning_starts_a_rollout_and_leads_to_it() -> None:
    first, second = make_version(), make_version()
    fleet = make_fleet(name="edge", version=first)
    make_collector(fleet=fleet, desired=make_rendered(version=first))
    answer = signed_in(Role.OPERATOR).post(
        "/fleets/edge/assign/", {"version": second.pk, "reason": "new gateway", "do": "start"}
    )
    rollout = Rollout.objects.get()
    assert answer["Location"] == f"/rollouts/{rollout.number}/"
    assert (rollout.version, rollout.reason) == (second, "new gateway")


def test_a_fleet_that_a_cancelled_rollout_left_on_two_versions_says_so_until_it_has_one() -> None:
    story = Story(count=2)
    client, path = signed_in(Role.VIEWER), f"/fleets/{story.fleet.slug}/"
    two = story.version()
    rollout = story.assign(two)
    assert "was cancelled" not in client.get(path).content.decode()
    story.claim(story.agents[0])
    act_on_rollout(rollout=rollout, action=Action.CANCEL, actor=TESTER)
    html = client.get(path).content.decode()
    assert f"had reached stay on {two}, the others keep {story.one}" in html
    assert f'href="/rollouts/{rollout.number}/"' in html
    story.assign(story.one)
    assert "was cancelled" not in client.get(path).content.decode()


def test_assigning_what_the_fleet_has_is_refused_in_words() -> None:
    version = make_version()
    make_fleet(name="edge", version=version)
    answer = signed_in(Role.ADMIN).post(
        "/fleets/edge/assign/", {"version": version.pk, "do": "start"}
    )
    assert answer.status_code == 422
    assert "already" in answer.content.decode()
