"""Retention: what is too old goes, what is still needed stays."""

from datetime import timedelta

import pytest
from django.conf import settings

from fleets import pruning
from fleets.models import Attempt, AttemptState
from fleets.services import create_fleet
from telflo import tasks
from telflo.base import clock
from telflo.base.models import Activity
from telflo.base.pruning import delete_in_batches, prune_activity
from tests.factories import TESTER, make_agent, make_fleet, make_version

pytestmark = pytest.mark.django_db

LONG_AGO = clock.now() - settings.KEEP_ATTEMPTS - timedelta(days=1)


def test_everything_is_pruned_in_one_task() -> None:
    assert set(tasks.prune()) == {pruner.__name__ for pruner in tasks.PRUNERS}


def test_one_kind_that_fails_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_now: object) -> int:
        raise ValueError

    monkeypatch.setattr(tasks, "PRUNERS", (broken, prune_activity))
    assert tasks.prune() == {"prune_activity": 0}


def test_old_activity_goes_in_batches() -> None:
    for n in range(3):
        create_fleet(name=f"fleet {n}", version=None, actor=TESTER)
    Activity.objects.update(at=clock.now() - settings.KEEP_ACTIVITY - timedelta(seconds=1))
    create_fleet(name="new", version=None, actor=TESTER)
    assert prune_activity(clock.now()) == 3
    assert Activity.objects.get().object_label == "new"


def test_a_batch_limit_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telflo.base.pruning.BATCH", 2)
    for n in range(5):
        create_fleet(name=f"fleet {n}", version=None, actor=TESTER)
    assert delete_in_batches(Activity.objects.order_by("at"), batches=2) == 4


def test_the_last_attempt_of_an_agent_and_hash_is_kept() -> None:
    make_fleet(version=make_version())
    agent = make_agent()
    version = make_version()
    rendered = version.rendered.create(hash="aa", body="", created_at=LONG_AGO)
    first, last = (
        Attempt.objects.create(
            agent_id=agent.instance_uid,
            rendered=rendered,
            hash="aa",
            epoch=n,
            state=AttemptState.FAILED,
            offered_at=LONG_AGO,
            deadline=LONG_AGO,
        )
        for n in (1, 2)
    )
    assert pruning.prune_attempts(clock.now()) == 1
    assert Attempt.objects.get() == last
    assert first.pk < last.pk
