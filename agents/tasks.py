"""Periodic work on agents. Thin: the store does it."""

from celery import shared_task

from agents import store
from telflo.base import clock


@shared_task(name="agents.tasks.sweep_statuses")
def sweep_statuses() -> int:
    """Bring up to date what only time changes; answers how many rows changed."""
    now = clock.now()
    return store.sweep(now) + store.expire_commands(now)
