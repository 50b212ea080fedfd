"""The pre-flight check reads kinds of members, put together by the database: as many statements for many as for few."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from configs.models import ConfigVersion
from fleets.models import Fleet, Quarantine
from fleets.rendering import render_version
from fleets.rollouts.preflight import Preflight, Severity
from fleets.rollouts.selector import parse_selector
from fleets.rollouts.services import preflight_of, start_rollout
from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan, canary
from tests.factories import TESTER, make_collector, make_fleet, make_rendered, make_version

pytestmark = pytest.mark.django_db

STAGING = StagePlan("Staging", Share(selector=parse_selector("7=a")))
STRATEGY = replace(canary(), stages=(STAGING, *canary().stages), zone_key="az", zone_limit=1)


def fleet_of(count: int, version: ConfigVersion) -> Fleet:
    """Every third has the label 7, one of each ten failed the version before."""
    before = make_version()
    fleet, desired = make_fleet(version=before), make_rendered(version=before)
    coming = render_version(version, now=timezone.now())
    for n in range(count):
        labels = {"7": "a", "az": f"zone {n % 2}"} if n % 3 == 0 else {"az": f"zone {n % 2}"}
        made = make_collector(
            name=f'“{n}” "x"', fleet=fleet, desired=desired, agent={"labels": labels}
        )
        if n % 10 == 0:
            Quarantine.objects.create(agent=made, hash=coming.hash, since=timezone.now())
    return fleet


@pytest.mark.parametrize("force", [False, True])
def test_it_asks_as_often_for_many_members_as_for_one(*, force: bool) -> None:
    def asked(count: int) -> tuple[int, Preflight]:
        version = make_version()
        fleet = fleet_of(count, version)
        with CaptureQueriesContext(connection) as queries:
            found = preflight_of(fleet=fleet, version=version, strategy=STRATEGY, force=force)
        return len(queries), found

    few, many = asked(1), asked(30)
    assert few[0] == many[0] == 5
    assert many[1].stages[0].targets == 10
    [about] = [one for one in many[1].findings if one.code in {"quarantined", "tried_again"}]
    assert [one.name for one in about.collectors] == ['“0” "x"', '“10” "x"', '“20” "x"']
    [zones] = [one for one in many[1].findings if one.code == "zones"]
    assert zones.title == "2 values of az"


def test_a_stage_that_selects_gets_those_that_were_counted_before() -> None:
    version = make_version()
    fleet = fleet_of(9, version)
    told = preflight_of(fleet=fleet, version=version, strategy=STRATEGY)
    rollout = start_rollout(fleet=fleet, version=version, strategy=STRATEGY, actor=TESTER)
    staging = rollout.targets.filter(stage__index=0)
    assert told.stages[0].targets == staging.count() == 3
    assert set(rollout.targets.values_list("zone", flat=True)) == {"zone 0", "zone 1"}


def test_a_version_that_was_never_offered_can_be_forced() -> None:
    version = make_version()
    before = make_version()
    fleet = make_fleet(version=before)
    make_collector(fleet=fleet, desired=make_rendered(version=before))
    assert preflight_of(fleet=fleet, version=version, force=True).reached == 1


@pytest.mark.parametrize("force", [False, True])
def test_the_canary_is_one_that_gets_the_version(*, force: bool) -> None:
    """One on which it failed before is skipped and shows nothing, unless the rollout is forced."""
    version = make_version()
    fleet = fleet_of(1, version)
    desired = make_rendered(version=make_version())
    reached = make_collector(name="reached", fleet=fleet, desired=desired)
    plan = canary()
    told = preflight_of(fleet=fleet, version=version, strategy=plan, force=force)
    rollout = start_rollout(fleet=fleet, version=version, strategy=plan, force=force, actor=TESTER)
    assert [stage.targets for stage in told.stages] == [
        stage.targets.count() for stage in rollout.stages.order_by("index")
    ]
    assert told.stages[0].reached == 1
    if not force:
        assert rollout.targets.get(stage__index=0).agent_id == reached.pk


def test_a_version_that_ran_is_not_stopped_by_the_validator_when_it_is_taken_again() -> None:
    version = make_version(yaml="service: {extensions: [no]}\n")
    fleet = fleet_of(1, version)
    refused = preflight_of(fleet=fleet, version=version).of(Severity.ERROR)
    assert "invalid" in {one.code for one in refused}
    rollout = start_rollout(fleet=fleet, version=version, actor=TESTER)
    rollout.targets.update(state="succeeded")
    same = make_version(yaml="service: {extensions: [no]}\n")
    assert not preflight_of(fleet=make_fleet(), version=same).of(Severity.ERROR)


@pytest.mark.parametrize(
    ("builds", "changed"), [(("0.158.0",), []), (("0.158.0", "0.149.0"), ["send_batch_size"])]
)
def test_a_default_that_is_written_out_is_no_change_where_all_collectors_have_it(
    builds: tuple[str, ...], changed: list[str]
) -> None:
    """Where they are of several versions nobody says so for all."""
    text = "processors: {batch: {%s}}\nservice: {}\n"
    before, after = make_version(yaml=text % ""), make_version(yaml=text % "send_batch_size: 8192")
    fleet = make_fleet(version=before)
    for build in builds:
        rendered = make_rendered(version=before)
        make_collector(fleet=fleet, desired=rendered, agent={"collector_version": build})
    found = preflight_of(fleet=fleet, version=after).changes
    assert [one.path[-1] for one in found] == changed
