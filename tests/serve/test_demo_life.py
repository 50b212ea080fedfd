"""The demo's present: something goes on for as long as it runs, and what it keeps does not grow."""

import random
import threading
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from fleets.models import Fleet, Rollout, RolloutState
from fleets.rollouts.services import start_rollout
from telflo.demo.life import MOST_ILL, RELEASE_EVERY, Life
from telflo.demo.releases import MOST_AT_ONCE, Releases
from telflo.demo.story import Group
from tests.factories import TESTER, make_fleet, make_version


class Rounds(threading.Event):
    """Ends after so many waits, and waits for none of them."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left = most
        self.waited_s = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        self.waited_s += timeout or 0.0
        return self.left <= 0


class Crowd:
    """Remembers who is ill and who is away."""

    def __init__(self) -> None:
        self.did: Counter[str] = Counter()
        self.away: set[int] = set()
        self.most_ill = 0
        self.ill: set[int] = set()

    def leave(self, members: Sequence[Any], *, gracefully: bool = True) -> None:
        self.did["restart" if gracefully else "cut"] += 1
        self.away |= {id(member) for member in members}
        assert len(self.away) == 1, "one at a time"

    def come_back(self, members: Sequence[Any]) -> None:
        self.away -= {id(member) for member in members}

    def fall_ill(self, members: Sequence[Any], error: str) -> None:
        self.did["illness" if error else "mended"] += 1
        for member in members:
            member.agent.behaviour.ailment = error
            (self.ill.add if error else self.ill.discard)(id(member))
        self.most_ill = max(self.most_ill, len(self.ill))

    def behave(self, members: Sequence[Any], **changes: Any) -> None:
        self.did["behave"] += len(members)


def member() -> Any:
    return SimpleNamespace(agent=SimpleNamespace(behaviour=SimpleNamespace(ailment="")))


class Counting:
    """Counts how often a rollout is asked for; fails when it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.asked = 0
        self.fails = fails

    def start_next(self) -> None:
        self.asked += 1
        if self.fails:
            raise TimeoutError


def live(crowd: Crowd, releases: Any, rounds: int) -> Rounds:
    ending = Rounds(rounds)
    members: Any = [member() for _ in range(20)]
    Life(crowd, members, releases, ending, rng=random.Random(3)).go_on()  # type: ignore[arg-type]  # a fake
    return ending


def test_it_goes_on_for_hours_with_everything_that_can_happen() -> None:
    crowd, releases = Crowd(), Counting()
    ending = live(crowd, releases, 2_000)
    assert ending.waited_s > 5 * 3600
    for deed in ("illness", "mended", "restart", "cut"):
        assert crowd.did[deed] > 50, deed
    assert crowd.most_ill == MOST_ILL
    assert releases.asked > 50
    assert not crowd.away, "everybody came back"


def test_a_failure_does_not_end_it() -> None:
    crowd, releases = Crowd(), Counting(fails=True)
    live(crowd, releases, 40 * RELEASE_EVERY)
    assert releases.asked > 2
    assert crowd.did["illness"]


@pytest.fixture
def groups() -> list[Group]:
    return [group(name) for name in ("one", "two", "three")]


def group(name: str) -> Group:
    versions = [make_version() for _ in range(3)]
    fleet = make_fleet(name=name, version=versions[-1])
    return Group(fleet, None, versions, members=[member(), member()])  # type: ignore[arg-type]  # no token is needed


def releases_of(groups: list[Group]) -> Releases:
    return Releases(Crowd(), groups, actor=TESTER, rng=random.Random(3))  # type: ignore[arg-type]  # a fake


def end_all() -> None:
    Rollout.objects.update(state=RolloutState.SUCCEEDED)
    for fleet in Fleet.objects.all():
        fleet.stable_version = fleet.version
        fleet.save(update_fields=["stable_version"])


@pytest.mark.django_db
def test_fleets_take_turns_between_their_two_newest_versions(groups: list[Group]) -> None:
    releases = releases_of(groups)
    told = []
    for _ in range(6):
        rollout = releases.start_next()
        assert rollout is not None
        told.append((rollout.fleet.name, rollout.version.number))
        end_all()
    newest = {one.fleet.name: one.versions[-1].number for one in groups}
    before = {one.fleet.name: one.versions[-2].number for one in groups}
    names = ["one", "two", "three"]
    assert told == [*before.items(), *newest.items()]
    assert [name for name, _ in told] == names * 2


@pytest.mark.django_db
def test_no_more_than_a_few_are_under_way_at_once(groups: list[Group]) -> None:
    releases = releases_of(groups)
    started = [releases.start_next() for _ in range(2)]
    Rollout.objects.update(state=RolloutState.RUNNING)
    assert all(started)
    assert len(started) == MOST_AT_ONCE
    assert releases.start_next() is None


@pytest.mark.django_db
def test_a_fleet_to_which_a_visitor_gave_something_else_is_left_alone(groups: list[Group]) -> None:
    releases = releases_of(groups[:1])
    start_rollout(fleet=groups[0].fleet, version=make_version(), actor=TESTER)
    end_all()
    assert releases.start_next() is None


@pytest.mark.django_db
def test_a_fleet_whose_stage_bakes_is_left_alone(groups: list[Group]) -> None:
    releases = releases_of(groups[:1])
    started = releases.start_next()
    assert started is not None
    Rollout.objects.update(state=RolloutState.BAKING)
    assert releases.start_next() is None
