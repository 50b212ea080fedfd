"""Where the gateway's write buffer ends: what agents said, stored and judged in one transaction."""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction

from agents import notify, store
from agents.snapshot import AgentPatch
from fleets.models import Membership
from fleets.rollouts import engine
from fleets.tasks import advance_on_commit


def record_patches(patches: Sequence[AgentPatch]) -> None:
    """Store patches and let rollouts follow. Raises database errors and has then written nothing."""
    with transaction.atomic():
        changed = store.apply(patches)
        rollouts = engine.record_reports(patches)
        _touch_fleets(changed)
        advance_on_commit(rollouts)


def _touch_fleets(uids: Iterable[UUID]) -> None:
    members = Membership.objects.filter(agent_id__in=list(uids))
    fleets = members.order_by().values_list("fleet_id", flat=True).distinct() if uids else []
    topics = {f"fleet:{fleet_id}" for fleet_id in fleets}
    if topics:
        transaction.on_commit(partial(notify.touch, {*topics, "fleets"}), robust=True)
