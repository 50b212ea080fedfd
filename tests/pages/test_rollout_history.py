"""What the page of a rollout tells of its past, and of how far it is."""

import pytest
from django.utils import timezone

from agents.models import Agent
from fleets.models import (
    Rollout,
    RolloutState,
    Stage,
    StageState,
)
from fleets.rollouts.engine import advance
from fleets.rollouts.engine.telling import record_turn
from fleets.rollouts.plan import Action as Step
from fleets.rollouts.services import act_on_rollout
from fleets.services import retry_agent
from fleets.views.history_rows import history_of
from fleets.views.rollout_rows import RolloutRow, stage_words
from telflo.base.activity import Actor
from tests.factories import (
    TESTER,
    make_person,
)
from tests.fleets.test_many import all_failed
from tests.fleets.test_stages import Staged
from tests.pages.reading import page, signed_in
from tests.pages.rollouts import started

pytestmark = pytest.mark.django_db


def test_its_history_says_what_happened_who_did_it_and_why() -> None:
    rollout = started()
    advance(rollout.pk, now=timezone.now())
    ada = Actor.person(make_person(username="ada"))
    act_on_rollout(rollout=rollout, action=Step.PAUSE, actor=ada, reason="the switch")
    html = signed_in().get(f"/rollouts/{rollout.number}/").content.decode()
    history = html[html.index(">History<") :]
    for words in (
        "<b>Rollout paused</b>, ada",
        "the switch",
        "All at once: began",
        "Started",
        "new gateway",
    ):
        assert words in history


def test_of_two_moments_at_one_time_the_later_stands_on_top() -> None:
    rollout = started()
    at, stage = timezone.now(), rollout.stages.get()
    stage.state, stage.started_at, stage.finished_at = StageState.PASSED, at, at
    following = Stage(rollout=rollout, index=1, name="Rest", percent=100, started_at=at)
    found = [one.what for one in history_of(rollout, [stage, following])]
    assert found == ["Rest: began", "All at once: passed", "All at once: began", "Started"]


def test_one_that_was_taken_back_says_so_once_and_why_once() -> None:
    rollout = started(collectors=0)
    advance(rollout.pk, now=timezone.now())
    Rollout.objects.update(state=RolloutState.RUNNING, finished_at=None)
    rollout.refresh_from_db()
    act_on_rollout(rollout=rollout, action=Step.ROLL_BACK, actor=TESTER, reason="the switch")
    advance(rollout.pk, now=timezone.now())
    rollout.refresh_from_db()
    assert rollout.state == "rolled_back"
    found = [(one.what, one.why) for one in history_of(rollout, [])]
    assert found[:2] == [("Rolled back", ""), ("Going back", "the switch")]


def test_one_that_was_cancelled_says_so_once() -> None:
    rollout = started()
    act_on_rollout(rollout=rollout, action=Step.CANCEL, actor=TESTER, reason="the switch")
    found = [(one.what, one.why) for one in history_of(rollout, [])]
    assert found[0] == ("Rollout cancelled", "the switch")
    assert "Cancelled" not in dict(found)


@pytest.mark.parametrize(
    ("state", "stage", "by_state", "words"),
    [
        ("running", "waiting", {"waiting": 3}, "3 collectors"),
        ("running", "waiting", {}, "nobody in it"),
        ("running", "skipped", {}, "nobody in it"),
        (
            "running",
            "running",
            {"succeeded": 1, "failed": 1, "excluded": 1},
            "1 of 2 succeeded, 1 failed",
        ),
        (
            "rolled_back",
            "failed",
            {"reverted": 2, "revert_failed": 1, "excluded": 4},
            "3 of 3 taken back",
        ),
        ("rolling_back", "waiting", {"excluded": 4}, "not reached"),
        ("superseded", "waiting", {"waiting": 4}, "not reached"),
    ],
)
def test_a_stage_says_how_far_it_is(
    state: str, stage: str, by_state: dict[str, int], words: str
) -> None:
    assert stage_words(Stage(state=stage), RolloutRow(Rollout(state=state), by_state)) == words


def test_what_no_person_did_is_said_to_be_done_by_telflo() -> None:
    rollout = started()
    rollout.state = RolloutState.PAUSED
    record_turn(rollout, RolloutState.RUNNING)
    found = history_of(rollout, [])
    assert found[0].who == "Telflo"


def test_who_waits_when_it_is_paused_has_waited_since_before() -> None:
    rollout = started()
    before = set(rollout.targets.values_list("state", "state_since"))
    act_on_rollout(rollout=rollout, action=Step.PAUSE, actor=TESTER)
    assert set(rollout.targets.values_list("state", "state_since")) == before


def test_a_retry_of_a_single_collector_stands_in_the_history_with_its_reason() -> None:
    story = all_failed(1)
    rollout = Rollout.objects.latest("number")
    agent = Agent.objects.get(pk=story.agents[0].instance_uid)
    retry_agent(agent=agent, actor=TESTER, reason="larger disk")
    found = [(one.what, one.why) for one in history_of(rollout, [])]
    assert (f"Failed version retried: {agent}", "larger disk") in found


@pytest.mark.parametrize(
    ("action", "why"), [(Step.ROLL_BACK, "taken back"), (Step.CANCEL, "cancelled")]
)
def test_that_some_were_not_reached_is_said_once(action: Step, why: str) -> None:
    staged = Staged()
    staged.offered()
    staged.act(action)
    html = page(f"/rollouts/{staged.rollout.number}/")
    assert f"3 collectors were not reached before it was {why}, and keep what they run." in html
    assert html.count("Not reached</span>") == 3
    assert "The rollout was" not in html
