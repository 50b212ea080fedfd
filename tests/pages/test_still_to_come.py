"""Who was offline when a rollout ended, and follows: the page and the API say who does now, the history who did then."""

import pytest

from agents.snapshot import AgentSnapshot
from fleets.models import Rollout
from fleets.rollouts.plan import Action
from telflo.base.access import Role
from tests.api.caller import caller
from tests.fleets.story import APPLIED, Story, disconnect, hash_of
from tests.fleets.test_stages import Staged
from tests.pages.reading import page

pytestmark = pytest.mark.django_db

THEN = "2 were offline when it ended."


def seen(rollout: Rollout) -> tuple[str, str]:
    """The page above its history, and the history."""
    html = page(f"/rollouts/{rollout.number}/")
    now, _, history = html.partition(">History<")
    return now, history


def back_with_it(story: Story, agent: AgentSnapshot) -> None:
    story.settle(story.come_back(agent))


def test_of_one_that_succeeded_those_are_counted_that_have_not_got_it_yet() -> None:
    story = Story(count=3)
    here, *away = story.agents
    for agent in away:
        disconnect(agent)
    rollout = story.assign(story.version())
    story.settle(here)
    story.work()
    now, history = seen(rollout)
    assert "2 collectors are still to get it, on their return." in now
    assert THEN not in now
    assert THEN in history
    back_with_it(story, away[0])
    now, history = seen(rollout)
    assert "1 collector is still to get it, on its return." in now
    assert THEN in history
    back_with_it(story, away[1])
    now, history = seen(rollout)
    assert "still to" not in now
    assert 'class="call' not in now
    assert THEN in history


def test_of_one_that_was_taken_back_those_are_counted_that_are_not_back_yet() -> None:
    staged = Staged(count=2)
    [canary] = staged.offered()
    staged.apply(canary)
    disconnect(canary)
    staged.act(Action.ROLL_BACK)
    assert staged.rollout.state == "rolled_back"
    now, _ = seen(staged.rollout)
    assert "1 collector is still to go back, on its return." in now
    assert "1 was offline when it ended." in now
    again = staged.story.come_back(canary)
    staged.story.claim(again, now=staged.now)
    staged.story.answer(again, APPLIED, hash_of(staged.story.one))
    staged.work()
    now, _ = seen(staged.rollout)
    assert "still to" not in now
    assert "1 was offline when it ended." in now


def test_programs_are_told_by_the_counts_who_is_still_away() -> None:
    story = Story(count=2)
    here, away = story.agents
    disconnect(away)
    rollout = story.assign(story.version())
    story.settle(here)
    story.work()
    ask = caller(Role.VIEWER)
    told = ask("GET", f"rollouts/{rollout.pk}/").body
    assert told["counts"] == {"succeeded": 1, "pending_offline": 1}
    assert told["state_reason"] == "1 was offline when it ended."
    back_with_it(story, away)
    told = ask("GET", f"rollouts/{rollout.pk}/").body
    assert told["counts"] == {"succeeded": 2}
    assert told["state_reason"] == "1 was offline when it ended."
