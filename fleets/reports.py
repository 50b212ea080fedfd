"""Where the gateway's write buffer ends: what agents said, stored and judged in one transaction."""

from collections.abc import Sequence

from django.db import transaction

from agents import store
from agents.snapshot import AgentPatch
from fleets.rollouts import engine
from fleets.tasks import advance_on_commit
from fleets.topics import touch_fleets_of


def record_patches(patches: Sequence[AgentPatch]) -> None:
    """Store patches and let rollouts follow. Raises database errors, and store.Overtaken, and has then
    written nothing.
    """
    with transaction.atomic():
        rows, changed = store.apply(patches)
        rollouts = engine.record_reports(patches, rows)
        touch_fleets_of(changed)
        advance_on_commit(rollouts)
