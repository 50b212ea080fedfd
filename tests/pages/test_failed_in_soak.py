"""A collector on which a version failed after it was applied: its page and its fleet's say why."""

import pytest
from django.urls import reverse

from fleets.rollouts.shares import Share
from fleets.rollouts.strategy import StagePlan
from tests.fleets.test_stages import Staged, healthy
from tests.pages.reading import page

pytestmark = pytest.mark.django_db


def test_the_pages_say_what_the_rollout_judged_it_by() -> None:
    stages = (StagePlan("All", Share(percent=100)),)
    staged = Staged(1, stages=stages, automatic_rollback=False)
    [agent] = staged.offered()
    staged.apply(agent)
    healthy(agent, word="unhealthy", error="password: hunter2hunter2, disk full")
    staged.work()
    healthy(agent)
    for path in (
        reverse("agents:detail", args=[agent.instance_uid]),
        reverse("agents:attempts", args=[agent.instance_uid]),
        reverse("fleets:detail", args=[staged.story.fleet.slug]),
    ):
        shown = page(path)
        assert "It applied the version and became unhealthy" in shown, path
        assert "disk full" in shown
        assert "hunter2hunter2" not in shown
        assert "gave no reason" not in shown
