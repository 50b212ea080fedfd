"""Rollouts and collectors are told as they go: each state once, each trouble once, and its end."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fleets.models import Fleet
from fleets.rollouts.plan import Action
from fleets.rollouts.services import act_on_rollout
from fleets.watching import count_fleets, watch_fleets
from notices import services
from notices.models import FleetAlarm, Notice
from telflo.base import clock
from tests.factories import TESTER, make_collector, make_fleet
from tests.fleets.story import APPLIED, FAILED, Story, disconnect, hash_of
from tests.notices.makers import log_of, subscribe

pytestmark = pytest.mark.django_db

URL = "https://hooks.example.com/x"


def kinds() -> list[str]:
    """What was told, oldest first."""
    return list(Notice.objects.order_by("id").values_list("kind", flat=True))


class TestRollouts:
    def test_success_is_told_with_its_numbers(self) -> None:
        story = Story(2)
        rollout = story.assign(story.version())
        for agent in story.agents:
            story.settle(agent)
        story.work()
        [notice] = Notice.objects.all()
        assert notice.kind == "rollout.succeeded"
        assert notice.path == f"/rollouts/{rollout.number}/"
        assert notice.text == "2 collectors have it."
        assert notice.data["targets"] == {"succeeded": 2}
        assert notice.fleet_id == story.fleet.pk

    def test_those_that_are_to_follow_are_told_once(self) -> None:
        story = Story(2)
        here, away = story.agents
        disconnect(away)
        story.assign(story.version())
        story.settle(here)
        story.work()
        [notice] = Notice.objects.all()
        assert notice.text == "1 collector has it. 1 collector offline, to follow."
        assert notice.data["rollout"]["reason"] == "1 was offline when it ended."

    def test_pause_way_back_and_end_are_told_once_each(self) -> None:
        story = Story(2)
        version = story.version()
        rollout = story.assign(version)
        act_on_rollout(rollout=rollout, action=Action.PAUSE, actor=TESTER)
        story.work()
        act_on_rollout(rollout=rollout, action=Action.RESUME, actor=TESTER)
        story.work()
        for agent in story.agents:
            story.settle(agent)
        assert kinds() == ["rollout.paused"]

    def test_a_budget_that_is_spent_is_told_with_the_way_back(self) -> None:
        story = Story(2)
        version = story.version()
        rollout = story.assign(version)
        story.claim(*story.agents)
        story.answer(story.agents[0], FAILED, hash_of(version), "no such exporter")
        story.answer(story.agents[1], APPLIED, hash_of(version))
        story.work()
        first = kinds()
        rollout.refresh_from_db()
        if rollout.state == "paused":
            act_on_rollout(rollout=rollout, action=Action.ROLL_BACK, actor=TESTER)
            story.work()
        for agent in story.agents:
            story.settle(agent)
        story.work()
        rollout.refresh_from_db()
        assert rollout.state == "rolled_back"
        assert first == ["rollout.paused"]
        assert kinds() == ["rollout.paused", "rollout.rolling_back", "rollout.rolled_back"]
        assert "2 collectors back" in Notice.objects.latest("id").text

    def test_cancelling_is_told(self) -> None:
        story = Story()
        rollout = story.assign(story.version())
        act_on_rollout(rollout=rollout, action=Action.CANCEL, actor=TESTER)
        assert kinds() == ["rollout.cancelled"]

    def test_a_fleet_without_collectors_tells_nothing(self) -> None:
        story = Story(0)
        story.assign(story.version())
        assert kinds() == []


def collectors(fleet: Fleet, count: int, **how: Any) -> list[Any]:
    return [make_collector(fleet=fleet, **how) for _ in range(count)]


class TestCollectors:
    def test_they_are_counted_by_fleet(self) -> None:
        one, empty = make_fleet(name="a"), make_fleet(name="b")
        collectors(one, 3)
        collectors(one, 2, health="unhealthy")
        collectors(one, 1, health="unhealthy", restarted_at=clock.now())
        collectors(one, 1, status="disconnected", health="unhealthy")
        collectors(one, 1, status="stale")
        counts = {count.id: count for count in count_fleets(clock.now())}
        found = counts[one.pk]
        assert (found.total, found.unhealthy, found.gone) == (8, 2, 2)
        assert (counts[empty.pk].total, counts[empty.pk].gone) == (0, 0)

    def test_a_limit_is_told_once_and_so_is_its_end(self) -> None:
        fleet = make_fleet(name="edge")
        one = subscribe(url=URL, kinds=[], unhealthy_from="20%", hold_s=60)
        ill = collectors(fleet, 2, health="unhealthy")
        collectors(fleet, 8)
        now = clock.now()
        for second in range(0, 600, 15):
            watch_fleets(now + timedelta(seconds=second))
        assert kinds() == ["collectors.unhealthy"]
        [notice] = Notice.objects.all()
        assert notice.title == "edge: 2 of 10 collectors are unhealthy"
        assert notice.only_for_id == one.pk
        assert notice.data["collectors"] == {"count": 2, "total": 10, "limit": "20%"}
        assert notice.path == "/collectors/?fleet=edge&health=unhealthy"
        for agent in ill:
            agent.status.health = "healthy"
            agent.status.save()
        watched(now + timedelta(seconds=600), now + timedelta(seconds=660))
        assert kinds() == ["collectors.unhealthy", "collectors.healthy"]
        assert not FleetAlarm.objects.exists()

    def test_two_workers_at_once_tell_once(self) -> None:
        fleet = make_fleet()
        subscribe(url=URL, gone_from="1", hold_s=0)
        collectors(fleet, 1, status="disconnected")
        now = clock.now()
        watched(now, now)
        assert kinds() == ["collectors.gone"]

    def test_each_subscription_has_its_own_limit_and_fleets(self) -> None:
        mine, other = make_fleet(), make_fleet()
        few = subscribe(url=URL, gone_from="1", hold_s=0, fleets=[mine.pk])
        many = subscribe(url=URL, gone_from="3", hold_s=0)
        collectors(mine, 2, status="stale")
        collectors(other, 3, status="disconnected")
        watched(clock.now())
        told = Notice.objects.values_list("only_for_id", "fleet_id")
        assert set(told) == {(few.pk, mine.pk), (many.pk, other.pk)}

    def test_a_limit_that_is_taken_away_tells_nothing_more(self) -> None:
        fleet = make_fleet()
        one = subscribe(url=URL, gone_from="1", hold_s=0)
        collectors(fleet, 1, status="disconnected")
        now = clock.now()
        watched(now)
        services.change(
            subscription=one, wish=services.wish_of(one, {"gone_from": ""}), actor=TESTER
        )
        watched(now + timedelta(minutes=1))
        assert kinds() == ["collectors.gone"]
        assert not FleetAlarm.objects.exists()

    def test_a_paused_one_is_told_anew_when_it_is_resumed(self) -> None:
        fleet = make_fleet()
        one = subscribe(url=URL, gone_from="1", hold_s=0)
        collectors(fleet, 1, status="disconnected")
        now = clock.now()
        watched(now)
        services.pause(subscription=one, actor=TESTER)
        watched(now + timedelta(minutes=1))
        assert kinds() == ["collectors.gone"]
        services.resume(subscription=one, actor=TESTER)
        watched(now + timedelta(minutes=2))
        assert kinds() == ["collectors.gone", "collectors.gone"]
        assert log_of(one) == []

    def test_looking_costs_the_same_for_many_fleets(self) -> None:
        subscribe(url=URL, gone_from="50%")
        costs = []
        for _ in range(2):
            for _ in range(5):
                collectors(make_fleet(), 3)
            with CaptureQueriesContext(connection) as queries:
                watched(clock.now())
            costs.append(len(queries))
        assert costs[0] == costs[1] <= 8

    def test_nobody_counts_where_nobody_wants_to_know(self) -> None:
        collectors(make_fleet(), 1, status="disconnected")
        with CaptureQueriesContext(connection) as queries:
            watched(clock.now())
        assert len(queries) == 2


def watched(*moments: datetime) -> None:
    """The sweep looks at these moments."""
    for moment in moments:
        watch_fleets(moment)
