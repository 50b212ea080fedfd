"""An assignment is a rollout with one stage: how it goes, fails, is overtaken and heals (decisions 1 to 6)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.snapshot import FactKind
from configs.models import VersionState
from fleets import many, reports, services
from fleets.errors import AlreadyAssigned, VersionNotPublished
from fleets.models import ArrivalMode, Quarantine, Rollout, Target
from fleets.rollouts import engine
from fleets.rollouts.services import start_rollout
from telflo.base import clock
from telflo.base.hints import RecordingPort
from telflo.base.models import Activity
from tests.factories import (
    TESTER,
    agent_of,
    enrol,
    make_answer,
    make_fleet,
    make_version,
    status_of,
)
from tests.fleets.story import (
    APPLIED,
    APPLYING,
    FAILED,
    Story,
    disconnect,
    hash_of,
    member_of,
    target_of,
)

pytestmark = pytest.mark.django_db
Committed = Callable[[], AbstractContextManager[list[Any]]]


class TestAssigning:
    def test_a_version_reaches_every_member_and_becomes_stable(self) -> None:
        story = Story(count=3)
        two = story.version()
        rollout = story.assign(two)
        offered = story.claim(*story.agents)
        assert set(offered.values()) == {hash_of(two)}
        assert len(offered) == 3
        for agent in story.agents:
            story.answer(agent, APPLYING, hash_of(two))
            assert status_of(agent).status == "applying"
            story.answer(agent, APPLIED, hash_of(two))
            assert status_of(agent).status == "in_sync"
        story.work()
        rollout.refresh_from_db()
        story.fleet.refresh_from_db()
        assert (rollout.state, story.fleet.stable_version) == ("succeeded", two)
        assert rollout.finished_at is not None

    def test_gateways_are_poked_and_pages_touched_when_it_is_committed(
        self, committed: Committed, hints: RecordingPort
    ) -> None:
        story = Story()
        with committed():
            start_rollout(fleet=story.fleet, version=story.version(), actor=TESTER)
        pokes = [message["uids"] for _, message in hints.sent if message["type"] == "poke"]
        assert pokes == [[story.agents[0].instance_uid.hex]]
        topics = {one for _, message in hints.sent for one in message.get("topics", ())}
        assert {f"fleet:{story.fleet.pk}", "rollouts", "fleets", "agents"} <= topics
        assert status_of(story.agents[0]).status == "pending"

    def test_a_fleet_without_members_is_done_at_once(self) -> None:
        fleet, two = make_fleet(version=make_version()), make_version()
        rollout = start_rollout(fleet=fleet, version=two, actor=TESTER)
        assert (rollout.state, fleet.stable_version, fleet.version) == ("succeeded", two, two)

    def test_only_published_versions_can_be_assigned(self) -> None:
        draft = make_version(state=VersionState.UNPUBLISHED)
        with pytest.raises(VersionNotPublished, match="Publish it"):
            start_rollout(fleet=make_fleet(), version=draft, actor=TESTER)

    def test_the_version_that_a_fleet_has_is_not_assigned_again(self) -> None:
        story = Story()
        with pytest.raises(AlreadyAssigned):
            story.assign(story.one)
        two = story.version()
        story.assign(two)
        with pytest.raises(AlreadyAssigned):
            story.assign(two)

    def test_it_is_in_the_activity_log(self) -> None:
        story = Story()
        start_rollout(
            fleet=story.fleet, version=story.version(), actor=TESTER, reason="more memory"
        )
        entry = Activity.objects.get(action="fleet.assign")
        assert (entry.reason, entry.fleet_id) == ("more memory", story.fleet.pk)
        assert entry.object_id == str(story.fleet.pk)

    def test_observed_members_and_those_that_take_no_configuration_are_left_alone(self) -> None:
        story = Story(count=2)
        observed, other = story.agents
        services.set_mode(agent=agent_of(observed), mode=ArrivalMode.OBSERVED, actor=TESTER)
        deaf = enrol(token=story.token, capabilities=1)
        rollout = story.assign(story.version())
        assert list(story.claim(observed, deaf, other)) == [other.instance_uid]
        assert target_of(rollout, deaf).state == "excluded"
        assert not Target.objects.filter(rollout=rollout, agent_id=observed.instance_uid).exists()
        assert status_of(deaf).status == "unmanaged"

    def test_offline_members_do_not_block_and_get_it_when_they_return(self) -> None:
        story = Story(count=2)
        here, away = story.agents
        disconnect(away)
        two = story.version()
        rollout = story.assign(two)
        assert target_of(rollout, away).state == "pending_offline"
        story.settle(here)
        story.work()
        rollout.refresh_from_db()
        assert (rollout.state, rollout.state_reason) == (
            "succeeded",
            "1 was offline when it ended.",
        )
        back = story.come_back(away)
        assert back.desired_hash == hash_of(two)
        story.claim(back)
        assert target_of(rollout, away).state == "offered"
        story.answer(back, FAILED, hash_of(two), "no such exporter")
        assert target_of(rollout, away).state == "failed"
        assert Quarantine.objects.filter(agent_id=away.instance_uid).exists()

    def test_a_newcomer_gets_the_stable_version_first_and_then_joins_the_rollout(self) -> None:
        story = Story()
        two = story.version()
        rollout = story.assign(two)
        newcomer = story.join()
        assert newcomer.desired_hash == hash_of(story.one)
        assert target_of(rollout, newcomer).state == "waiting"
        story.work()
        assert story.claim(newcomer) == {newcomer.instance_uid: hash_of(two)}
        story.settle(story.agents[0])
        story.answer(newcomer, APPLIED, hash_of(two))
        story.work()
        rollout.refresh_from_db()
        assert rollout.state == "succeeded"

    def test_another_version_overtakes_and_each_agent_keeps_its_own_previous_one(self) -> None:
        story = Story(count=2)
        fast, slow = story.agents
        two, three = story.version(), story.version()
        first = story.assign(two)
        story.settle(fast)
        second = story.assign(three)
        first.refresh_from_db()
        assert (first.state, target_of(first, slow).state) == ("superseded", "excluded")
        previous = {
            target.agent_id: target.previous and target.previous.version
            for target in Target.objects.filter(rollout=second)
        }
        assert previous == {fast.instance_uid: two, slow.instance_uid: story.one}
        assert set(story.claim(fast, slow).values()) == {hash_of(three)}

    def test_going_there_and_back_again_is_normal(self) -> None:
        story = Story()
        [agent] = story.agents
        for version in (story.version(), story.one):
            story.assign(version)
            assert story.claim(agent) == {agent.instance_uid: hash_of(version)}
            story.answer(agent, APPLYING, hash_of(version))
            story.answer(agent, APPLIED, hash_of(version))
            story.work()
            assert status_of(agent).status == "in_sync"


class TestLeaving:
    def test_a_moved_agent_is_excluded_with_the_reason_and_gets_the_other_fleets_version(
        self,
    ) -> None:
        story, other = Story(count=2), make_fleet(name="other", version=make_version())
        mover, stayer = story.agents
        rollout = story.assign(story.version())
        services.move_agent(agent=agent_of(mover), fleet=other, actor=TESTER)
        target = target_of(rollout, mover)
        assert (target.state, target.reason) == ("excluded", "It was moved to the fleet other.")
        assert story.claim(mover) == {mover.instance_uid: hash_of(other.stable_version)}  # type: ignore[arg-type]  # it has one
        story.settle(stayer)
        story.work()
        rollout.refresh_from_db()
        assert rollout.state == "succeeded"

    def test_many_that_are_moved_at_once_wait_in_the_rollout_that_runs_there(self) -> None:
        story = Story(count=3)
        two = story.version()
        rollout = story.assign(two)
        movers = story.agents[:2]
        uids = [agent.instance_uid for agent in movers]
        other = make_fleet(name="other", version=make_version())
        many.move_agents(uids=uids, fleet=other, actor=TESTER)
        assert {target_of(rollout, agent).state for agent in movers} == {"excluded"}
        assert set(story.claim(*movers).values()) == {hash_of(other.stable_version)}  # type: ignore[arg-type]  # it has one
        many.move_agents(uids=uids, fleet=story.fleet, actor=TESTER)
        targets = [target_of(rollout, agent) for agent in movers]
        assert [(target.state, target.reason) for target in targets] == [("waiting", "")] * 2
        assert {target.previous.hash for target in targets if target.previous} == {
            hash_of(story.one)
        }
        # What they ran last was the first version, so that one is not offered again.
        assert story.claim(*movers) == {}
        story.work()
        assert set(story.claim(*movers).values()) == {hash_of(two)}

    def test_many_that_are_forgotten_at_once_leave_their_names(
        self, committed: Committed, hints: RecordingPort
    ) -> None:
        story = Story(count=3)
        rollout = story.assign(story.version())
        names = {agent_of(agent).display_name for agent in story.agents}
        uids = [agent.instance_uid for agent in story.agents]
        with committed():
            many.forget_agents(uids=uids, actor=TESTER)
        targets = Target.objects.filter(rollout=rollout)
        assert {(target.agent, target.state) for target in targets} == {(None, "excluded")}
        assert {target.agent_label for target in targets} == names
        closed = [message for _, message in hints.sent if message["type"] == "close_agents"]
        assert [sorted(message["uids"]) for message in closed] == [sorted(uid.hex for uid in uids)]

    def test_a_forgotten_agent_leaves_its_target_with_its_name(
        self, committed: Committed, hints: RecordingPort
    ) -> None:
        story = Story()
        [agent] = story.agents
        rollout = story.assign(story.version())
        name = agent_of(agent).display_name
        with committed():
            services.forget_agent(agent=agent_of(agent), actor=TESTER)
        target = Target.objects.get(rollout=rollout)
        assert (target.agent, target.agent_label, target.state) == (None, name, "excluded")
        rollout.refresh_from_db()
        assert rollout.state == "succeeded"
        assert any(message["type"] == "close_agents" for _, message in hints.sent)
        reports.record_patches([make_answer(agent, (APPLIED, "aa"), kind=FactKind.FULL_STATE)])

    def test_an_observed_agent_is_wanted_nothing_of_and_an_adopted_one_the_stable_version(
        self,
    ) -> None:
        story = Story()
        [agent] = story.agents
        services.set_mode(agent=agent_of(agent), mode=ArrivalMode.OBSERVED, actor=TESTER)
        assert (member_of(agent).desired, status_of(agent).status) == (None, "unmanaged")
        services.set_mode(agent=agent_of(agent), mode=ArrivalMode.MANAGED, actor=TESTER)
        assert status_of(agent).status == "in_sync"


def test_a_report_of_many_agents_costs_as_many_statements_as_one() -> None:
    costs = []
    for count in (1, 25):
        story = Story(count=count)
        two = story.version()
        story.assign(two)
        story.claim(*story.agents)
        patches = [make_answer(agent, (APPLYING, hash_of(two))) for agent in story.agents]
        with CaptureQueriesContext(connection) as queries:
            reports.record_patches(patches)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_assigning_and_releasing_cost_as_many_statements_for_thirty_as_for_two() -> None:
    costs = []
    for count in (2, 30):
        story = Story(count=count)
        two = story.version()
        with CaptureQueriesContext(connection) as queries:
            rollout = story.assign(two)
        costs.append(len(queries))
        assert set(story.claim(*story.agents).values()) == {hash_of(two)}
        assert rollout.targets.filter(state="offered").count() == count
        Rollout.objects.filter(pk=rollout.pk).update(state="superseded")
    assert costs[0] == costs[1]


def test_advancing_what_is_over_or_gone_does_nothing() -> None:
    story = Story()
    rollout = story.assign(story.version())
    Rollout.objects.filter(pk=rollout.pk).update(state="superseded")
    engine.advance(rollout.pk, now=clock.now())
    engine.advance(story.fleet.pk, now=clock.now())
    rollout.refresh_from_db()
    assert rollout.state == "superseded"
