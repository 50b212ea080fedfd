"""An illness between two looks: well counts from when it became so, not from the offer alone."""

from datetime import timedelta

import pytest

from agents import store
from agents.models import AgentStatus
from agents.snapshot import AgentSnapshot, ComponentHealth, Fact, FactKind
from fleets.models import AgentConnection
from fleets.rollouts.judging import Health, SoakFacts, Word, judge, watch
from tests.factories import at, make_patch
from tests.fleets.story import target_of
from tests.fleets.test_after_the_fact import soaked
from tests.fleets.test_stages import SOAK, Staged, healthy


def soak(**changed: object) -> SoakFacts:
    """Applied at second 0, with a soak of 60 s and an apply timeout of 30 s."""
    facts: dict[str, object] = {
        "health": Health.HEALTHY,
        "reports_health": True,
        "is_connected": True,
        "soak": timedelta(seconds=60),
        "soak_until": at(60),
        "patience": timedelta(seconds=30),
    }
    return SoakFacts(**{**facts, **changed})  # type: ignore[arg-type]  # a test's


@pytest.mark.parametrize(
    ("since", "second", "expected"),
    [
        (None, 60, Word.SUCCEEDED),
        (-5, 60, Word.SUCCEEDED),
        (0, 60, Word.SUCCEEDED),
        (40, 60, Word.WAIT),
        (40, 99, Word.WAIT),
        (40, 100, Word.SUCCEEDED),
        (95, 149, Word.WAIT),
        (95, 150, Word.FAILED),
        (90, 150, Word.SUCCEEDED),
    ],
)
def test_it_succeeds_only_once_it_was_well_for_a_whole_soak(
    since: int | None, second: int, expected: Word
) -> None:
    facts = soak(healthy_since=None if since is None else at(since))
    assert judge(facts, at(second)).word is expected


def test_one_that_never_stays_well_is_told_so() -> None:
    told = judge(soak(healthy_since=at(149)), at(150))
    assert "did not stay well for 60 s" in told.reason


def test_one_that_reports_no_health_is_judged_by_its_answer_alone() -> None:
    assert judge(soak(reports_health=False, healthy_since=at(50)), at(60)).word is Word.UNVERIFIED


@pytest.mark.parametrize(
    ("change", "is_second", "expected"),
    [
        ({"healthy_since": at(0)}, False, Word.WAIT),
        ({"healthy_since": at(65)}, True, Word.WAIT),
        ({"healthy_since": at(66)}, False, Word.AGAIN),
        ({"healthy_since": at(66)}, True, Word.FAILED),
        ({"healthy_since": None}, True, Word.WAIT),
        ({"healthy_since": at(200), "is_connected": False}, True, Word.WAIT),
        ({"healthy_since": at(200), "reports_health": False}, True, Word.WAIT),
        ({"healthy_since": at(200), "health": Health.UNKNOWN}, True, Word.WAIT),
        ({"health": Health.UNHEALTHY}, False, Word.FAILED),
    ],
)
def test_in_the_bake_one_that_was_ill_between_two_looks_soaks_anew_once(
    change: dict[str, object], is_second: bool, expected: Word
) -> None:
    told = watch(soak(**change), soaked_at=at(65), has_soaked_anew=is_second)
    assert told.word is expected


@pytest.mark.django_db
def test_an_illness_that_no_look_saw_makes_it_soak_anew() -> None:
    staged = Staged()
    [canary] = staged.offered()
    staged.apply(canary)
    healthy(*staged.story.agents)
    row = AgentStatus.objects.filter(agent_id=canary.instance_uid)
    row.update(health_since=staged.now + SOAK / 2)
    staged.work(SOAK + timedelta(seconds=2))
    assert target_of(staged.rollout, canary).state == "soaking"
    staged.work(SOAK / 2)
    assert target_of(staged.rollout, canary).state == "succeeded"


def reconnected(staged: Staged, canary: AgentSnapshot, *, offered: timedelta | None) -> None:
    """It said that it is well; then it sends the empty health of a client that started anew, and nothing after it.

    offered: how long before that it was offered connection settings of ours, None for never.
    """
    well, empty = ComponentHealth(True, "StatusOK"), ComponentHealth(False)
    store.apply([make_patch(canary, now=staged.now, health=well)])
    staged.now += timedelta(seconds=5)
    if offered is not None:
        AgentConnection.objects.update_or_create(
            agent_id=canary.instance_uid, defaults={"offered_at": staged.now - offered}
        )
    news = Fact(FactKind.HEALTH, staged.now, health=empty)
    store.apply([make_patch(canary, now=staged.now, facts=(news,))])


@pytest.mark.django_db
def test_the_false_unhealthy_after_our_own_connection_settings_is_no_failure() -> None:
    """Supervisors up to 0.149.0 never correct it: heartbeats alone follow."""
    staged = Staged()
    [canary] = staged.offered()
    staged.apply(canary)
    reconnected(staged, canary, offered=timedelta(seconds=1))
    staged.work()
    assert target_of(staged.rollout, canary).state == "soaking"
    staged.work(SOAK)
    assert target_of(staged.rollout, canary).state == "soaking", "it may still say how it is"
    staged.work(SOAK + timedelta(hours=1))
    target = target_of(staged.rollout, canary)
    assert (target.state, target.is_unverified, target.failure) == ("succeeded", True, "")
    assert "connection settings" in target.reason


@pytest.mark.django_db
@pytest.mark.parametrize("offered", [None, timedelta(minutes=5)])
def test_one_that_starts_anew_by_itself_and_never_says_how_it_is_has_failed(
    offered: timedelta | None,
) -> None:
    staged = Staged()
    [canary] = staged.offered()
    staged.apply(canary)
    reconnected(staged, canary, offered=offered)
    staged.work(SOAK + timedelta(hours=1))
    assert "did not say how it is" in target_of(staged.rollout, canary).failure


@pytest.mark.django_db
def test_after_our_own_connection_settings_real_trouble_is_trouble() -> None:
    staged = Staged()
    [canary] = staged.offered()
    staged.apply(canary)
    reconnected(staged, canary, offered=timedelta(seconds=1))
    ill = ComponentHealth(False, last_error="exit code 1")
    store.apply([make_patch(canary, now=staged.now + timedelta(seconds=1), health=ill)])
    staged.work(timedelta(seconds=2))
    assert "exit code 1" in target_of(staged.rollout, canary).failure


@pytest.mark.django_db
@pytest.mark.parametrize("by_settings", [True, False])
def test_in_the_bake_what_it_was_told_is_no_illness_however_often(*, by_settings: bool) -> None:
    """Connection settings, or restarts: a person's, or those that other settings need."""
    staged = Staged()
    canary = soaked(staged)
    for _ in range(3):
        staged.now += timedelta(minutes=1)
        if by_settings:
            AgentConnection.objects.update_or_create(
                agent_id=canary.instance_uid, defaults={"offered_at": staged.now}
            )
        else:
            store.note_restarts([canary.instance_uid], now=staged.now)
        healthy(canary, since=staged.now + timedelta(seconds=4))
        staged.work(timedelta(seconds=10))
        assert target_of(staged.rollout, canary).state == "succeeded"
    assert staged.rollout.state == "baking"
