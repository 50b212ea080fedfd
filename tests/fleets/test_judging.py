"""An illness between two looks: well counts from when it became so, not from the offer alone."""

from datetime import timedelta

import pytest

from agents.models import AgentStatus
from fleets.rollouts.judging import Health, SoakFacts, Word, judge, watch
from tests.factories import at
from tests.fleets.story import target_of
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
