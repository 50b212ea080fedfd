"""Background work on rollouts. Thin: the engine does it, level-triggered, so running twice or late is harmless."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from celery import shared_task
from django.db import OperationalError, transaction

from fleets import drift, tokens, watching
from fleets.rollouts import engine
from telflo.base import clock, hints
from telflo.base.deadlocks import again_after_deadlock
from telflo.base.outbox import Outbox, Post


@shared_task(name="fleets.tasks.advance_rollout", autoretry_for=(OperationalError,), max_retries=3)
@again_after_deadlock
def advance_rollout(rollout_id: str) -> None:
    """Take the rollout as far as its stored state allows."""
    engine.advance(UUID(rollout_id), now=clock.now())


@shared_task(name="fleets.tasks.sweep_rollouts")
@again_after_deadlock
def sweep_rollouts() -> None:
    """Heal what was lost: deadlines that passed, workers that crashed, hints that did not arrive."""
    now = clock.now()
    engine.expire(now)
    engine.judge_soaks(now)
    engine.settle_reverting(now)
    for rollout_id in engine.to_look_at():
        engine.advance(rollout_id, now=now)


@shared_task(name="fleets.tasks.compare_running")
@again_after_deadlock
def compare_running() -> int:
    """Find out who drifted: those of whom what runs, or what should run, changed; answers how many were compared."""
    return drift.compare_running(clock.now())


@shared_task(name="fleets.tasks.sweep_tokens")
def sweep_tokens() -> int:
    """End the overlaps of rotated tokens that are over; answers how many tokens changed."""
    return tokens.end_overlaps(clock.now())


@shared_task(name="fleets.tasks.watch_fleets")
@again_after_deadlock
def watch_fleets() -> None:
    """Tell those who want to know of collectors that are unhealthy or gone, and when that is over."""
    watching.watch_fleets(clock.now())


def send(rollout_id: str) -> None:
    """Have a worker advance this rollout. Raises what the broker's client raises, and may hang with it."""
    advance_rollout.apply_async((rollout_id,), retry=False)


outbox: Post = Outbox(send)


def advance_on_commit(rollout_ids: Iterable[UUID | None]) -> None:
    """Have these rollouts, whose targets changed, advanced and shown anew once the transaction holds.

    A broker that is away or hangs costs the rollout seconds and holds nobody up: the sweep heals.
    """
    for rollout_id in rollout_ids:
        if rollout_id is not None:
            hints.touch_on_commit({"rollouts", f"rollout:{rollout_id}"})
            transaction.on_commit(partial(outbox.post, str(rollout_id)), robust=True)
