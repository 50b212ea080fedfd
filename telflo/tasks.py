"""Background work that belongs to no single app."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from celery import shared_task

from agents.identities import prune_given_uids
from agents.store import (
    expire_commands,
    prune_commands,
    prune_components,
    prune_effective_configs,
    prune_events,
    sweep,
)
from fleets.credentials import prune_credentials
from fleets.forgetting import forget_ghosts
from fleets.pruning import prune_attempts
from fleets.refusals import prune_refused
from notices.pruning import prune_notices
from telflo.base.clock import now
from telflo.base.pruning import prune_activity, prune_leftovers
from telflo.system.listening import listening_since
from telflo.system.state import read_processes

logger = logging.getLogger(__name__)

PRUNERS: tuple[Callable[[datetime], int], ...] = (
    forget_ghosts,
    prune_given_uids,
    prune_commands,
    prune_events,
    prune_effective_configs,
    prune_components,
    prune_refused,
    prune_attempts,
    prune_credentials,
    prune_notices,
    prune_activity,
    prune_leftovers,
)


@shared_task(name="agents.tasks.sweep_statuses")
def sweep_statuses() -> int:
    """Bring up to date what only time changes; answers how many rows changed."""
    moment = now()
    since = listening_since(read_processes(), moment)
    return sweep(moment, listening_since=since) + expire_commands(moment)


@shared_task(name="telflo.tasks.prune")
def prune() -> Mapping[str, int]:
    """Delete what is older than it has to be kept; answers how many rows of each kind.

    Each kind is independent: one that fails is logged and tried again in an hour.
    """
    moment = now()
    deleted: dict[str, int] = {}
    for pruner in PRUNERS:
        try:
            deleted[pruner.__name__] = pruner(moment)
        except Exception:
            logger.exception("%s failed.", pruner.__name__)
    return deleted
